"""Feature networks layer by layer: numbers of torchvision, names of the papers. No torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

from acutance.catalog import nearest
from acutance.errors import InputError

# below this a map of the fifth block of VGG has no pixel left
SMALLEST = 16


@dataclass(frozen=True)
class Layer:
    """One step of a network. `place` is the N of torchvision's "features.N.weight".

    `channels` are (in, out) of a convolution, (in, squeezed, out 1x1, out 3x3) of a fire module.
    """

    kind: Literal["convolution", "relu", "pool", "fire"]
    name: str
    place: int
    channels: tuple[int, ...] = ()
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    bias: bool = True
    ceil: bool = False  # whether a pool keeps an incomplete window

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of its weights as torchvision stores them."""
        if self.kind == "convolution":
            into, out = self.channels
            return dict(self._pair("", into, out, self.kernel))
        if self.kind == "fire":
            into, squeezed, one, three = self.channels
            return dict(
                [
                    *self._pair("squeeze.", into, squeezed, 1),
                    *self._pair("expand1x1.", squeezed, one, 1),
                    *self._pair("expand3x3.", squeezed, three, 3),
                ]
            )
        return {}

    def _pair(
        self, part: str, into: int, out: int, kernel: int
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"features.{self.place}.{part}weight", (out, into, kernel, kernel)
        if self.bias:
            yield f"features.{self.place}.{part}bias", (out,)

    def side(self, side: int) -> int:
        """How many pixels a side of `side` has after it."""
        if self.kind in {"relu", "fire"}:
            return side
        free = side + 2 * self.padding - self.kernel
        return (-(-free // self.stride) if self.ceil else free // self.stride) + 1


def _vgg(convolutions: tuple[int, ...]) -> tuple[Layer, ...]:
    """Simonyan and Zisserman (ICLR 2015), table 1; `convolutions` in each of the five blocks."""
    layers: list[Layer] = []
    into = 3
    for block, (depth, width) in enumerate(
        zip(convolutions, (64, 128, 256, 512, 512), strict=True), 1
    ):
        for k in range(1, depth + 1):
            place = len(layers)
            layers.append(Layer("convolution", f"conv{block}_{k}", place, (into, width), padding=1))
            layers.append(Layer("relu", f"relu{block}_{k}", place + 1))
            into = width
        layers.append(Layer("pool", f"pool{block}", len(layers), kernel=2, stride=2))
    return tuple(layers)


def _alexnet() -> tuple[Layer, ...]:
    """Krizhevsky: One weird trick (2014), as torchvision has it."""
    return (
        Layer("convolution", "conv1", 0, (3, 64), kernel=11, stride=4, padding=2),
        Layer("relu", "relu1", 1),
        Layer("pool", "pool1", 2, stride=2),
        Layer("convolution", "conv2", 3, (64, 192), kernel=5, padding=2),
        Layer("relu", "relu2", 4),
        Layer("pool", "pool2", 5, stride=2),
        Layer("convolution", "conv3", 6, (192, 384), padding=1),
        Layer("relu", "relu3", 7),
        Layer("convolution", "conv4", 8, (384, 256), padding=1),
        Layer("relu", "relu4", 9),
        Layer("convolution", "conv5", 10, (256, 256), padding=1),
        Layer("relu", "relu5", 11),
    )


def _squeezenet() -> tuple[Layer, ...]:
    """Iandola et al.: SqueezeNet (2016), version 1.1; fire modules as the paper counts them."""
    fires = iter(
        enumerate(
            (
                (64, 16, 64),
                (128, 16, 64),
                (128, 32, 128),
                (256, 32, 128),
                (256, 48, 192),
                (384, 48, 192),
                (384, 64, 256),
                (512, 64, 256),
            ),
            2,
        )
    )
    layers = [
        Layer("convolution", "conv1", 0, (3, 64), stride=2),
        Layer("relu", "relu1", 1),
    ]
    for place in range(2, 13):
        if place in {2, 5, 8}:
            name = f"pool{1 + place // 3}"
            layers.append(Layer("pool", name, place, stride=2, ceil=True))
            continue
        number, (into, squeezed, out) = next(fires)
        layers.append(Layer("fire", f"fire{number}", place, (into, squeezed, out, out)))
    return tuple(layers)


def _small() -> tuple[Layer, ...]:
    """Ours: five convolutions without bias and means of 2 x 2; small, and never trained."""
    layers: list[Layer] = []
    widths = (3, 32, 64, 128, 128, 128)
    for block in range(1, 6):
        place = len(layers)
        channels = (widths[block - 1], widths[block])
        layers.append(Layer("convolution", f"conv{block}", place, channels, padding=1, bias=False))
        layers.append(Layer("relu", f"relu{block}", place + 1))
        layers.append(Layer("pool", f"pool{block}", place + 2, kernel=2, stride=2))
    return tuple(layers)


# "pixels" has no layer: the picture itself is its only map.
NETS: dict[str, tuple[Layer, ...]] = {
    "vgg19": _vgg((2, 2, 4, 4, 4)),
    "vgg16": _vgg((2, 2, 3, 3, 3)),
    "alexnet": _alexnet(),
    "squeezenet": _squeezenet(),
    "small": _small(),
    "pixels": (),
}
# The name of their trained weights in acutance.losses.features.weights.
TRAINED = {
    "vgg19": "vgg19",
    "vgg16": "vgg16",
    "alexnet": "alexnet",
    "squeezenet": "squeezenet1_1",
}


def up_to(net: str, names: tuple[str, ...]) -> tuple[Layer, ...]:
    """The layers of `net` as far as the deepest of `names`; InputError for an unknown one."""
    if net not in NETS:
        raise InputError(f"Unknown feature network '{net}'. {nearest(net, NETS)}")
    known = [layer.name for layer in NETS[net]] or ["pixels"]
    for name in names:
        if name not in known:
            raise InputError(f"{net} has no layer '{name}'. {nearest(name, known)}")
    deepest = max((known.index(name) for name in names), default=-1)
    return NETS[net][: deepest + 1]


def width(net: str, name: str) -> int:
    """Channels of the map `name`; 3 of the pixels."""
    wide = [layer for layer in up_to(net, (name,)) if layer.channels]
    if not wide:
        return 3
    return wide[-1].channels[1] if wide[-1].kind == "convolution" else sum(wide[-1].channels[2:])


def least_side(*, net: str = "vgg19") -> int:
    """The smallest side in pixels that `net` takes: all its maps have a pixel, and 16 at least."""
    layers = NETS.get(net, ())
    last = max((i for i, layer in enumerate(layers) if layer.kind != "pool"), default=-1)
    return next(side for side in count(SMALLEST) if _goes_through(side, layers[: last + 1]))


def _goes_through(side: int, layers: tuple[Layer, ...]) -> bool:
    for layer in layers:
        side = layer.side(side)
        if side < 1:
            return False
    return True
