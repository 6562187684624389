"""Changes of a picture that some losses do not see; a contract names them in `blind_to`."""

from collections.abc import Callable

import torch
from torch import Tensor


def _offset(hr: Tensor) -> Tensor:
    return hr + 0.1


def _plane(hr: Tensor) -> Tensor:
    """Brighter from left to right and from top to bottom, by the same step everywhere."""
    y, x = (torch.arange(side, dtype=hr.dtype, device=hr.device) for side in hr.shape[2:])
    return hr + 1e-3 * (y[:, None] + x)


def _chroma(hr: Tensor) -> Tensor:
    """Another colour of the same luma (BT.601)."""
    weights = (0.299, 0.587, 0.114)
    shift = hr.new_tensor([0.05 / weights[0], 0.05 / weights[1], -0.1 / weights[2]]) / 8
    return hr + shift[:, None, None]


def _luma(hr: Tensor) -> Tensor:
    """The same amount on all channels, another in every pixel: Cb and Cr stay."""
    return hr + 0.1 * (hr.mean(dim=1, keepdim=True) - 0.5)


def _permutation(hr: Tensor) -> Tensor:
    """The same pixels in other places."""
    generator = torch.Generator().manual_seed(13)
    order = torch.randperm(hr.shape[2] * hr.shape[3], generator=generator).to(hr.device)
    return hr.flatten(2)[..., order].view_as(hr)


def _circular_shift(hr: Tensor) -> Tensor:
    return torch.roll(hr, (5, 3), dims=(2, 3))


def _inversion(hr: Tensor) -> Tensor:
    return 1 - hr


def _gain(hr: Tensor) -> Tensor:
    return 0.8 * hr


# name: (what it does, in words; the picture that the loss takes for hr)
BLIND: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "chroma": ("another colour of the same luma", _chroma),
    "circular shift": ("the picture moved, its edges wrapped round", _circular_shift),
    "gain": ("all values times 0.8", _gain),
    "inversion": ("the negative", _inversion),
    "luma": ("another brightness with the same Cb and Cr", _luma),
    "offset": ("all values plus 0.1", _offset),
    "permutation": ("the same pixels in other places", _permutation),
    "plane": ("brighter towards one corner, evenly", _plane),
}
