"""LapSRN: a pyramid that doubles the picture level by level, and corrects it at each."""

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.models.levels import depth_of, given, level_name, octaves
from acutance.models.preset import Preset
from acutance.models.starts import draw_normal, he_start, near_zero_start
from acutance.models.upsamplers import mirrored

PRESETS: dict[str, Preset] = {
    "paper": Preset(
        parameters=407_441,
        reach=12,
        channels=1,
        source="Lai et al., CVPR 2017; counted from the definition (813 K weights at x4)",
    ),
    "tiny": Preset(
        parameters=11_921,
        reach=6,
        channels=1,
        source="sized for two cores",
        arguments={"features": 16, "convolutions": 4},
    ),
}

LEAKY_SLOPE = 0.2
_IMAGE_TAPS = 4  # of the picture's own enlargement by 2


class Lapsrn(nn.Module):
    """Lai, Huang, Ahuja, Yang: Deep Laplacian Pyramid Networks (LapSRN, CVPR 2017), sec. 3.

    Two branches. Features: a 3x3 convolution, then at each level `convolutions` of 3x3, a
    transposed one that doubles the size, and one to the correction of the picture; leaky ReLU
    (0.2) after all but the last. Picture: a transposed convolution of 4x4 doubles the picture of
    the level before, bilinear at the start and trained like the rest, and the correction is added.

    `taps` are those of the features' transposed convolution: 4 in the paper's text, 3 in the
    authors' own code. Only 3 gives the count that the tables carry: 812,768 kernel weights at x4,
    "813 K", no biases counted. At x8 the authors take 5 convolutions a level.

    Departs in one way: the picture is mirrored at its edge before it is doubled, where zeros
    would darken the last rows.
    """

    grows = True
    scales = (2, 4, 8)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 1,
        features: int = 64,
        convolutions: int = 10,
        taps: int = 3,
    ) -> None:
        super().__init__()
        if taps not in (3, 4):
            raise InputError(f"The constant 'taps' of lapsrn is 3 or 4, not {taps}.")
        self.scale = scale
        self.channels = channels
        self.outputs = tuple(level_name(level) for level in octaves(scale)[:-1])
        self.reach = _reach(len(octaves(scale)), convolutions, taps)
        self.head = nn.Sequential(
            nn.Conv2d(channels, features, kernel_size=3, padding=1), _leaky_relu()
        )
        self.levels = nn.ModuleList(
            _Level(channels, features, convolutions, taps) for _ in octaves(scale)
        )
        he_start(self, slope=LEAKY_SLOPE)
        for level in self.levels:
            cast(_Level, level).start()

    def forward(
        self, lr: Float[Tensor, "n c h w"], upto: int | None = None
    ) -> Float[Tensor, "n c sh sw"] | dict[str, Float[Tensor, "n c _ _"]]:
        features, pictures = self.head(lr), [lr]
        for level in self.levels[: depth_of(upto, self.scale)]:
            features, picture = level(features, pictures[-1])
            pictures.append(picture)
        return given(pictures[1:], self.training)


class _Level(nn.Module):
    """One octave: features and picture of the size before to those of twice the size."""

    def __init__(self, channels: int, features: int, convolutions: int, taps: int) -> None:
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(channels, channels, _IMAGE_TAPS, 2, 1, bias=False)
        chain: list[nn.Module] = []
        for _ in range(convolutions):
            chain += [nn.Conv2d(features, features, kernel_size=3, padding=1), _leaky_relu()]
        double = nn.ConvTranspose2d(features, features, taps, 2, 1, output_padding=4 - taps)
        self.features = nn.Sequential(*chain, double, _leaky_relu())
        self.correct = nn.Conv2d(features, channels, kernel_size=3, padding=1)

    def start(self) -> None:
        """First weights of what is no plain convolution, and of the correction, near zero."""
        double = cast(nn.ConvTranspose2d, self.features[-2])
        seen = double.in_channels * (double.kernel_size[0] / 2) ** 2  # by one value of the result
        draw_normal(double.weight, std=math.sqrt(2 / ((1 + LEAKY_SLOPE**2) * seen)))
        nn.init.zeros_(cast(Tensor, double.bias))
        if not self.enlarge.weight.is_meta:
            row = torch.tensor([0.25, 0.75, 0.75, 0.25])
            with torch.no_grad():
                self.enlarge.weight.zero_()
                for channel in range(self.enlarge.in_channels):
                    self.enlarge.weight[channel, channel] = row * row[:, None]
        near_zero_start(self.correct)

    def forward(self, features: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(features)
        with torch.autocast(picture.device.type, enabled=False):  # no rounded picture to correct
            # one mirrored pixel at each edge becomes two in the result
            doubled = self.enlarge(mirrored(picture, 1))[:, :, 2:-2, 2:-2]
        return features, doubled + self.correct(features)


def _leaky_relu() -> nn.Module:
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True)


def _reach(levels: int, convolutions: int, taps: int) -> int:
    """Followed back along the features, which see farther than the picture's branch.

    Pixel o of the doubled features takes tap k of pixel i where o = 2 i - 1 + k.
    """
    first, last = 0, 2**levels - 1
    first, last = first - 1, last + 1  # the correction
    for _ in range(levels):
        first, last = (first + 3 - taps) // 2, (last + 1) // 2
        first, last = first - convolutions, last + convolutions
    return max(1 - first, last + 1)  # the first convolution
