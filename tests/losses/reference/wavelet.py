"""Haar bands block by block, from the four pixels of each."""

import numpy as np
from tests.losses.reference.linear import Bands


def haar(pixels: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The approximation, and details across, down and both ways, of one orthonormal level."""
    p, q = pixels[..., ::2, ::2], pixels[..., ::2, 1::2]
    r, s = pixels[..., 1::2, ::2], pixels[..., 1::2, 1::2]
    return (p + q + r + s) / 2, [(p - q + r - s) / 2, (p + q - r - s) / 2, (p - q - r + s) / 2]


def bands(error: np.ndarray, *, levels: int = 3, weights: tuple[float, ...] = ()) -> Bands:
    """<|D_1|> .. <|D_levels|>, <|A|> with their shares; odd sides are mirrored at the end."""
    shares = np.array(weights or (1.0,) * (levels + 1))
    shares = shares / shares.sum()
    h, w = (-side % 2**levels for side in error.shape[2:])
    rest = np.pad(error, ((0, 0), (0, 0), (0, h), (0, w)), mode="symmetric")
    found: Bands = []
    for share in shares[:-1]:
        rest, details = haar(rest)
        found += [(share / 3, detail) for detail in details]
    return [*found, (shares[-1], rest)]
