"""Resize on the way to lr, by the filters of several programs."""

from functools import lru_cache

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage
from acutance.data.degradations.filtering import Taps, along_axes
from acutance.errors import InputError
from acutance.imaging.resample import KERNELS, axis_weights

MOST_PIXELS = 2**27  # factors multiply along a chain; 1.5 GB of float32 in colour

STAGE = Stage(
    text="Resize by a factor, which a later stage may undo",
    options={
        "factor": Option(0.5, "of each side, rounded to the nearest whole one", 0.01, 8.0),
        "of": Option("picture", "whose side it multiplies", choices=("picture", "lr")),
        "kernel": Option(
            "bicubic",
            "the filter",
            choices=("bicubic", "bilinear", "area", "lanczos3", "nearest"),
        ),
        "antialias": Option(
            "yes",
            "'yes': stretched when reducing, as MATLAB does; 'no': as torch and OpenCV do",
            choices=("yes", "no"),
        ),
    },
    source="MATLAB's imresize, PyTorch's interpolate; Wang et al.: Real-ESRGAN (ICCVW 2021), "
    "sec. 3.1, whose resizes are those without antialiasing",
)


def resize(
    picture: np.ndarray, aim: Aim, *, factor: float, of: str, kernel: str, antialias: str
) -> np.ndarray:
    """(h', w', c), each side at least 1; halves are rounded up. float32, `nearest` as it came.

    Antialiased, it is `imaging.resample.resize` without rounding, with its box for `area`.
    Otherwise pixels are points at half-pixel centres: the cubic has a = -0.75, the border is the
    outermost pixel on and on, and `area` is the plain mean of every pixel that is touched.
    `nearest` takes the pixel at the middle of the area that the new one stands for.
    """
    sides = picture.shape[:2] if of == "picture" else aim.size
    size = [max(int(factor * side + 0.5), 1) for side in sides]
    if size[0] * size[1] > MOST_PIXELS:
        raise InputError(
            f"resize(factor={factor:g}) would make a picture of {size[1]}x{size[0]}, more than "
            f"{MOST_PIXELS:,} pixels. Lower the factor, or that of a stage before it."
        )
    if tuple(size) == picture.shape[:2]:
        return picture
    pairs = list(zip(picture.shape[:2], size, strict=True))
    if kernel == "nearest":
        rows, columns = ((2 * np.arange(n_out) + 1) * n_in // (2 * n_out) for n_in, n_out in pairs)
        return picture[rows[:, None], columns]
    rows, columns = (_taps(*pair, kernel, antialias == "yes") for pair in pairs)
    return along_axes(picture, rows, columns)


@lru_cache(maxsize=64)
def _taps(n_in: int, n_out: int, kernel: str, antialias: bool) -> Taps:
    if antialias:
        scale = n_out / n_in
        return axis_weights(n_in, n_out, scale=scale, kernel="box" if kernel == "area" else kernel)
    return _touched(n_in, n_out) if kernel == "area" else _points(n_in, n_out, kernel)


def _touched(n_in: int, n_out: int) -> Taps:
    """Every source pixel that the span of a new one touches, all with equal weight."""
    place = np.arange(n_out)
    first = place * n_in // n_out
    last = ((place + 1) * n_in - 1) // n_out
    index = first[:, None] + np.arange(int((last - first).max()) + 1)
    inside = index <= last[:, None]
    return np.minimum(index, last[:, None]), inside / inside.sum(axis=1, keepdims=True)


def _points(n_in: int, n_out: int, kernel: str) -> Taps:
    """The kernel in its own width, whatever is skipped between two places."""
    function, reach = {
        "bilinear": (KERNELS["bilinear"].function, 1),
        "bicubic": (_steep_cubic, 2),
        "lanczos3": (KERNELS["lanczos3"].function, 3),
    }[kernel]
    centre = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
    index = np.floor(centre).astype(np.int64)[:, None] + np.arange(1 - reach, reach + 1)
    weight = function(centre[:, None] - index)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.clip(index, 0, n_in - 1), weight


def _steep_cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic with a = -3/4, where MATLAB and Keys have -1/2."""
    x = np.abs(x)
    near = (1.25 * x - 2.25) * x * x + 1.0
    far = ((-0.75 * x + 3.75) * x - 6.0) * x + 3.0
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
