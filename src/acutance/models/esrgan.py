"""ESRGAN: residual blocks of dense blocks (RRDB), the network of ESRGAN and Real-ESRGAN."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.models.entry import entry_convolution, entry_multiple
from acutance.models.preset import Preset
from acutance.models.starts import he_start
from acutance.models.upsamplers import mirrored_to_multiple, tail_reach

PRESETS: dict[str, Preset] = {
    "6": Preset(
        parameters=4_430_851,
        reach=94,
        channels=3,
        source="Real-ESRGAN, anime 6B",
        arguments={"blocks": 6},
    ),
    "paper": Preset(
        parameters=16_661_059,
        reach=349,
        channels=3,
        source="Wang et al., ECCVW 2018, 23 blocks",
    ),
    "tiny": Preset(
        parameters=28_235,
        reach=19,
        channels=3,
        source="sized for two cores",
        arguments={"features": 8, "growth": 8, "blocks": 1},
    ),
}

LEAKY_SLOPE = 0.2
RESIDUAL_SCALING = 0.2
FIRST_WEIGHTS = 0.1  # times He's in the dense blocks: appendix of the paper, "smaller init"


class Esrgan(nn.Module):
    """Wang et al.: ESRGAN (ECCV Workshops 2018), sec. 3.1; layers named as Real-ESRGAN's.

    `blocks` of three dense blocks with `growth` new features after each convolution; then nearest
    enlargements with a convolution each (factors of 2, one of 3), two convolutions at hr.

    With `unshuffle` m (Real-ESRGAN's files for x2 have 2, for x1 4) m x m pixels are first made one
    of m^2 times the channels, so that the network enlarges m times as much from a smaller picture;
    with `strided` m a first convolution of stride m does the same (see entry.py).
    A piece must then begin at a `multiple` of m. Sides that m does not divide are widened by the
    mirrored picture, and the result is cut.
    """

    scales = (1, 2, 3, 4, 8)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 64,
        growth: int = 32,
        blocks: int = 23,
        unshuffle: int = 1,
        strided: int = 1,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.unshuffle = unshuffle
        self.multiple = entry_multiple(unshuffle=unshuffle, strided=strided)
        self.factors = _factors(scale * self.multiple)
        # two more convolutions stand behind the last enlargement
        steps = [(factor, 1) for factor in self.factors] or [(1, 0)]
        steps[-1] = (steps[-1][0], steps[-1][1] + 2)
        # 1 for the first convolution, strided or not, 15 for each block, 1 behind them
        self.reach = self.multiple * (1 + 15 * blocks + 1 + tail_reach(steps))
        self.conv_first = entry_convolution(
            channels, features, unshuffle=unshuffle, strided=strided
        )
        self.body = nn.Sequential(*(Block(features, growth) for _ in range(blocks)))
        self.conv_body = _conv3(features, features)
        for number in range(1, len(self.factors) + 1):
            self.add_module(f"conv_up{number}", _conv3(features, features))
        self.conv_hr = _conv3(features, features)
        self.conv_last = _conv3(features, channels)
        self.activation = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
        he_start(self, slope=LEAKY_SLOPE)
        with torch.no_grad():
            for conv in self.body.modules():
                if isinstance(conv, nn.Conv2d):
                    conv.weight *= FIRST_WEIGHTS

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        height, width = lr.shape[2] * self.scale, lr.shape[3] * self.scale
        if self.multiple > 1:
            lr = mirrored_to_multiple(lr, self.multiple)
        if self.unshuffle > 1:
            lr = F.pixel_unshuffle(lr, self.unshuffle)
        first = self.conv_first(lr)
        x = first + self.conv_body(self.body(first))
        for number, factor in enumerate(self.factors, start=1):
            enlarged = F.interpolate(x, scale_factor=factor)
            x = self.activation(self.get_submodule(f"conv_up{number}")(enlarged))
        sr = self.conv_last(self.activation(self.conv_hr(x)))
        return sr[:, :, :height, :width] if self.multiple > 1 else sr


class Block(nn.Module):
    """Three dense blocks in a row, times 0.2, plus the input."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(features, growth)
        self.rdb2 = DenseBlock(features, growth)
        self.rdb3 = DenseBlock(features, growth)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        return self.rdb3(self.rdb2(self.rdb1(x))) * RESIDUAL_SCALING + x


class DenseBlock(nn.Module):
    """Five convolutions, each on all that came before it, times 0.2, plus the input."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _conv3(features, growth)
        self.conv2 = _conv3(features + growth, growth)
        self.conv3 = _conv3(features + 2 * growth, growth)
        self.conv4 = _conv3(features + 3 * growth, growth)
        self.conv5 = _conv3(features + 4 * growth, features)
        self.activation = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        seen = x
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat([seen, self.activation(conv(seen))], dim=1)
        return self.conv5(seen) * RESIDUAL_SCALING + x


def _factors(total: int) -> tuple[int, ...]:
    """The enlargements in a row that make `total`: twos, and a three at the end."""
    twos = (total & -total).bit_length() - 1
    rest = total >> twos
    if rest not in (1, 3):
        raise InputError(
            f"ESRGAN cannot enlarge {total} times: it takes powers of 2, and 3 of them."
        )
    return (2,) * twos + ((3,) if rest == 3 else ())


def _conv3(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=3, padding=1)
