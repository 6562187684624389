"""Fixed enlargements inside networks: what a network adds its own part to.

Each gives the enlarged picture as phases, scale^2 channels for each channel at lr size, so that
a network adds its own phases there and shuffles once.
"""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.catalog import nearest as nearest_name
from acutance.errors import InputError
from acutance.imaging.resample import axis_weights

BICUBIC_REACH = 2  # lr pixels: the kernel is 4 wide, and its centre moves by less than half of one


def enlargement(kernel: str, *, scale: int, channels: int) -> "Nearest | Bicubic":
    """The enlargement named "nearest" or "bicubic", as a module lr -> phases."""
    kinds = {"nearest": Nearest, "bicubic": Bicubic}
    if kernel not in kinds:
        raise InputError(f"Unknown enlargement '{kernel}'. {nearest_name(kernel, kinds)}")
    return kinds[kernel](scale=scale, channels=channels)


class Nearest(nn.Module):
    """Each pixel repeated scale x scale times."""

    reach = 0

    def __init__(self, *, scale: int, channels: int) -> None:
        super().__init__()
        self.phases = scale**2
        self.channels = channels

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n p h w"]:
        # a concatenation: exact, and one node in ONNX whatever the size
        planes = lr.split(1, dim=1) if self.channels > 1 else (lr,)
        return torch.cat([plane for plane in planes for _ in range(self.phases)], dim=1)


class Bilinear(nn.Module):
    """Bilinear enlargement with half-pixel centres and the edge repeated.

    One fixed convolution of 3x3, the same at every place: torch's own computes positions in
    float32, whose rounding grows with the picture, so that pieces would differ from the whole.
    """

    reach = 1
    kernel: Tensor

    def __init__(self, *, scale: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        shift = (np.arange(scale) + 0.5) / scale - 0.5  # lr pixels from the centre of the nearest
        taps = np.stack([np.maximum(-shift, 0), 1 - np.abs(shift), np.maximum(shift, 0)], axis=1)
        forms = np.einsum("pi,qj->pqij", taps, taps).reshape(scale**2, 1, 3, 3)
        kernel = torch.from_numpy(forms).float().repeat(channels, 1, 1, 1)
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n p h w"]:
        with torch.autocast(lr.device.type, enabled=False):  # as for Bicubic
            return F.conv2d(mirrored(lr, self.reach), self.kernel, groups=self.channels)


class Bicubic(nn.Module):
    """MATLAB's bicubic enlargement with mirrored border, in floating point.

    For a whole scale the kernel takes only scale^2 different forms, one for each place inside an
    lr pixel; all are one fixed convolution of 5x5 over the mirrored picture. Nothing is trained
    or saved.
    """

    reach = BICUBIC_REACH
    kernel: Tensor

    def __init__(self, *, scale: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        rows = torch.from_numpy(bicubic_phases(scale)).float()
        forms = torch.einsum("pi,qj->pqij", rows, rows).reshape(scale**2, 1, 5, 5)
        self.register_buffer("kernel", forms.repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n p h w"]:
        # never in bf16: the network corrects this picture, it should not repair its rounding
        with torch.autocast(lr.device.type, enabled=False):
            return F.conv2d(mirrored(lr, self.reach), self.kernel, groups=self.channels)


def mirrored(x: Float[Tensor, "n c h w"], border: int) -> Float[Tensor, "n c hb wb"]:
    """Widen by `border` pixels on each side, mirrored with the edge repeated: c b a | a b c.

    By index rather than by slices, so that pictures narrower than the border follow the rule too
    and sizes stay free in ONNX.
    """
    for axis in (2, 3):
        size = x.shape[axis]
        place = torch.arange(-border, size + border, device=x.device) % (2 * size)
        x = x.index_select(axis, torch.minimum(place, 2 * size - 1 - place))
    return x


def mirrored_to_multiple(x: Float[Tensor, "n c h w"], multiple: int) -> Float[Tensor, "n c hm wm"]:
    """Widen below and to the right by the mirrored picture until `multiple` divides both sides."""
    return mirrored_to(x, lambda size: size + -size % multiple)


def mirrored_to(
    x: Float[Tensor, "n c h w"], larger: Callable[[int], int]
) -> Float[Tensor, "n c hl wl"]:
    """Widen below and to the right to the side `larger(side)`, mirrored: a b c | c b a | a b c.

    By index and whole-number arithmetic on the sizes, which so stay free in ONNX.
    """
    for axis in (2, 3):
        size = x.shape[axis]
        place = torch.arange(larger(size), device=x.device) % (2 * size)
        x = x.index_select(axis, torch.minimum(place, 2 * size - 1 - place))
    return x


def tail_reach(steps: Sequence[tuple[int, int]]) -> int:
    """Reach in lr pixels of nearest enlargements with 3x3 convolutions behind each.

    `steps` has, in order, (factor, convolutions at that size). Followed back from all sr pixels of
    one lr pixel.
    """
    first, last = 0, prod(factor for factor, _ in steps) - 1
    for factor, convolutions in reversed(steps):
        first, last = (first - convolutions) // factor, (last + convolutions) // factor
    return max(-first, last)


def bicubic_phases(scale: int) -> np.ndarray:
    """Weights (scale, 5) of the lr pixels -2..2 around one, for each hr pixel inside it."""
    index, weight = axis_weights(5, 5 * scale, scale=scale, kernel="bicubic")
    phases = np.zeros((scale, 5))
    for phase, row in enumerate(range(2 * scale, 3 * scale)):  # the hr pixels of lr pixel 2
        np.add.at(phases[phase], index[row], weight[row])
    return phases


def reach_over_bicubic(hr_reach: int, scale: int) -> int:
    """Reach in lr pixels of layers that see `hr_reach` pixels of the bicubic enlargement.

    Not every place inside an lr pixel uses all of -2..2, so the answer is taken over all hr
    pixels that matter to one lr pixel's own.
    """
    phases = bicubic_phases(scale)
    farthest = 0
    for place in range(-hr_reach, scale + hr_reach):
        pixel, phase = divmod(place, scale)
        used = np.flatnonzero(phases[phase]) - 2
        farthest = max(farthest, -(pixel + used.min()), pixel + used.max())
    return int(farthest)
