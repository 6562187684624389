"""Pictures whose sides are multiples of a block's: continued by their mirror image, and back."""

import torch
from torch import Tensor


def whole_blocks(pictures: Tensor, m: int) -> Tensor:
    """Rows and columns added at the end up to a multiple of m, the mirror image of the last ones.

    The edge itself is repeated (... 8 9 | 9 8 ...), so that a picture of m pixels is enough.
    """
    for axis in (-2, -1):
        size = pictures.shape[axis]
        missing = -size % m
        if missing:
            rim = pictures.narrow(axis, size - missing, missing).flip(axis)
            pictures = torch.cat([pictures, rim], dim=axis)
    return pictures


def fold_rim(blocks: Tensor, h: int, w: int) -> Tensor:
    """The transpose of `whole_blocks`, in place: what was added goes to where it came from."""
    for axis, size in ((-1, w), (-2, h)):
        missing = blocks.shape[axis] - size
        rim = blocks.narrow(axis, size, missing)
        blocks.narrow(axis, size - missing, missing).add_(rim.flip(axis))
    return blocks[..., :h, :w]
