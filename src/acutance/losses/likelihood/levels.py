"""The levels at which a picture is stored, for losses that give each a probability."""

from torch import Tensor


def nearest_level(hr: Tensor, levels: int) -> Tensor:
    """The level 0..levels - 1 that is stored for a value in [0, 1], in the type of `hr`."""
    return (hr * (levels - 1)).round().clamp(0, levels - 1)
