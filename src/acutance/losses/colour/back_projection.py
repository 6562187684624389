"""Back-projection: what of the low-resolution picture is lost, seen at full size."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.colour.lr_consistency import reduction_error
from acutance.losses.colour.resampling import resampled
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Irani, Peleg: Improving Resolution by Image Registration (CVGIP 1991), sec. 3; "
    "Haris, Shakhnarovich, Ukita: DBPN (CVPR 2018)",
    injective=False,
    symmetric=True,
    degree=1,
    needs=("lr",),
    min_size=2,
    multiple=2,
    blind_to=("null space",),
    memory=3.5,
)


def back_projection(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    lr: Float[Tensor, "n c sh sw"],
) -> Float[Tensor, " n"]:
    """Mean of |up(down(sr) - lr)| per picture; the target is not looked at.

    up(down(sr) - lr) is the correction that iterative back-projection takes off sr, so the value
    is the mean length of its next step, at full size. down and up are MATLAB's bicubic resampling
    by the scale that the two sizes have. Blind to what down does not pass, as lr_consistency is;
    neighbouring errors of opposite sign cost less here, for up blurs them together.
    """
    sr, _ = prepared(sr, hr, "back_projection", min_side=2)
    error = reduction_error(sr, lr, "back_projection")
    return mean_per_picture(resampled(error, *sr.shape[2:]).abs())
