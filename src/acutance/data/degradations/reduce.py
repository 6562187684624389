"""The last step of many chains: to the size of lr, by one of the classic kernels."""

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage
from acutance.imaging.resample import KERNELS, resize

STAGE = Stage(
    text="To the size of lr; bicubic is MATLAB's, bit-exact on what is uint8",
    options={
        "kernel": Option("bicubic", "antialiased, or 'nearest'", choices=(*KERNELS, "nearest")),
    },
    source="MATLAB's imresize; `nearest` after a blur is the papers' BD",
)


def reduce(picture: np.ndarray, aim: Aim, *, kernel: str) -> np.ndarray:
    """(h, w, c) at `aim.size`. uint8 stays uint8, by the rule that rounds after each axis.

    `nearest` takes the pixel at the middle of the area that an lr pixel stands for, the one below
    and to the right of it where there is none: what "BD" of the papers does after its blur.
    """
    if kernel == "nearest":
        rows, columns = (
            (np.arange(n) * 2 + 1) * size // (2 * n)
            for n, size in zip(aim.size, picture.shape[:2], strict=True)
        )
        return picture[rows[:, None], columns]
    return resize(picture, size=aim.size, kernel=kernel)
