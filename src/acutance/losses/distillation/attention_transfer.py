"""Attention transfer: where a network is active has to be where a larger one is."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.distillation.maps import layers
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Zagoruyko, Komodakis: Paying More Attention to Attention (ICLR 2017), sec. 3.1",
    injective=False,
    symmetric=True,
    needs=("student_features", "teacher_features"),
    blind_to=("channel order",),
    memory=9.5,
)


def attention_transfer(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    student_features: Sequence[Tensor],
    teacher_features: Sequence[Tensor],
) -> Float[Tensor, " n"]:
    """Mean over the layers of |q(student) - q(teacher)| per picture, each q of length 1.

    q is the sum of the squares over the channels at each place, as a vector over the places
    divided by sqrt(|q|^2 + 1e-12); |.| is the length, in 0 to sqrt(2). Maps are (n, c, ...); the
    numbers of channels may differ, those of places not. sr and hr are not looked at. The paper's
    code has the mean over the places of the squared difference instead, whose size falls with the
    number of places.
    """
    sr, _ = prepared(sr, hr, "attention_transfer")
    values = [
        _length(_attention(own) - _attention(other))
        for own, other in layers(
            student_features, teacher_features, "attention_transfer", channels=False
        )
    ]
    return torch.stack(values).mean(dim=0).to(sr.dtype)


def _attention(maps: Tensor) -> Tensor:
    energy = maps.square().sum(dim=1).flatten(1)
    return energy * (energy.square().sum(dim=1, keepdim=True) + 1e-12).rsqrt()


def _length(vectors: Tensor) -> Tensor:
    """The root has no slope at 0; it is given 0."""
    squares = vectors.square().sum(dim=1)
    some = squares > 0
    return torch.where(some, torch.where(some, squares, 1.0).sqrt(), 0.0)
