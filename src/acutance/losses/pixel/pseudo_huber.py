"""Pseudo-Huber: squared for small errors, absolute for large ones, smooth in between."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Charbonnier et al.: Deterministic Edge-Preserving Regularization (TIP 1997), table I; "
    "Song, Dhariwal: Improved Techniques for Training Consistency Models (ICLR 2024), sec. 3.3",
    symmetric=True,
    memory=8.5,
)


def pseudo_huber(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, delta: float = 0.03
) -> Float[Tensor, " n"]:
    """Mean of delta^2 (sqrt(1 + (e / delta)^2) - 1) per picture.

    About e^2 / 2 well below delta and delta |e| well above it; delta times the centred
    charbonnier with eps = delta. delta is in the unit of the pictures. Written as
    e^2 / (1 + root), which loses no digits where the root is close to 1.
    """
    if not delta > 0:
        raise InputError(f"pseudo_huber's delta must be above 0, not {delta}.")
    sr, hr = prepared(sr, hr, "pseudo_huber")
    square = (sr - hr).square()
    return mean_per_picture(square / ((square / delta**2 + 1).sqrt() + 1))
