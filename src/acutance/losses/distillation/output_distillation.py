"""Output distillation: the result of a larger network is the target."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared
from acutance.losses.pixel.charbonnier import charbonnier
from acutance.losses.pixel.l1 import l1
from acutance.losses.pixel.mse import mse

CONTRACT = Contract(
    source="Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network (2015), sec. 2",
    at_identity=None,
    needs=("teacher",),
    memory=3.5,
    exceptions={
        "minimum_at_equality": "it does not look at hr: least where sr is the teacher's result",
        "descends": "it leads to the teacher's result, and only as near to hr as that is",
    },
)
BASES = {"l1": l1, "mse": mse, "charbonnier": charbonnier}


def output_distillation(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    teacher: Float[Tensor, "n c h w"],
    base: Literal["l1", "mse", "charbonnier"] = "l1",
) -> Float[Tensor, " n"]:
    """Mean of |sr - teacher| per picture, or of what `base` says; the target is not looked at.

    `teacher` is a larger network's result for the same input; no gradient goes to it. Smoother
    than hr, it holds only what can be known from the input, which is what a small network can
    learn.
    """
    if base not in BASES:
        raise InputError(f"output_distillation's base is one of {', '.join(BASES)}, not {base!r}.")
    prepared(sr, hr, "output_distillation")
    return BASES[base](*prepared(sr, teacher, "output_distillation's teacher term"))
