"""Shrinker: a learned layer F that makes small pictures, as bicubic with a correction."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.imaging.resample import axis_weights
from acutance.models.activations import SLOPES, make_activation
from acutance.models.starts import he_start
from acutance.models.upsamplers import mirrored

SIZES: Mapping[str, Mapping[str, int]] = {
    "tiny": {"features": 24, "convolutions": 2},
    "small": {"features": 32, "convolutions": 4},
}
SCALES = (2, 3, 4, 8)
PACE = 0.3
"""Of the correction, so that F moves slower than the network that has to follow it."""


class Shrinker(nn.Module):
    """hr -> lr: MATLAB's bicubic reduction plus what a few convolutions of 3x3 add to it.

    The hr is folded to lr size without loss, scale^2 channels for each, so that the convolutions
    cost little: at x2 and of luma "tiny" takes 11,448 multiply-adds for an lr pixel, a third of
    compact:tiny. The last one begins at 0, so training begins at bicubic.

    Layers that make pictures small, trained with the network that enlarges them: Kim, Choi, Lim,
    Lee: Task-Aware Image Downscaling (ECCV 2018); Sun and Chen: Learned Image Downscaling for
    Upscaling using Content Adaptive Resampler (IEEE Transactions on Image Processing, 2020).
    Theirs are larger, and the latter gives each lr pixel a kernel of its own in place of a
    correction.

    Sides have to be multiples of the scale. `reach` counts hr pixels beyond the scale x scale hr
    pixels that lie under an lr pixel; pieces have to begin at multiples of the scale.
    """

    def __init__(
        self, *, scale: int, channels: int = 1, features: int = 24, convolutions: int = 2
    ) -> None:
        super().__init__()
        if scale not in SCALES:
            known = ", ".join(map(str, SCALES))
            raise InputError(f"A learned F is made for the scales {known}, not for {scale}.")
        self.scale = scale
        self.channels = channels
        self.plain = BicubicReduction(scale=scale, channels=channels)
        self.reach = max((convolutions + 2) * scale, self.plain.reach)
        chain: list[nn.Module] = []
        before = channels * scale**2
        for _ in range(convolutions + 1):
            chain += [nn.Conv2d(before, features, kernel_size=3, padding=1)]
            chain += [make_activation("leaky_relu", features)]
            before = features
        last = nn.Conv2d(before, channels, kernel_size=3, padding=1)
        self.body = nn.Sequential(*chain, last)
        he_start(self, slope=SLOPES["leaky_relu"])
        nn.init.zeros_(last.weight)  # it learns in the first step, those before it from then on

    def forward(self, hr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        return self.plain(hr) + PACE * self.body(F.pixel_unshuffle(hr, self.scale))


class BicubicReduction(nn.Module):
    """MATLAB's antialiased bicubic for sides that `scale` divides, in floating point.

    All lr pixels have the same weights, so it is two fixed convolutions with strides over the
    mirrored picture: sizes stay free in ONNX. Nothing is trained or saved.
    """

    down: Tensor
    across: Tensor

    def __init__(self, *, scale: int, channels: int) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        taps = torch.from_numpy(_taps(scale)).float()
        self.reach = (len(taps) - scale) // 2  # hr pixels beyond those of the lr pixel
        down = taps[:, None].expand(channels, 1, -1, 1).contiguous()
        self.register_buffer("down", down, persistent=False)
        self.register_buffer("across", down.transpose(2, 3).contiguous(), persistent=False)

    def forward(self, hr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        # never in bf16: the correction should not repair its rounding
        with torch.autocast(hr.device.type, enabled=False):
            wide = mirrored(hr.float(), self.reach)
            rows = F.conv2d(wide, self.down, stride=(self.scale, 1), groups=self.channels)
            return F.conv2d(rows, self.across, stride=(1, self.scale), groups=self.channels)


def make_shrinker(preset: str, *, scale: int, channels: int) -> Shrinker:
    """An untrained F by the name of its preset, at its start equal to bicubic."""
    if preset not in SIZES:
        raise InputError(
            f"There is no learned F '{preset}' (network.shrink). {nearest(preset, SIZES)}"
        )
    return Shrinker(scale=scale, channels=channels, **SIZES[preset])


def _taps(scale: int) -> np.ndarray:
    """Weights of the hr pixels around one lr pixel, as many on either side of its own."""
    count = 9  # lr pixels: so far from the edge nothing is mirrored
    index, weight = axis_weights(count * scale, count, scale=1 / scale)
    row = np.zeros(count * scale)
    np.add.at(row, index[count // 2], weight[count // 2])
    margin = math.ceil(1.5 * scale)  # the kernel is 4 lr pixels wide
    first = count // 2 * scale - margin
    return row[first : first + scale + 2 * margin]
