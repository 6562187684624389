"""Histogram: which values occur and how often, wherever they are."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.distribution.soft_histogram import soft_histogram
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Ustinova, Lempitsky: Learning Deep Embeddings with Histogram Loss (NIPS 2016), sec. 3; "
    "Afifi, Brubaker, Brown: HistoGAN (CVPR 2021)",
    injective=False,
    symmetric=True,
    blind_to=("permutation",),
    memory=3.5,
)


def histogram(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    bins: int = 64,
    cumulative: bool = True,
) -> Float[Tensor, " n"]:
    """Mean over the channels of the distance of two soft histograms per picture.

    With s and t the shares of `bins` values 0 to 1, the distance is the earth mover's, the sum of
    |cumsum(s - t)| / (bins - 1): an offset d costs |d|. Without `cumulative` it is half the sum
    of |s - t|, in [0, 1], which says how much differs but pulls no value across an empty bin.
    Values are shared between neighbouring bins (Ustinova's triangles of one bin's width), and
    outside [0, 1] go on along the outermost bins, where a clamp would take their slope.
    """
    if bins < 2:
        raise InputError(f"histogram needs at least 2 bins, not {bins}.")
    sr, hr = prepared(sr, hr, "histogram")
    surplus = soft_histogram(sr, bins) - soft_histogram(hr, bins)
    if not cumulative:
        return surplus.abs().sum(dim=2).mean(dim=1) / 2
    # a sum under a triangle: torch's cumsum has no fixed order on a GPU
    below = torch.ones(bins, bins, dtype=sr.dtype, device=sr.device).tril()
    carried = (surplus[:, :, None, :] * below).sum(dim=3)
    return carried.abs().sum(dim=2).mean(dim=1) / (bins - 1)
