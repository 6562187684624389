"""Range penalty: how far values of the result lie below black or above white."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="practice; the one-sided (hinge) penalty of constrained optimisation",
    injective=False,
    blind_to=("inversion",),
    memory=3.5,
    exceptions={
        "symmetry": "it looks at sr alone and so is not symmetric, but is 0 both ways for pictures "
        "in [0, 1]"
    },
)


def range_penalty(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """Mean of max(-sr, 0) + max(sr - 1, 0) per picture: 0 for values in [0, 1].

    What a clamp before saving would hide, without the clamp's lack of a gradient. The target is
    not looked at: use it beside a loss that does.
    """
    sr, _ = prepared(sr, hr, "range_penalty")
    return mean_per_picture((-sr).relu() + (sr - 1).relu())
