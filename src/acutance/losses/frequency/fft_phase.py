"""FFT phase: where each wave of the picture lies, whatever its strength."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.frequency.columns import half_plane
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Fuoli, Van Gool, Timofte: Fourier Space Losses for Efficient Perceptual Image "
    "Super-Resolution (ICCV 2021), sec. 3.1, eq. 4, here of the cosine",
    injective=False,
    blind_to=("gain",),
    min_size=2,
    memory=6,
)


def fft_phase(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, eps: float = 1e-4
) -> Float[Tensor, " n"]:
    """Weighted mean of 1 - cos(arg X - arg Y) per picture, 0 to 2, X and Y the spectra of sr, hr.

    The weight of a frequency is |Y|, and cos is (Re(X conj Y) + eps^2) / (|X| |Y|), each | | with
    eps: sqrt(| |^2 + eps^2). So equal spectra have cos 1, frequencies that are absent have no
    infinite slope, and no angle jumps at pi. Orthonormal 2-D Fourier transform; of two
    frequencies that mirror each other one is kept. Blind to the strength of the waves.
    """
    if not eps > 0:
        raise InputError(f"fft_phase's eps must be above 0, not {eps}.")
    sr, hr = prepared(sr, hr, "fft_phase", min_side=2)
    x, y = (torch.view_as_real(half_plane(v)) for v in (sr, hr))
    length_x, length_y = ((v.square().sum(dim=-1) + eps**2).sqrt() for v in (x, y))
    along = ((x * y).sum(dim=-1) + eps**2) / length_x
    gap = (length_y - along).sum(dim=(1, 2, 3))
    return gap / length_y.sum(dim=(1, 2, 3))
