"""NLPD: the distance of two pictures as the early visual system normalises them."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import mean_per_picture, prepared
from acutance.losses.structure.maps import brightness, check_channels, rounded_root
from acutance.losses.structure.pyramid import enlarged, shrunk


def smallest_side(*, levels: int = 6) -> int:
    """Where the last band but one still has two pixels, in pixels."""
    return 2 ** (levels - 2) + 1 if levels > 1 else 1


CONTRACT = Contract(
    source="Laparra, Balle, Berardino, Simoncelli: Normalized Laplacian Pyramid (HVEI 2016)",
    injective=False,
    symmetric=True,
    channels=(1, 3),
    min_size=17,
    min_size_for=smallest_side,
    blind_to=("chroma",),
    memory=5.5,
)
# Fitted by the authors to photographs, finest band first: what the amplitudes of the neighbours
# above, below, left and right count for, and the amplitude that is always there.
NEIGHBOURS = (
    (0.1015, 0.1011, 0.1460, 0.1493),
    (0.0837, 0.0757, 0.1846, 0.1986),
    (0.0467, 0.0477, 0.2243, 0.2138),
    (0.0, 0.0, 0.2616, 0.2503),
    (0.0, 0.0, 0.2552, 0.2598),
)
FLOORS = (0.0248, 0.0185, 0.0179, 0.0191, 0.0220)
LAST_NEIGHBOURS, LAST_FLOOR = (0.0, 0.0, 0.0717, 0.2215), 0.2782  # of what is left, the low pass


def nlpd(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    levels: int = 6,
    smooth: float = 1e-6,
) -> Float[Tensor, " n"]:
    """Mean over the bands of the root mean square difference of the normalised bands, 0 at best.

    The bands are those of a Laplacian pyramid of luma (5 taps: 1 5 8 5 1 twentieths) and its low
    pass; each value is divided by a constant plus the weighted amplitudes of its four neighbours,
    so that a fault in texture counts less than the same on flat ground. Six levels and the
    constants are the authors'. `smooth` is the value below which the roots, infinitely steep at
    0, are rounded off.
    """
    if not (2 <= levels <= 6 and smooth > 0):
        raise InputError(
            f"nlpd takes 2 to 6 levels and smooth above 0, not levels={levels}, smooth={smooth}."
        )
    sr, hr = prepared(sr, hr, "nlpd", min_side=smallest_side(levels=levels))
    check_channels(sr, "nlpd")
    pairs = zip(_bands(brightness(sr), levels), _bands(brightness(hr), levels), strict=True)
    distances = [rounded_root(mean_per_picture((a - b).square()), smooth) for a, b in pairs]
    return torch.stack(distances).mean(dim=0)


def _bands(luma: Tensor, levels: int) -> list[Tensor]:
    """Normalised differences of each size from the next smaller one enlarged, and the last."""
    bands = []
    for neighbours, floor in zip(NEIGHBOURS[: levels - 1], FLOORS, strict=False):
        small = shrunk(luma)
        large = enlarged(small, luma.shape[2], luma.shape[3])
        bands.append(_normalised(luma - large, neighbours, floor))
        luma = small
    return [*bands, _normalised(luma, LAST_NEIGHBOURS, LAST_FLOOR)]


def _normalised(
    band: Tensor, neighbours: tuple[float, float, float, float], floor: float
) -> Tensor:
    above, below, left, right = neighbours
    size = F.pad(band.abs(), (1, 1, 1, 1))
    around = size[..., 1:-1, :-2] * left + size[..., 1:-1, 2:] * right
    around = around + size[..., :-2, 1:-1] * above + size[..., 2:, 1:-1] * below
    return band / (floor + around)
