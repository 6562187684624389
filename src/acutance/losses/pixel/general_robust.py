"""General robust loss: one formula from squared errors to ones that ignore what is far off."""

import math

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Barron: A General and Adaptive Robust Loss Function (CVPR 2019), eq. 8",
    symmetric=True,
    memory=6.5,
)


def general_robust(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    alpha: float = 1.0,
    c: float = 0.1,
) -> Float[Tensor, " n"]:
    """Mean of (k / alpha) ((z / k + 1)^(alpha / 2) - 1), z = (e / c)^2, k = |alpha - 2|.

    alpha = 2 is the limit z / 2 (squared), 1 the centred charbonnier with eps = c divided by c,
    0 the limit log(z / 2 + 1) (Cauchy), -2 Geman-McClure, minus infinity the limit
    1 - exp(-z / 2) (Welsch), which an expression comes as near to as it likes with alpha=-1e9.
    The lower alpha, the less an error beyond c pulls; from 0 down it hardly does, so such a loss
    needs a good start. c is in the unit of the pictures. alpha and c are constants here: learnt,
    they need the log-normaliser of the paper's density beside them.
    """
    if not (c > 0 and alpha < math.inf):
        raise InputError(
            f"general_robust takes c above 0 and a number alpha, not c={c}, alpha={alpha}."
        )
    sr, hr = prepared(sr, hr, "general_robust")
    return mean_per_picture(_rho(((sr - hr) / c).square(), alpha))


def _rho(z: Tensor, alpha: float) -> Tensor:
    """The loss of the scaled squared error; expm1 and log1p keep the digits of small ones."""
    if alpha == 2:
        return z / 2
    if alpha == 0:
        return (z / 2).log1p()
    if alpha == -math.inf:
        return -(z / -2).expm1()
    k = abs(alpha - 2)
    return ((z / k).log1p() * (alpha / 2)).expm1() * (k / alpha)
