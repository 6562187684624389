"""Samples of one depth as those of another: uint8, uint16 and float32 in 0..1."""

import numpy as np

_TOP = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def white_of(dtype: np.dtype) -> float:
    """The value of white."""
    return float(_TOP.get(dtype, 1))


def as_depth(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`values` (uint8, uint16 or float32, any shape) as `dtype`, rounded to the nearest level.

    Between 8 and 16 bits the factor is 257, so that black and white stay black and white and 8
    bits come back unchanged. Floats become integers clipped to 0..1; NaN becomes 0.
    """
    if values.dtype == dtype:
        return values
    if dtype.kind == "f":
        return values.astype(np.float32) / np.float32(_TOP[values.dtype])
    if values.dtype.kind == "f":
        unit = np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0)
        return (unit * np.float32(_TOP[dtype]) + np.float32(0.5)).astype(dtype)
    if dtype == np.uint16:
        return values.astype(np.uint16) * np.uint16(257)
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
