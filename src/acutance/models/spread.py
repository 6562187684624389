"""A head beside any network that says how sure it is of each value it gives."""

import copy
import math
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.models.starts import near_zero_start

FIRST_SPREAD = 0.05  # in [0, 1]: about the error of an enlargement before training


class WithSpread(nn.Module):
    """`network` with a second last convolution, which gives log_scale from the same features.

    The result is {"sr", "log_scale"}, both of one shape: exp(log_scale) is the spread of sr, sigma
    or b as the loss has it (Kendall and Gal, NIPS 2017, sec. 3: mean and variance are two heads
    of one network). sr, and any other output, is what `network` alone gives. At the start the
    spread is FIRST_SPREAD everywhere, and the head's weights are almost 0.

    Train it by a likelihood, the mean a little ahead of the spread:
    `l1(stop=0.1) + gaussian_nll(start=0.1)`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.scale = int(network.scale)  # pyright: ignore[reportArgumentType]
        self.channels = int(network.channels)  # pyright: ignore[reportArgumentType]
        self.outputs = ("log_scale", *getattr(network, "outputs", ()))
        self.reach = network.reach  # the head sees what the last convolution sees
        self.bound = getattr(network, "bound", None)
        self.multiple = getattr(network, "multiple", 1)
        last = _last_convolution(network, self.channels)
        self.spread = copy.deepcopy(last)
        near_zero_start(self.spread)
        if self.spread.bias is None:
            raise InputError("The head 'spread' needs a last convolution with a bias.")
        nn.init.constant_(self.spread.bias, math.log(FIRST_SPREAD))
        self.shuffle = math.isqrt(last.out_channels // self.channels)
        # The same layer under the same name, which also shows what it is given: the features are
        # deep inside `network`, and a hook would be left behind by copies of it.
        last.__class__ = _SHOWING[type(last)]
        self._last = _place(network, last)
        self.network: nn.Module = network

    def forward(self, lr: Float[Tensor, "n c h w"]) -> dict[str, Float[Tensor, "n c _ _"]]:
        made = self.network(lr)
        last = cast(_ShowingConv, self.network.get_submodule(self._last))
        features, last.features = last.features, None
        log_scale = self.spread(features)
        if self.shuffle > 1:
            log_scale = F.pixel_shuffle(log_scale, self.shuffle)
        sr = picture_of(made)
        if self.multiple > 1:  # the network widened lr to a multiple, and cut its own result
            log_scale = log_scale[:, :, : sr.shape[2], : sr.shape[3]]
        lower = made if isinstance(made, dict) else {}
        return {**lower, "sr": sr, "log_scale": log_scale}


class _ShowingConv(nn.Conv2d):
    features: Tensor | None = None

    def forward(self, input: Tensor) -> Tensor:
        self.features = input
        return super().forward(input)


class _ShowingConvTranspose(nn.ConvTranspose2d):
    features: Tensor | None = None

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        self.features = input
        return super().forward(input, output_size)


_SHOWING = {nn.Conv2d: _ShowingConv, nn.ConvTranspose2d: _ShowingConvTranspose}


def _last_convolution(network: nn.Module, channels: int) -> nn.Conv2d | nn.ConvTranspose2d:
    """The convolution that gives the picture, whole or as phases: the last one of the network."""
    found = [m for m in network.modules() if type(m) in _SHOWING]
    last = found[-1] if found else None
    phases = last.out_channels // channels if last is not None else 0  # pyright: ignore
    if last is None or phases * channels != last.out_channels or math.isqrt(phases) ** 2 != phases:
        raise InputError(
            f"The head 'spread' does not fit the network {type(network).__name__}: its last layer "
            "is no convolution that gives the picture. Choose another network."
        )
    return last  # pyright: ignore[reportReturnType]


def _place(network: nn.Module, module: nn.Module) -> str:
    return next(name for name, found in network.named_modules() if found is module)


def picture_of(made: Tensor | dict[str, Tensor]) -> Tensor:
    """sr, whatever else a network gives."""
    return made["sr"] if isinstance(made, dict) else made


class SrAndSpread(nn.Module):
    """The outputs as a pair, for formats that know no names inside."""

    def __init__(self, network: WithSpread) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        made = self.network(lr)
        return made["sr"], made["log_scale"]


HEADS = {"": lambda network: network, "spread": WithSpread}  # what a network may be given


def with_head(network: nn.Module, head: str) -> nn.Module:
    """`network` with the head of that name; "" is none."""
    if head not in HEADS:
        known = ", ".join(name for name in HEADS if name)
        raise InputError(f"Unknown head '{head}'. Known: {known}.")
    return HEADS[head](network)


def load_weights(network: nn.Module, trained: nn.Module) -> None:
    """Put the weights of `trained` into `network`; a network with a head may take those without.

    Where the two are of different scales, all layers of equal shape are taken and the others stay
    as they are, as EDSR's x3 and x4 begin from its x2 (Lim et al., CVPR Workshops 2017, sec. 3.2).
    Raises RuntimeError, as torch does, where they do not fit.
    """
    if isinstance(network, WithSpread) and not isinstance(trained, WithSpread):
        network = network.network
    weights = trained.state_dict()
    if network.scale != trained.scale and type(network) is type(trained):
        weights = _of_any_scale(network.state_dict(), weights)
    network.load_state_dict(weights)


def _of_any_scale(own: dict[str, Tensor], others: dict[str, Tensor]) -> dict[str, Tensor]:
    """`own` with what `others` has in the same shape; `others` where that is less than half."""
    shared = {k: v for k, v in others.items() if k in own and own[k].shape == v.shape}
    enough = 2 * sum(v.numel() for v in shared.values()) > sum(v.numel() for v in own.values())
    return own | shared if enough else others
