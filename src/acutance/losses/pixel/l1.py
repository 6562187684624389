"""L1: the mean absolute error, the plain choice for a first run."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Zhao, Gallo, Frosio, Kautz: Loss Functions for Image Restoration (TCI 2017), sec. III",
    symmetric=True,
    degree=1,
    memory=3.5,
)


def l1(sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Mean of |sr - hr| per picture, in the unit of the pictures.

    Every pixel pulls with the same force however small its error; at exactly 0 with none.
    """
    sr, hr = prepared(sr, hr, "l1")
    return mean_per_picture(F.l1_loss(sr, hr, reduction="none"))
