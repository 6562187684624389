"""MS-SSIM + L1: structure at several widths, and the error weighted by the widest of them."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.windows import gaussian_taps, local_mean_graph

SIGMAS, WIDEST = (0.5, 1.0, 2.0, 4.0), 8.0
WINDOW = 33  # four of the widest sigma, and the middle
C1, C2 = 0.01**2, 0.03**2

CONTRACT = Contract(
    source="Zhao, Gallo, Frosio, Kautz: Loss Functions for Image Restoration (TCI 2017), sec. III",
    symmetric=True,
    min_size=33,
    memory=85.0,
)


def ms_ssim_l1(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, alpha: float = 0.84
) -> Float[Tensor, " n"]:
    """alpha times one minus MS-SSIM, plus (1 - alpha) G |sr - hr|; the mean per picture.

    Here MS-SSIM is not of smaller pictures but of wider windows: at every place the product of
    the contrast and structure under Gaussians of sigma 0.5, 1, 2, 4 and 8 pixels, times the
    brightness under the widest, which is the G of the absolute error too. Each channel has all
    five widths (a widespread port gives red, green and blue different ones). Places are those
    where the window of 33 pixels fits; alpha 0.84 is the authors' choice.
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"ms_ssim_l1's alpha lies between 0 and 1, not {alpha}.")
    sr, hr = prepared(sr, hr, "ms_ssim_l1", min_side=WINDOW)
    maps = torch.cat([sr, hr, sr * sr, hr * hr, sr * hr, (sr - hr).abs()], dim=1)
    widest = local_mean_graph(maps, gaussian_taps(WINDOW, WIDEST)).chunk(6, dim=1)
    mx, my, *_, error = widest
    similarity = (2 * mx * my + C1) / (mx * mx + my * my + C1) * _structure(*widest[:5])
    for sigma in SIGMAS:
        means = local_mean_graph(maps, gaussian_taps(WINDOW, sigma)).chunk(6, dim=1)
        similarity = similarity * _structure(*means[:5])
    return mean_per_picture(alpha * (1 - similarity) + (1 - alpha) * error)


def _structure(mx: Tensor, my: Tensor, xx: Tensor, yy: Tensor, xy: Tensor) -> Tensor:
    return (2 * (xy - mx * my) + C2) / (xx - mx * mx + yy - my * my + C2)
