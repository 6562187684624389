"""Total variation: how much neighbouring pixels of the result differ; a brake on noise."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Rudin, Osher, Fatemi: Nonlinear Total Variation Based Noise Removal (Physica D 1992)",
    at_identity=None,
    injective=False,
    blind_to=("offset",),
    min_size=2,
    memory=4.5,
    exceptions={
        "minimum_at_equality": "it looks at sr alone: any flat picture has 0, whatever hr is",
        "out_of_range": "the two slopes at a pixel of a ramp cancel; nothing is clamped",
    },
)


def total_variation(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    p: int = 1,
    isotropic: bool = False,
    eps: float = 1e-3,
) -> Float[Tensor, " n"]:
    """Mean of |dx|^p plus mean of |dy|^p per picture, dx and dy between neighbours of sr.

    A ramp of slope a along one axis has the value a^p. `isotropic` takes, for p = 1, the mean of
    sqrt(dx^2 + dy^2 + eps^2) - eps, where both neighbours exist: edges of every direction cost
    the same, and eps keeps the gradient finite on flat areas. The target is not looked at.
    """
    if p not in (1, 2) or (isotropic and p == 2) or not eps > 0:
        raise InputError(
            f"total_variation knows p=1, p=2 and isotropic=True with p=1 and eps > 0, not p={p} "
            f"with isotropic={isotropic} and eps={eps}."
        )
    sr, _ = prepared(sr, hr, "total_variation", min_side=2)
    dx = sr[..., :, 1:] - sr[..., :, :-1]
    dy = sr[..., 1:, :] - sr[..., :-1, :]
    if isotropic:
        squares = dx[..., :-1, :].square() + dy[..., :, :-1].square()
        return mean_per_picture((squares + eps**2).sqrt()) - eps
    if p == 2:
        return mean_per_picture(dx.square()) + mean_per_picture(dy.square())
    return mean_per_picture(dx.abs()) + mean_per_picture(dy.abs())
