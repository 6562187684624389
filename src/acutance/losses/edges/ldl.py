"""LDL: absolute error where it varies from pixel to pixel, as artifacts do and true edges less."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.edges.artifacts import artifact_map, check_window, residual, smallest_side
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Liang, Zeng, Zhang: Details or Artifacts (LDL, CVPR 2022), sec. 3.2, eqs. 2 to 5",
    injective=False,
    blind_to=("offset",),
    symmetric=True,
    degree=3.4,  # 2/5 of the picture's variance, 2 of the window's, 1 of the error
    min_size=4,
    min_size_for=smallest_side,
    memory=4.5,
    exceptions={
        "gradcheck": "the map is a constant for the gradient: it is the slope of an l1 with fixed "
        "weights"
    },
)


def ldl(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, window: int = 7
) -> Float[Tensor, " n"]:
    """Mean of M |sr - hr| per picture, M = var(r)^(1/5) var_window(r), r = sum_c |sr - hr|.

    var(r) is the sample variance over the picture, var_window that over the window round each
    pixel, the border mirrored. M is a constant for the gradient; with a gradient of its own it
    would not be a number at sr == hr, where the fifth root is infinitely steep. Values are tiny
    (1e-6 to 1e-5): give it a weight of 100 to 1000. `ldl_ema` is the paper's, which also leaves
    out what the averaged network does worse.
    """
    check_window(window, "ldl")
    sr, hr = prepared(sr, hr, "ldl", min_side=smallest_side(window=window))
    return mean_per_picture(artifact_map(residual(sr, hr), window) * (sr - hr).abs())
