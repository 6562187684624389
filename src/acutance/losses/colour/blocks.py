"""Means of squares that cover a picture."""

from torch import Tensor
from torch.nn import functional as F


def block_means(planes: Tensor, size: int) -> Tensor:
    """Means of squares of `size` pixels a side; those at the right and lower edge may be cut."""
    return F.avg_pool2d(planes, size, ceil_mode=True, count_include_pad=False)
