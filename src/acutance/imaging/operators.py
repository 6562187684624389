"""The resampling and colour of this folder for tensors: differentiable, on any device.

Pictures are (n, c, h, w) in [0, 1]. Weights and constants are those of resample.py and colour.py.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.imaging.colour import LUMA_OFFSET, LUMA_WEIGHTS, YCBCR_OFFSETS, YCBCR_WEIGHTS
from acutance.imaging.colour import rgb_weights as _rgb_weights
from acutance.imaging.resample import AxisPlan, Scale, axis_weights, plan_axes

_LARGEST_CACHED = 2**22  # entries of a matrix: 16 MiB in float32


def resize(
    x: Float[Tensor, "n c h w"],
    *,
    scale: Scale | None = None,
    size: tuple[int, int] | None = None,
    kernel: str = "bicubic",
) -> Float[Tensor, "n c sh sw"]:
    """Resize by `scale` or to `size` (h, w): R x C^T with one dense matrix for each axis.

    The linear map of resample.resize for floating point: no clip, no rounding. Half precision is
    computed in float32 and given back as it came.
    """
    rows, columns = plan_axes(tuple(x.shape[-2:]), scale=scale, size=size)
    return _apply(x, (rows, columns), kernel=kernel, transposed=False)


def resize_adjoint(
    y: Float[Tensor, "n c sh sw"],
    *,
    size: tuple[int, int],
    scale: Scale | None = None,
    kernel: str = "bicubic",
) -> Float[Tensor, "n c h w"]:
    """The transpose A' of A = resize: <A x, y> = <x, A' y> for every x of `size` (h, w).

    `scale` is that of A, or None where A was given the size of y.
    """
    target = tuple(y.shape[-2:])
    if scale is None:
        rows, columns = plan_axes(size, scale=None, size=(target[0], target[1]))
    else:
        rows, columns = plan_axes(size, scale=scale, size=None)
    if (rows.n_out, columns.n_out) != target:
        raise InputError(
            f"A picture of {size[1]}x{size[0]} resized by {scale} is "
            f"{columns.n_out}x{rows.n_out}, not {target[1]}x{target[0]}."
        )
    return _apply(y, (rows, columns), kernel=kernel, transposed=True)


def luma(rgb: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 h w"]:
    """Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255, in 16/255 to 235/255."""
    return _mix(rgb, LUMA_WEIGHTS, times=1 / 255) + LUMA_OFFSET / 255.0


def rgb_to_ycbcr(rgb: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """colour.rgb_to_ycbcr for pictures in [0, 1]: all three results divided by 255."""
    planes = [
        _mix(rgb, weights, times=1 / 255) + offset / 255.0
        for weights, offset in zip(YCBCR_WEIGHTS, YCBCR_OFFSETS, strict=True)
    ]
    return torch.cat(planes, dim=1)


def ycbcr_to_rgb(ycbcr: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """The inverse of `rgb_to_ycbcr`; not clipped."""
    planes = []
    for weights in _rgb_weights():
        shift = sum(w * o for w, o in zip(weights, YCBCR_OFFSETS, strict=True))
        planes.append(_mix(ycbcr, weights, times=255) - shift)
    return torch.cat(planes, dim=1)


def _mix(
    x: Float[Tensor, "n 3 h w"], weights: tuple[float, ...], *, times: float
) -> Float[Tensor, "n 1 h w"]:
    a, b, c = (weight * times for weight in weights)
    return x[:, 0:1] * a + x[:, 1:2] * b + x[:, 2:3] * c


def _apply(x: Tensor, plans: tuple[AxisPlan, AxisPlan], *, kernel: str, transposed: bool) -> Tensor:
    """Both matrix products, in the order that keeps the picture between them small."""
    dtype = x.dtype if x.dtype == torch.float64 else torch.float32
    with torch.autocast(x.device.type, enabled=False):  # it would round to bfloat16
        y = x.to(dtype)
        down, across = (_weights(plan, kernel, dtype=dtype, device=x.device) for plan in plans)
        if transposed:
            down, across = down.mT, across.mT
        rows_first = down.shape[0] * across.shape[1] <= across.shape[0] * down.shape[1]
        y = (down @ y) @ across.mT if rows_first else down @ (y @ across.mT)
    return y.to(x.dtype)


def _weights(plan: AxisPlan, kernel: str, *, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The (n_out, n_in) matrix of one axis; small ones are kept."""
    make = _kept_matrix if plan.n_in * plan.n_out <= _LARGEST_CACHED else _matrix
    return make(plan, kernel, dtype=dtype, device=device)


def _matrix(plan: AxisPlan, kernel: str, *, dtype: torch.dtype, device: torch.device) -> Tensor:
    index, weight = axis_weights(plan.n_in, plan.n_out, scale=plan.scale, kernel=kernel)
    dense = np.zeros((plan.n_out, plan.n_in))
    # added, not assigned: mirroring lets several taps of a row meet on one sample
    np.add.at(dense, (np.arange(plan.n_out)[:, None], index), weight)
    with torch.inference_mode(False):  # a matrix made within it could not serve training later
        return torch.from_numpy(dense).to(device=device, dtype=dtype)


_kept_matrix = lru_cache(maxsize=64)(_matrix)
