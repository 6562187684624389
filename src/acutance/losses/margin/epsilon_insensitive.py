"""Epsilon-insensitive: the absolute error beyond a margin within which any error is fine."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Vapnik: The Nature of Statistical Learning Theory (1995), sec. 6.1",
    injective=False,
    blind_to=("one level",),
    symmetric=True,
    memory=4.5,
)


def epsilon_insensitive(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, s: float = 0.004
) -> Float[Tensor, " n"]:
    """Mean of max(0, |sr - hr| - s) per picture, 0 where no error is above s.

    s is in the unit of the pictures: 0.004 is a little over one of 255 levels, so that an error
    of exactly one level counts as none. Within s there is no gradient: the rounding of the target
    is not learnt, and nor is anything finer. s = 0 is l1.
    """
    if not s >= 0:
        raise InputError(f"epsilon_insensitive's s must be 0 or more, not {s}.")
    sr, hr = prepared(sr, hr, "epsilon_insensitive")
    return mean_per_picture(((sr - hr).abs() - s).relu())
