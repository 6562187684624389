"""Stand-ins for what a loss asks for beside the two pictures, made from the pair itself."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

SCALE = 2


def _lr(_sr: Tensor, hr: Tensor) -> Tensor:
    """The target at half the size: means of 2 x 2 pixels, an odd last row or column left out."""
    return F.avg_pool2d(hr, SCALE) if min(hr.shape[2:]) >= SCALE else hr


def _scale(_sr: Tensor, _hr: Tensor) -> int:
    return SCALE


def _log_scale(_sr: Tensor, hr: Tensor) -> Tensor:
    """Spreads between 0.03 and 0.08, different in every pixel."""
    return torch.log(0.03 + 0.05 * hr.flip(2).clamp(0, 1))


def _teacher(_sr: Tensor, hr: Tensor) -> Tensor:
    """Another network's result: the target a little darker, and mirrored detail on it."""
    return 0.9 * hr + 0.05 * hr.flip(3)


def _mask(_sr: Tensor, hr: Tensor) -> Tensor:
    """(n, 1, h, w), 0.25 to 1.25."""
    return 0.25 + hr.mean(dim=1, keepdim=True)


EXTRAS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "log_scale": _log_scale,
    "lr": _lr,
    "mask": _mask,
    "scale": _scale,
    "sr_ema": _teacher,
    "teacher": _teacher,
}
