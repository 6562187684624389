"""Clipped L1: the absolute error, without the errors too small or too large to learn from."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="HolmesShuan: entry to the AIM 2020 Real Image Super-Resolution Challenge (ECCVW 2020)",
    injective=False,
    blind_to=("one level",),
    symmetric=True,
    memory=4.5,
    exceptions={
        "out_of_range": "errors above `high`, here 1, are cut off: only a raw result has such"
    },
)


def clipped_l1(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    low: float = 0.004,
    high: float = 1.0,
) -> Float[Tensor, " n"]:
    """Mean of min(max(|sr - hr|, low), high) - low per picture.

    Pixels nearer than `low` are done and pull no more: 0.004 is a little over one of 255 levels,
    so that an error of exactly one level counts as none. Those beyond `high` are taken for faults
    of the data; the authors cut at 10 levels (high=0.04) or not at all. Most published code
    leaves `low` in, a constant. Nothing trains below `low`: not alone for fine tuning.
    """
    if not 0 <= low < high:
        raise InputError(f"clipped_l1 takes 0 <= low < high, not low={low}, high={high}.")
    sr, hr = prepared(sr, hr, "clipped_l1")
    return mean_per_picture((sr - hr).abs().clamp(low, high) - low)
