"""Second order: absolute error of the curvature; errors that are flat or even ramps are free."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Lysaker, Lundervold, Tai: Noise Removal Using Fourth-Order Partial Differential "
    "Equation (TIP 2003), for |second differences|; as a loss, practice",
    injective=False,
    blind_to=("offset", "plane"),
    symmetric=True,
    degree=1,
    min_size=3,
    memory=5.5,
)


def second_order(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """A third of <|dxx e|> + <|dxy e|> + <|dyy e|> per picture, e = sr - hr.

    dxx = e(x-1) - 2 e(x) + e(x+1), dyy likewise, and dxy the difference of differences over
    2 x 2 pixels, each where all its pixels are.
    """
    sr, hr = prepared(sr, hr, "second_order", min_side=3)
    error = sr - hr
    dxx, dyy = error.diff(n=2, dim=3), error.diff(n=2, dim=2)
    dxy = error.diff(dim=3).diff(dim=2)
    xx, xy, yy = (mean_per_picture(second.abs()) for second in (dxx, dxy, dyy))
    return (xx + xy + yy) / 3
