"""Focal frequency: squared error of the spectrum, most where the spectrum is most wrong."""

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    plane_groups,
    room_for_gradient,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.frequency.columns import column_weights, squared_length
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Jiang, Dai, Wu, Loy: Focal Frequency Loss (ICCV 2021), sec. 3.2, eqs. 8 to 10",
    symmetric=True,
    degree=2,
    memory=3,
    exceptions={
        "gradcheck": "the weight is a constant for the gradient, as in the paper: it is the slope "
        "of squares with fixed weights"
    },
)
GROUP = 1 << 18  # values transformed at a time: a MiB of float32, about a core's own cache


def focal_frequency(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    alpha: float = 1.0,
    patch_factor: int = 1,
    log: bool = False,
) -> Float[Tensor, " n"]:
    """Mean of w |E|^2 per picture, E the orthonormal 2-D Fourier transform of sr - hr.

    w = |E|^alpha / max |E|^alpha, the maximum over the frequencies of one picture and channel,
    and a constant for the gradient; `log` takes log(1 + |E|^alpha) for |E|^alpha, above and
    below. alpha = 0 is the mean squared error. `patch_factor` k cuts the picture into k x k equal
    patches, each with a spectrum and a maximum of its own. A maximum, or a mean spectrum, over
    the batch, which the authors' code also offers, would let one picture change another's
    gradient, so there is none here. The whole plane is counted, as in the paper.
    """
    if not alpha >= 0 or patch_factor < 1:
        raise InputError(
            f"focal_frequency takes alpha of 0 or more and patch_factor of 1 or more, not "
            f"alpha={alpha} and patch_factor={patch_factor}."
        )
    sr, hr = prepared(sr, hr, "focal_frequency", min_side=patch_factor)
    if patch_factor > 1:
        sr, hr = _patches(sr, patch_factor), _patches(hr, patch_factor)
    total, _ = _focal_frequency(sr, hr, alpha, log, wants_gradient(sr))
    return total / sr.shape[1:].numel()


def _patches(pictures: Tensor, k: int) -> Tensor:
    """k x k patches of each plane as planes of their own, (n, c k k, h / k, w / k)."""
    n, c, h, w = pictures.shape
    if h % k or w % k:
        raise InputError(
            f"focal_frequency with patch_factor={k} cuts each side into {k} equal parts; "
            f"{w}x{h} pixels cannot be. Use sides that are multiples of {k}."
        )
    cut = pictures.reshape(n, c, k, h // k, k, w // k).transpose(3, 4)
    return cut.reshape(n, c * k * k, h // k, w // k)


@with_backward
@torch.library.custom_op("acutance::focal_frequency", mutates_args=())
def _focal_frequency(
    sr: Tensor, hr: Tensor, alpha: float, log: bool, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum per picture over all frequencies, and its gradient 2 F'(w E).

    The transform of real pictures is linear, so the difference is transformed once, and half the
    plane holds it all: inner columns count twice. The inverse transform is the transpose.
    """
    n, c, h, w = sr.shape
    slope = room_for_gradient(sr, gradient)
    sums = sr.new_empty(n, c)
    counts = column_weights(sr, 2.0)
    for group in plane_groups(sr, GROUP):
        error = torch.empty_like(sr[group], memory_format=torch.contiguous_format)
        torch.sub(sr[group], hr[group], out=error)
        spectrum = torch.fft.rfft2(error, norm="ortho")
        squares = squared_length(spectrum)
        weight = _weight(squares.sqrt(), alpha, log)
        weighted = squares.mul_(weight).sum(dim=-2)
        torch.sum(weighted.mul_(counts), dim=-1, out=sums[group])
        if gradient:
            spectrum.mul_(weight.mul_(2))
            slope[group] = torch.fft.irfft2(spectrum, s=(h, w), norm="ortho")
    return sums.sum(dim=1), slope


def _weight(size: Tensor, alpha: float, log: bool) -> Tensor:
    """1 where a plane's spectrum is most wrong, 0 where it is right; in place of the size."""
    raised = size if alpha == 1 else size.pow_(alpha)
    if log:
        raised.log1p_()
    most = raised.amax(dim=(-2, -1), keepdim=True)
    return raised.div_(most.clamp_min_(torch.finfo(size.dtype).tiny))
