"""Feature distillation: inner maps of a network pulled to those of a larger one."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.distillation.maps import layers
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Romero et al.: FitNets (ICLR 2015), sec. 2.2; "
    "He, Dai, Lu, Jiang, Xia: FAKD (ICIP 2020)",
    symmetric=True,
    needs=("student_features", "teacher_features"),
    memory=10.0,
)


def feature_distillation(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    student_features: Sequence[Tensor],
    teacher_features: Sequence[Tensor],
    base: Literal["l1", "mse"] = "l1",
    normalised: bool = False,
) -> Float[Tensor, " n"]:
    """Mean over the layers of the mean of |student - teacher| per picture, or of its square.

    Both are lists of maps (n, c, ...) of equal shapes, in the same order; sr and hr are not
    looked at. Where the student is narrower, its maps go through a learned 1x1 convolution before
    they are given here. `normalised` divides the vector of channels at each place by its length
    sqrt(|v|^2 + 1e-12), so that layers with large values do not outweigh the others. No gradient
    goes to the teacher. FitNets has base "mse", FAKD "l1" of affinities.
    """
    if base not in {"l1", "mse"}:
        raise InputError(f"feature_distillation's base is one of l1, mse, not {base!r}.")
    sr, _ = prepared(sr, hr, "feature_distillation")
    values = []
    for own, other in layers(
        student_features, teacher_features, "feature_distillation", channels=True
    ):
        error = _unit(own) - _unit(other) if normalised else own - other
        size = error.square() if base == "mse" else error.abs()
        values.append(size.flatten(1).sum(dim=1) / size.shape[1:].numel())
    return torch.stack(values).mean(dim=0).to(sr.dtype)


def _unit(maps: Tensor) -> Tensor:
    return maps * (maps.square().sum(dim=1, keepdim=True) + 1e-12).rsqrt()
