"""Frozen networks whose maps are compared: AlexNet, VGG, SqueezeNet 1.1 and a small random one.

Weights are buffers that no checkpoint holds: they follow the device, and nothing trains them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.features.architectures import TRAINED, Layer, up_to
from acutance.losses.features.stored import stored_tensors

Pooling = Literal["max", "mean", "l2"]
WEIGHTS = ("trained", "random")
# ImageNet's, of pictures in [0, 1]: what all trained networks here were trained with
MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)
TINY = 1e-12  # under the root of an L2 pool, whose slope at 0 is infinite


class FeatureNetwork(nn.Module):
    """The maps `taps` of pictures in [0, 1], with weights by torchvision's names.

    Only `layers` are run, and only their weights kept. A map before a ReLU stays as it is: no
    operation is in place. Nothing has a random or a training state, so that there is no mode.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        taps: tuple[str, ...],
        tensors: Mapping[str, Tensor],
        *,
        pooling: Pooling = "max",
    ) -> None:
        super().__init__()
        self.layers, self.taps, self.pooling = layers, taps, pooling
        for layer in layers:
            for name, shape in layer.shapes.items():
                if name not in tensors or tuple(tensors[name].shape) != shape:
                    found = tuple(tensors[name].shape) if name in tensors else "missing"
                    raise InputError(f"The weights' '{name}' should be {shape} and is {found}.")
                kept = tensors[name].detach().contiguous()
                self.register_buffer(_attribute(name), kept, persistent=False)
        for name, values in (("mean", MEAN), ("spread", SPREAD)):
            row = torch.tensor(values, dtype=torch.float64).view(3, 1, 1)
            self.register_buffer(name, row, persistent=False)

    def forward(self, pictures: Float[Tensor, "n c h w"]) -> dict[str, Tensor]:
        """The maps by name, in float32 or float64 as the pictures are; grey is taken as RGB."""
        if not self.layers:
            return {"pixels": pictures}
        found = {}
        with torch.autocast(pictures.device.type, enabled=False):  # half precision loses digits
            x = (pictures - self._of("mean", pictures)) / self._of("spread", pictures)
            for layer in self.layers:
                x = self._step(layer, x)
                if layer.name in self.taps:
                    found[layer.name] = x
        return found

    def _step(self, layer: Layer, x: Tensor) -> Tensor:
        if layer.kind == "relu":
            return F.relu(x)
        if layer.kind == "pool":
            return self._pool(layer, x)
        if layer.kind == "fire":
            squeezed = F.relu(self._convolved(x, f"features.{layer.place}.squeeze."))
            near = self._convolved(squeezed, f"features.{layer.place}.expand1x1.")
            wide = self._convolved(squeezed, f"features.{layer.place}.expand3x3.", padding=1)
            return F.relu(torch.cat([near, wide], dim=1))
        name = f"features.{layer.place}."
        return self._convolved(x, name, bias=layer.bias, stride=layer.stride, padding=layer.padding)

    def _convolved(
        self, x: Tensor, name: str, *, bias: bool = True, stride: int = 1, padding: int = 0
    ) -> Tensor:
        shift = self._of(f"{name}bias", x) if bias else None
        return F.conv2d(x, self._of(f"{name}weight", x), shift, stride=stride, padding=padding)

    def _pool(self, layer: Layer, x: Tensor) -> Tensor:
        if self.pooling == "max":
            return F.max_pool2d(x, layer.kernel, layer.stride, ceil_mode=layer.ceil)
        if self.pooling == "mean":
            return F.avg_pool2d(x, layer.kernel, layer.stride, ceil_mode=layer.ceil)
        return l2_pooled(x)

    def _of(self, name: str, like: Tensor) -> Tensor:
        return getattr(self, _attribute(name)).to(like.dtype)


def l2_pooled(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
    """The root of the local mean of squares, weighted (1 2 1)/4 both ways, every second place.

    Henaff and Simoncelli (ICLR 2016): a Hann window does not fold detail into false patterns.
    """
    c = x.shape[1]
    taps = (x.new_tensor(row) for row in ([[0.25], [0.5], [0.25]], [[0.25, 0.5, 0.25]]))
    down, across = (t.expand(c, 1, *t.shape) for t in taps)
    squares = F.conv2d(x.square(), down, stride=(2, 1), padding=(1, 0), groups=c)
    means = F.conv2d(squares, across, stride=(1, 2), padding=(0, 1), groups=c)
    return (means + TINY).sqrt()


def feature_network(
    net: str,
    taps: tuple[str, ...],
    *,
    weights: str = "trained",
    seed: int = 0,
    pooling: Pooling = "max",
) -> FeatureNetwork:
    """The network `net` as deep as `taps` need, its weights "trained" or "random".

    Raises InputError, with the command that brings them, where trained weights are missing.
    """
    layers = up_to(net, taps)
    if weights not in WEIGHTS:
        raise InputError(f"The weights are {' or '.join(WEIGHTS)}, not {weights!r}.")
    if net == "small":
        if weights == "trained":
            raise InputError(
                "The network 'small' has no trained weights. Write weights='random', or use "
                f"{', '.join(TRAINED)}."
            )
        pooling = "mean" if pooling == "max" else pooling
    if weights == "random" or not layers:
        return FeatureNetwork(layers, taps, random_tensors(layers, seed), pooling=pooling)
    shapes = {name: shape for layer in layers for name, shape in layer.shapes.items()}
    return FeatureNetwork(layers, taps, stored_tensors(TRAINED[net], shapes), pooling=pooling)


@lru_cache(maxsize=8)
def random_tensors(layers: tuple[Layer, ...], seed: int) -> Mapping[str, Tensor]:
    """Orthogonal kernels with the variance of He et al. (ICCV 2015), 2 / fan-in; biases 0.

    Gaussian numbers of numpy's RandomState, whose stream is fixed for ever, layer after layer;
    of a kernel as (out, in * rows * columns) the rows, or where there are more of them the
    columns, are orthogonal (Saxe, McClelland, Ganguli: ICLR 2014), so that no two maps look for
    the same thing and a first layer of 27 or more kernels loses nothing.
    """
    generator = np.random.RandomState(seed)
    return {
        name: torch.from_numpy(_orthogonal(generator, shape)).float()
        for layer in layers
        for name, shape in layer.shapes.items()
    }


def _orthogonal(generator: np.random.RandomState, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 1:
        return np.zeros(shape)
    out, fan_in = shape[0], int(np.prod(shape[1:]))
    drawn = generator.standard_normal((max(out, fan_in), min(out, fan_in)))
    directions, triangle = np.linalg.qr(drawn)
    directions *= np.sign(np.diagonal(triangle))  # else the sign would be that of the library
    kernel = directions if out >= fan_in else directions.T
    return kernel.reshape(shape) * np.sqrt(2 * max(out, fan_in) / fan_in)


def _attribute(name: str) -> str:
    return name.replace(".", "_")
