"""Gradient variance: how much the slopes vary within each patch, so that none comes out smooth."""

from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import SMOOTHING, brightness, derivatives
from acutance.losses.inputs import mean_per_picture, prepared

GREY = (0.2989, 0.5870, 0.1140)  # as in the paper's code


def smallest_side(*, patch: int = 8) -> int:
    """One patch, in pixels."""
    return patch


CONTRACT = Contract(
    source="Abrahamyan, Truong, Philips, Deligiannis: Gradient Variance Loss (ICASSP 2022), "
    "sec. 2.2, eqs. 2 to 5",
    injective=False,
    blind_to=("inversion", "offset"),
    symmetric=True,
    channels=(3, 1),
    min_size=8,
    min_size_for=smallest_side,
    memory=4.5,
)


def gradient_variance(
    sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"], *, patch: int = 8
) -> Float[Tensor, " n"]:
    """Mean of (v_x(sr) - v_x(hr))^2 over patches, plus that of v_y, per picture.

    v_x and v_y are the sample variances of the Sobel slopes of the grey picture in each patch of
    `patch` x `patch` pixels, with Sobel as in the paper: integers, 8 times the slope. Of the
    fourth degree in intensity. The border is mirrored: zeros round the picture, as in the paper's
    code, would be an edge, which tells a picture from its negative. Rows and columns beyond the
    last whole patch do not count.
    """
    if patch < 2:
        raise InputError(f"gradient_variance's patch must be 2 pixels or more, not {patch}.")
    sr, hr = prepared(sr, hr, "gradient_variance", min_side=smallest_side(patch=patch))
    x, y = (_variances(pictures, patch) for pictures in (sr, hr))
    across, down = (mean_per_picture((a - b).square()) for a, b in zip(x, y, strict=True))
    return across + down


def _variances(pictures: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    """Of the slopes across and of those down, (n, 1, rows of patches, columns of patches)."""
    grey = brightness(pictures, GREY, "gradient_variance")
    h, w = (side // patch * patch for side in grey.shape[2:])
    dx, dy = (slopes[..., :h, :w] for slopes in derivatives(8 * grey, SMOOTHING["sobel"]))
    return _variance(dx, patch), _variance(dy, patch)


def _variance(slopes: Tensor, patch: int) -> Tensor:
    cut = slopes.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    around = cut - cut.mean(dim=(3, 5), keepdim=True)
    return around.square().sum(dim=(3, 5)) / (patch**2 - 1)
