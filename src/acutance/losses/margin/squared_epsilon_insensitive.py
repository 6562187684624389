"""Squared epsilon-insensitive: the squared error beyond a margin that does not count."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Cristianini, Shawe-Taylor: Support Vector Machines (2000), sec. 6.2",
    injective=False,
    blind_to=("one level",),
    symmetric=True,
    memory=5.5,
)


def squared_epsilon_insensitive(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, s: float = 0.004
) -> Float[Tensor, " n"]:
    """Mean of max(0, |sr - hr| - s)^2 per picture, 0 where no error is above s.

    s is in the unit of the pictures: 0.004 is a little over one of 255 levels. Smooth where
    epsilon_insensitive has corners; s = 0 is mse.
    """
    if not s >= 0:
        raise InputError(f"squared_epsilon_insensitive's s must be 0 or more, not {s}.")
    sr, hr = prepared(sr, hr, "squared_epsilon_insensitive")
    return mean_per_picture(((sr - hr).abs() - s).relu().square())
