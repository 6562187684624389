"""Triplet margin: nearer to the target than to the enlarged small picture, by a margin."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.colour.resampling import resampled
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Schroff, Kalenichenko, Philbin: FaceNet (CVPR 2015), sec. 3.1, eq. 3, on pixels",
    at_identity=None,  # max(0, margin - d(hr, n))
    injective=False,
    blind_to=("sharpened",),
    needs=("lr",),
    memory=8,
    exceptions={
        "out_of_range": "a pixel above or below both hr and the enlarged lr comes as much nearer "
        "to the one as to the other: nothing pulls"
    },
)


def triplet_margin(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    lr: Float[Tensor, "n c sh sw"],
    margin: float = 0.1,
    threshold: float = 0.008,
) -> Float[Tensor, " n"]:
    """max(0, d(sr, hr) - d(sr, n) + margin) per picture, n the bicubic enlargement of lr.

    d is the mean absolute error over the values where |n - hr| > threshold: elsewhere enlarging
    is right already, and the pull away from n would be one away from the target. 0.008 is a little
    over two of 255 levels. Such a pixel is pulled from n to hr; beyond hr, and beyond n, it is
    let go, so sharpening too much costs nothing: use it beside a pixel loss. The value is 0 only
    where d(hr, n) is at least `margin`. Enlarged picture and mask are constants.
    """
    if not (margin > 0 and threshold >= 0):
        raise InputError(
            f"triplet_margin takes margin above 0 and threshold of 0 or more, not margin={margin},"
            f" threshold={threshold}."
        )
    sr, hr = prepared(sr, hr, "triplet_margin")
    if lr.shape[:2] != sr.shape[:2]:
        raise InputError(
            f"triplet_margin's lr has {lr.shape[0]} pictures of {lr.shape[1]} channels, and sr "
            f"{sr.shape[0]} of {sr.shape[1]}."
        )
    negative = resampled(lr.detach().to(sr.dtype), sr.shape[2], sr.shape[3])
    counts = ((negative - hr).abs() > threshold).to(sr.dtype)
    gain = ((sr - hr).abs() - (sr - negative).abs()) * counts
    mean = gain.sum(dim=(1, 2, 3)) / counts.sum(dim=(1, 2, 3)).clamp_min(1)
    return (mean + margin).relu()
