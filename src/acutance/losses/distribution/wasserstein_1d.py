"""Wasserstein 1-D: how far values have to move to become the target's, wherever they are."""

from jaxtyping import Float
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Villani: Topics in Optimal Transportation (2003), sec. 2.2; Rabin et al. (SSVM 2011)",
    injective=False,
    symmetric=True,
    blind_to=("permutation",),
    memory=7.0,
)


def wasserstein_1d(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """Mean of |sort(sr) - sort(hr)| per picture, each channel sorted by itself.

    The exact earth mover's distance between the values of the two pictures, in their unit: an
    offset d costs |d|, another order of the pixels nothing.
    """
    sr, hr = prepared(sr, hr, "wasserstein_1d")
    ordered = sr.flatten(2).sort(dim=2, stable=True).values
    wanted = hr.flatten(2).sort(dim=2).values
    return (ordered - wanted).abs().sum(dim=(1, 2)) / sr.shape[1:].numel()
