"""Radial spectrum: how much power each fineness of detail has, whatever its direction and place."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.products import product
from acutance.losses.frequency.columns import column_weights, half_plane, squared_length
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Durall, Keuper, Keuper: Watch your Up-Convolution (CVPR 2020), spectral "
    "regularisation by azimuthal integrals; here the absolute error of their logarithms",
    injective=False,
    blind_to=("circular shift",),
    symmetric=True,
    min_size=4,  # a smaller one has no corners
    memory=6.5,
)
TIE = 1e-3  # of a ring: halfway between two a frequency is of the outer one, in every precision


def radial_spectrum(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, eps: float = 1e-3
) -> Float[Tensor, " n"]:
    """Mean over channels and rings of |log(eps^2 + P(sr)) - log(eps^2 + P(hr))| per picture.

    P is the mean of |X|^2 over a ring of frequencies, X the orthonormal 2-D Fourier transform.
    Rings are one cycle per shorter side wide and reach from frequency 0 to half a cycle per pixel;
    the corners beyond, which the paper leaves out, are one more, so that a chequerboard is seen.
    A ring of twice the power costs log 2; eps is the strength at which a frequency begins to
    count. The paper has a cross-entropy. Textures of another direction or place are free: use it
    beside a loss of pixels. The table of rings grows with the third power of the side, 10 MiB for
    192 pixels: give it patches.
    """
    if not eps > 0:
        raise InputError(f"radial_spectrum's eps must be above 0, not {eps}.")
    sr, hr = prepared(sr, hr, "radial_spectrum", min_side=4)
    table = _rings(sr)
    x, y = ((_profile(v, table) + eps**2).log() for v in (sr, hr))
    return mean_per_picture((x - y).abs()[..., None])


def _profile(pictures: Tensor, table: Tensor) -> Tensor:
    """Mean power on each ring, (n, c, rings)."""
    power = squared_length(half_plane(pictures))
    return product(power.flatten(2), table.expand(len(pictures), -1, -1))


def _rings(pictures: Tensor) -> Tensor:
    """What each frequency of the half plane counts on each ring, (frequencies, rings)."""
    h, w = pictures.shape[2:]
    shorter = min(h, w)
    down = torch.fft.fftfreq(h, dtype=pictures.dtype, device=pictures.device)
    across = torch.fft.rfftfreq(w, dtype=pictures.dtype, device=pictures.device)
    radius = (down[:, None].square() + across.square()).sqrt() * shorter
    corners = shorter // 2 + 1
    nearest = (radius + 0.5 + TIE).floor().clamp(max=corners)
    rings = torch.arange(corners + 1, dtype=pictures.dtype, device=pictures.device)
    on_ring = (nearest[..., None] == rings) * column_weights(pictures, 2.0)[:, None]
    return (on_ring / on_ring.sum(dim=(0, 1))).flatten(0, 1)
