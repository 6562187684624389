"""Log-cosh: squared for small errors, absolute for large ones, by the hyperbolic cosine."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Green: Bayesian Reconstructions from Emission Tomography Data (TMI 1990)",
    symmetric=True,
    memory=6.5,
)


def log_cosh(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, scale: float = 1.0
) -> Float[Tensor, " n"]:
    """Mean of scale * log cosh(e / scale) per picture.

    About e^2 / (2 scale) well below `scale` and |e| - scale log 2 well above it. At the usual
    scale of 1 every error of a picture in [0, 1] is small and this is half the squared error, to
    a tenth of a per cent: give 0.02 or so for absolute errors. Written without cosh, which
    overflows float32 at 89: log cosh a = |a| + log(1 + (exp(-2 |a|) - 1) / 2).
    """
    if not scale > 0:
        raise InputError(f"log_cosh's scale must be above 0, not {scale}.")
    sr, hr = prepared(sr, hr, "log_cosh")
    a = (sr - hr).abs() / scale
    return scale * mean_per_picture(a + (a * -2).expm1().div(2).log1p())
