"""Changes of a picture that some losses do not see; a contract names them in `blind_to`."""

from collections.abc import Callable

import torch
from torch import Tensor

from acutance.imaging.operators import resize
from acutance.losses.contract import Contract
from acutance.losses.pixel.weight_maps import edges
from acutance.losses.proof.pictures import target_levels
from acutance.losses.proof.probe import Function, side, unrelated


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


def _channel_order(hr: Tensor) -> Tensor:
    return hr.flip(1)


def _chequerboard(hr: Tensor) -> Tensor:
    """More and less on neighbouring pixels: the means of even squares stay."""
    y, x = (torch.arange(side, device=hr.device) for side in hr.shape[2:])
    return hr + 0.05 * (1 - 2 * ((y[:, None] + x) % 2)).to(hr.dtype)


def _null_space(hr: Tensor) -> Tensor:
    """Stripes less what the bicubic reduction by 2 passes of them: the reduced picture stays."""
    h = hr.shape[2]
    columns = torch.eye(h, dtype=torch.float64)[None, None]
    reduction = resize(columns, size=(h // 2, h))[0, 0]
    stripes = 1.0 - 2.0 * (torch.arange(h, dtype=torch.float64) % 2)
    unseen = stripes - torch.linalg.pinv(reduction) @ (reduction @ stripes)
    return hr + 0.05 * unseen[:, None].to(hr)


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


def _flat_parts(hr: Tensor) -> Tensor:
    """Brighter where the picture has no edges; everything else stays."""
    return hr + 0.1 * (edges(hr) == 0)


def _one_level(hr: Tensor) -> Tensor:
    """Pixels by turns one of 255 levels up and down."""
    y, x = (torch.arange(side, device=hr.device) for side in hr.shape[2:])
    return hr + ((y[:, None] + x) % 2 * 2 - 1).to(hr.dtype) / 255


def _sharpened(hr: Tensor) -> Tensor:
    """Half as much again of what the enlarged small picture lacks."""
    h, w = hr.shape[2:]
    small = resize(hr, size=(h // 2, w // 2))
    return hr + 0.5 * (hr - resize(small, size=(h, w)))


def _mirrored_blocks(hr: Tensor) -> Tensor:
    """Each whole block of 16 x 16 pixels mirrored, left to right."""
    h, w = (side // 16 * 16 for side in hr.shape[2:])
    changed = hr.clone()
    changed[..., :h, :w] = hr[..., :h, :w].unflatten(3, (-1, 16)).flip(4).flatten(3)
    return changed


# name: (what it does, in words; the picture that the loss takes for hr)
BLIND: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "channel order": ("the same channels in another order", _channel_order),
    "chequerboard": ("every other pixel brighter, the rest darker", _chequerboard),
    "chroma": ("another colour of the same luma", _chroma),
    "circular shift": ("the picture moved, its edges wrapped round", _circular_shift),
    "flat parts": ("brighter where there are no edges", _flat_parts),
    "gain": ("all values times 0.8", _gain),
    "inversion": ("the negative", _inversion),
    "luma": ("another brightness with the same Cb and Cr", _luma),
    "mirrored blocks": ("each block of 16 x 16 pixels mirrored", _mirrored_blocks),
    "null space": ("detail that bicubic reduction by 2 does not pass", _null_space),
    "offset": ("all values plus 0.1", _offset),
    "one level": ("one of 255 levels up and down by turns", _one_level),
    "permutation": ("the same pixels in other places", _permutation),
    "plane": ("brighter towards one corner, evenly", _plane),
    "sharpened": ("more of what bicubic enlargement lacks", _sharpened),
}


def unseen(loss: Function, contract: Contract) -> tuple[str, ...]:
    """Changes that cost nothing, beside unrelated pictures too: a small loss is not a blind one."""
    hr = torch.from_numpy(target_levels(2, 3, *side(contract)) / 255.0)
    equal = loss(hr, hr)
    strong = (loss(*unrelated(contract, torch.float64)) - equal).abs().min().item()
    limit = min(1e-5, 1e-6 * strong)
    changed = {name: change(hr) for name, (_, change) in BLIND.items()}
    return tuple(
        name
        for name, sr in changed.items()
        if (sr - hr).abs().mean() > 1e-3 and ((loss(sr, hr) - equal).abs() <= limit).all()
    )
