"""NCC: how far two pictures are from rising and falling together."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="classical; Pearson: Regression, Heredity, and Panmixia (Phil. Trans. 1896)",
    injective=False,
    symmetric=True,
    blind_to=("gain", "offset"),
    memory=7,
)


def ncc(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, eps: float = 1e-6
) -> Float[Tensor, " n"]:
    """Mean over the channels of (1 - r) / 2: 0 where r = 1, 1 for the negative.

    r = (cov + eps) / sqrt((vx + eps)(vy + eps)), the correlation of the pixels of one channel
    with a constant of variance eps (of pictures in [0, 1]) in common, so that two flat pictures
    are alike. Computed as a quarter of the squared distance of the normalised channels, which
    loses no digits where r is near 1. Blind to brightness and contrast: use it beside a pixel
    loss.
    """
    if not eps > 0:
        raise InputError(f"ncc's eps must be above 0, not {eps}.")
    sr, hr = prepared(sr, hr, "ncc")
    x, y = (v - v.mean(dim=(2, 3), keepdim=True) for v in (sr, hr))
    by_x, by_y = ((v.square().mean(dim=(2, 3), keepdim=True) + eps).rsqrt() for v in (x, y))
    apart = (x * by_x - y * by_y).square().mean(dim=(2, 3))
    return (apart + eps * (by_x - by_y).square().flatten(1)).mean(dim=1) / 4
