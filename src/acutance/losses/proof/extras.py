"""Stand-ins for what a loss asks for beside the two pictures, made from the pair itself."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.colour.resampling import resampled

SCALE = 2


def _wide(pictures: Tensor) -> Tensor:
    """float32 at least, as a network's own outputs are in the loss."""
    return pictures.to(torch.promote_types(pictures.dtype, torch.float32))


def _lr(_sr: Tensor, hr: Tensor) -> Tensor:
    """The target at half the size as the data has it; an odd last row or column is left out."""
    h, w = (side // SCALE for side in hr.shape[2:])
    whole = _wide(hr)[..., : h * SCALE, : w * SCALE]
    return resampled(whole, h, w) if min(h, w) > 0 else _wide(hr)


def _scale(_sr: Tensor, _hr: Tensor) -> int:
    return SCALE


def _log_scale(_sr: Tensor, hr: Tensor) -> Tensor:
    """Spreads between 0.03 and 0.08, different in every pixel."""
    return torch.log(0.03 + 0.05 * _wide(hr).flip(2).clamp(0, 1))


def _log_prob(sr: Tensor, hr: Tensor) -> Tensor:
    """Of the target, value by value, under bells around sr as wide as `log_scale` says."""
    log_scale = _log_scale(sr, hr)
    ratio = (_wide(sr) - _wide(hr)) * (-log_scale).exp()
    return -ratio.square() / 2 - log_scale - math.log(2 * math.pi) / 2


def _logits(sr: Tensor, hr: Tensor) -> Tensor:
    """Of 64 levels: a bell around sr, a quarter as wide as `log_scale` says."""
    levels = torch.arange(64, dtype=_wide(sr).dtype, device=sr.device).view(64, 1, 1, 1) / 63
    narrow = 16 * (-2 * _log_scale(sr, hr)).exp()
    return (_wide(sr)[:, None] - levels).square() * (-narrow / 2)[:, None]


def _mixture(sr: Tensor, hr: Tensor) -> Tensor:
    """Two bells around sr, a narrow and a wide one, whose channels lean on those before."""
    sr, hr = _wide(sr), _wide(hr)
    log_scale = _log_scale(sr, hr)
    lean = math.tanh(0.3)
    levels = (hr.clamp(0, 1) * 255).round() / 255 - 0.5
    mean = sr - lean * (levels.cumsum(dim=1) - levels)
    slope = torch.full_like(hr[:, :1], 0.3).expand(-1, hr.shape[1] * (hr.shape[1] - 1) // 2, -1, -1)
    bells = [
        torch.cat([torch.full_like(hr[:, :1], share), mean, log_scale - narrower, slope], dim=1)
        for share, narrower in ((0.4, 2.0), (0.0, 1.0))
    ]
    return torch.stack(bells, dim=1)


def _teacher(_sr: Tensor, hr: Tensor) -> Tensor:
    """Another network's result: the target a little darker, and mirrored detail on it."""
    return 0.9 * _wide(hr) + 0.05 * _wide(hr).flip(3)


def _features(pictures: Tensor) -> list[Tensor]:
    """Two layers of a simple network: the picture and its square; means of 2 x 2 and their sum."""
    fine = torch.cat([_wide(pictures), _wide(pictures).square()], dim=1)
    small = F.avg_pool2d(_wide(pictures), SCALE, ceil_mode=True, count_include_pad=False)
    return [fine, torch.cat([small, small.sum(dim=1, keepdim=True)], dim=1)]


def _student_features(sr: Tensor, _hr: Tensor) -> list[Tensor]:
    return _features(sr)


def _teacher_features(_sr: Tensor, hr: Tensor) -> list[Tensor]:
    return _features(hr)


def _mask(_sr: Tensor, hr: Tensor) -> Tensor:
    """(n, 1, h, w), 0.25 to 1.25."""
    return 0.25 + hr.mean(dim=1, keepdim=True)


EXTRAS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "log_prob": _log_prob,
    "log_scale": _log_scale,
    "logits": _logits,
    "lr": _lr,
    "mask": _mask,
    "mixture": _mixture,
    "scale": _scale,
    "sr_ema": _teacher,
    "student_features": _student_features,
    "teacher": _teacher,
    "teacher_features": _teacher_features,
}

# What a network gives in place of a picture: the loss looks at these and not at sr, so the
# gradient goes through them.
DIFFERENTIABLE = frozenset({"log_prob", "logits", "mixture", "student_features"})
