"""Average colour: the error of small squares' means; places may differ within a square."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.colour.blocks import block_means
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="practice: AverageLoss of traiNNer-redux (2024)",
    injective=False,
    symmetric=True,
    degree=1,
    blind_to=("chequerboard",),
    memory=2.5,
)


def average_colour(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, size: int = 4
) -> Float[Tensor, " n"]:
    """Mean over squares of `size` pixels a side of |mean sr - mean hr| per picture.

    The squares do not overlap; where `size` does not divide a side, the last ones are narrower
    and count as much as the others. It keeps the colour of a region while an adversarial or a
    perceptual term makes the texture; size 1 is l1.
    """
    if size < 1:
        raise InputError(f"average_colour's size is a number of pixels, 1 or more, not {size}.")
    sr, hr = prepared(sr, hr, "average_colour")
    return mean_per_picture(block_means(sr - hr, size).abs())
