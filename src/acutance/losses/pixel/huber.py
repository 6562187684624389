"""Huber: squared for small errors, absolute for large ones."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Huber: Robust Estimation of a Location Parameter (Ann. Math. Stat. 1964), sec. 3",
    symmetric=True,
    memory=1.5,
)


def huber(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, delta: float = 0.01
) -> Float[Tensor, " n"]:
    """Mean of e^2 / 2 where |e| <= delta, of delta (|e| - delta / 2) elsewhere, per picture.

    delta is in the unit of the pictures: 0.01 is two and a half of 255 levels. The 1 that other
    fields use would make it half a squared error for every picture in [0, 1].
    """
    if not delta > 0:
        raise InputError(f"huber's delta must be above 0, not {delta}.")
    sr, hr = prepared(sr, hr, "huber")
    return mean_per_picture(F.huber_loss(sr, hr, delta=delta, reduction="none"))
