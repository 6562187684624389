"""LDL with an averaged network: as ldl, and only where that network does better."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.edges.artifacts import artifact_map, check_window, residual, smallest_side
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Liang, Zeng, Zhang: Details or Artifacts (LDL, CVPR 2022), sec. 3.2, eqs. 2 to 6",
    injective=False,
    blind_to=("offset",),
    needs=("sr_ema",),
    min_size=4,
    min_size_for=smallest_side,
    memory=5.5,
    exceptions={
        "gradcheck": "the map is a constant for the gradient: it is the slope of an l1 with fixed "
        "weights",
        "symmetry": "it is not symmetric, but on smooth pictures the two ways differ by less than "
        "the 1e-6 that the check can tell",
    },
)


def ldl_ema(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    sr_ema: Float[Tensor, "n c h w"],
    window: int = 7,
) -> Float[Tensor, " n"]:
    """Mean of M |sr - hr| per picture, M that of `ldl` but 0 where r < r_ema.

    r = sum_c |sr - hr| and r_ema = sum_c |sr_ema - hr|, with sr_ema the result of the network
    with averaged weights for the same input: where the output is already the better of the two,
    its detail is no artifact. The variances are those of the whole r.
    """
    check_window(window, "ldl_ema")
    side = smallest_side(window=window)
    averaged, _ = prepared(sr_ema, hr, "ldl_ema", min_side=side)
    sr, hr = prepared(sr, hr, "ldl_ema", min_side=side)
    r = residual(sr, hr)
    keep = (r >= residual(averaged, hr)).to(r.dtype)
    return mean_per_picture(artifact_map(r, window) * keep * (sr - hr).abs())
