"""FFT magnitude: how strong each frequency is, whatever its place in the picture."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.frequency.columns import half_plane
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Fuoli, Van Gool, Timofte: Fourier Space Losses for Efficient Perceptual Image "
    "Super-Resolution (ICCV 2021), sec. 3.1, eq. 3, here of the logarithm",
    injective=False,
    blind_to=("circular shift",),
    symmetric=True,
    min_size=2,
    memory=5.5,
    exceptions={
        "tiling": "a repeated picture has all its energy in a quarter of the frequencies, and the "
        "mean is over all of them"
    },
)


def fft_magnitude(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    eps: float = 1e-3,
    weight: Literal["none", "radial"] = "none",
) -> Float[Tensor, " n"]:
    """Mean of |log(eps + |X|) - log(eps + |Y|)| per picture, X and Y the spectra of sr and hr.

    Orthonormal 2-D Fourier transform; of two frequencies that mirror each other one is kept.
    Values are in nepers: a frequency of twice the strength costs log 2. eps sets the greatest
    slope, 1 / eps, at frequencies that are absent. `weight` "radial" weighs by the distance from
    frequency 0 in cycles per pixel, with mean 1. Moving the picture, edges wrapped round, costs
    nothing: use it beside a loss of pixels, or with fft_phase.
    """
    if not eps > 0 or weight not in ("none", "radial"):
        raise InputError(
            f"fft_magnitude takes eps above 0 and weight 'none' or 'radial', not eps={eps} and "
            f"weight={weight!r}."
        )
    sr, hr = prepared(sr, hr, "fft_magnitude", min_side=2)
    x, y = ((half_plane(v).abs() + eps).log() for v in (sr, hr))
    gap = (x - y).abs()
    return mean_per_picture(gap * _radial(sr) if weight == "radial" else gap)


def _radial(pictures: Tensor) -> Tensor:
    h, w = pictures.shape[2:]
    down = torch.fft.fftfreq(h, dtype=pictures.dtype, device=pictures.device)
    across = torch.fft.rfftfreq(w, dtype=pictures.dtype, device=pictures.device)
    radius = (down[:, None].square() + across.square()).sqrt()
    return radius / radius.mean()
