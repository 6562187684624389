"""Mean colour: the tint of the whole picture, a brake on a slow drift of colour."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="practice, after Buchsbaum: A Spatial Processor Model (J. Franklin Institute 1980)",
    injective=False,
    symmetric=True,
    degree=1,
    blind_to=("permutation",),
    memory=1.5,
)


def mean_colour(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean over the channels of |mean sr - mean hr| per picture; an offset d costs |d|."""
    sr, hr = prepared(sr, hr, "mean_colour")
    return (sr - hr).mean(dim=(2, 3)).abs().mean(dim=1)
