"""The brightness of colour pictures in one channel, for losses on it."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.imaging.colour import LUMA_OFFSET, LUMA_WEIGHTS

# Weights of R, G, B and what is added, for pictures in [0, 1].
MATRICES = {
    "bt601": (tuple(weight / 255 for weight in LUMA_WEIGHTS), LUMA_OFFSET / 255),
    "full": ((0.299, 0.587, 0.114), 0.0),
}


def luma(rgb: Float[Tensor, "n c h w"], matrix: str, loss: str) -> Float[Tensor, "n 1 h w"]:
    """Y of each pixel: "bt601" in 16/255 to 235/255, as papers score, or "full" in 0 to 1.

    Raises InputError that names `loss` for other than three channels.
    """
    if matrix not in MATRICES:
        raise InputError(f"{loss}'s matrix is one of {', '.join(MATRICES)}, not {matrix!r}.")
    if rgb.shape[1] != 3:
        raise InputError(
            f"{loss} needs pictures of 3 channels, R, G and B; these have {rgb.shape[1]}."
        )
    (r, g, b), offset = MATRICES[matrix]
    return rgb[:, 0:1] * r + rgb[:, 1:2] * g + rgb[:, 2:3] * b + offset
