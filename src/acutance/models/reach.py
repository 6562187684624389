"""How far a pixel matters in a network that does not say so: measured with the weights it has."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from acutance.models.spread import picture_of

LENGTHS = (16, 64, 256, 512)  # lr pixels to each side of the disturbed one, one after the other
LARGEST_WORK = 1e11  # multiplications; some ten seconds in float64
SIDES = (1, 8, 32)  # lr pixels across the strip: the smallest that the network takes
PROOF_CUTS = (1, 2, 3)  # multiples of the network's `multiple`, at which a strip is cut
PROOF_TOLERANCE = 1e-9  # of the largest value, in float64

_REFUSALS = (RuntimeError, ValueError, IndexError, TypeError)  # of sizes, of NaN, of float64


def measured_reach(network: nn.Module) -> int | None:
    """The reach of `network` in lr pixels; None where every pixel matters or it is not proved.

    One lr pixel (a block of `network.multiple`) of a narrow strip is made NaN, which every layer
    hands on to all that it reaches, whatever the weights and however weak the influence. In
    float64, whose convolutions are plain sums: faster ones mix neighbours. Fixed weights of 0 hand
    NaN on too, so that the answer may be a little too large, never too small.

    Then a strip is cut and the piece must give what the whole gives: networks whose windows or
    pooling depend on where a picture begins fail here.
    """
    copy = deepcopy(network).double().eval()
    with torch.inference_mode():
        reaches = [_along(copy, axis) for axis in (2, 3)]
    known = [reach for reach in reaches if reach is not None]
    return max(known) if len(known) == len(reaches) else None


def _along(network: nn.Module, axis: int) -> int | None:
    for side in SIDES:
        try:
            network(_strip(network, axis, side=side, length=2 * side))
        except _REFUSALS:
            continue
        try:
            reach = _spread_of_nan(network, axis, side)
            proved = reach is not None and _cut_equals_whole(network, axis, side, reach)
        except _REFUSALS:
            return None
        return reach if proved else None
    return None


def _spread_of_nan(network: nn.Module, axis: int, side: int) -> int | None:
    """lr pixels that NaN covers to the farther side, rounded up to blocks; None beyond LENGTHS."""
    multiple, scale = _multiple(network), int(network.scale)  # pyright: ignore
    parameters = sum(p.numel() for p in network.parameters())
    for half in LENGTHS:
        blocks = -(-half // multiple)
        length = (2 * blocks + 1) * multiple
        if parameters * side * length > LARGEST_WORK:
            return None
        lr = _strip(network, axis, side=side, length=length)
        lr.narrow(axis, blocks * multiple, multiple).fill_(torch.nan)
        marked = picture_of(network(lr)).isnan().any(dim=1).any(dim=0).any(dim=3 - axis)
        places = marked.nonzero().flatten()
        if not len(places):  # nothing of the pixel arrives, or the network hides NaN: the cut tells
            return 0
        first, last = int(places.min()) // scale, int(places.max()) // scale
        if first > 0 and last < length - 1:
            farther = max(blocks - first // multiple, last // multiple - blocks)
            return farther * multiple
    return None


def _cut_equals_whole(network: nn.Module, axis: int, side: int, reach: int) -> bool:
    """Whether pieces of a strip, cut at both ends, give what the whole gives beyond the reach."""
    multiple, scale = _multiple(network), int(network.scale)  # pyright: ignore
    blocks = reach // multiple + max(PROOF_CUTS) + 4
    length = multiple * blocks
    lr = _strip(network, axis, side=side, length=length)
    whole = picture_of(network(lr))
    allowed = PROOF_TOLERANCE * float(whole.abs().max())
    for cut in (multiple * place for place in PROOF_CUTS):
        kept = length - cut - reach
        right = picture_of(network(lr.narrow(axis, cut, length - cut)))
        left = picture_of(network(lr.narrow(axis, 0, length - cut)))
        tail = (length - kept) * scale, kept * scale
        same_right = right.narrow(axis, reach * scale, kept * scale) - whole.narrow(axis, *tail)
        same_left = left.narrow(axis, 0, kept * scale) - whole.narrow(axis, 0, kept * scale)
        if max(float(same_right.abs().max()), float(same_left.abs().max())) > allowed:
            return False
    return True


def _strip(network: nn.Module, axis: int, *, side: int, length: int) -> Tensor:
    """A random picture (1, c, h, w) in [0, 1], `length` along `axis` and `side` across."""
    size = [1, int(network.channels), side, side]  # pyright: ignore
    size[axis] = length
    return torch.rand(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _multiple(network: nn.Module) -> int:
    return int(getattr(network, "multiple", 1))
