"""FFT: the absolute error of the spectrum; every frequency counts, fine texture included."""

from typing import Literal

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
    source="Cho, Ji, Hong, Jung, Ko: Rethinking Coarse-to-Fine (MIMO-UNet, ICCV 2021), sec. 3.3",
    symmetric=True,
    degree=1,
    memory=3,
    exceptions={
        "tiling": "a repeated picture has all its energy in a quarter of the frequencies, and the "
        "mean is over all of them"
    },
)

# The transform back whose factor makes it the transpose of the transform forth.
ADJOINT = {"ortho": "ortho", "backward": "forward", "forward": "backward"}
PARTS = ("realimag", "modulus")
PLANES = ("half", "whole")
GROUP = 1 << 18  # values transformed at a time: a MiB of float32, about a core's own cache


def fft(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    norm: Literal["ortho", "backward", "forward"] = "ortho",
    part: Literal["realimag", "modulus"] = "realimag",
    plane: Literal["half", "whole"] = "half",
) -> Float[Tensor, " n"]:
    """Mean of |Re E| and |Im E| per picture, E the 2-D Fourier transform of sr - hr.

    `norm` "ortho" divides by sqrt(h w), the only factor whose value does not depend on the size
    of the patch; `part` "modulus" takes the mean of |E|, which a shift of the error does not
    change. Of two frequencies that mirror each other one is kept (`plane` "half", torch's rfft2),
    so the first column, and the last of an even width, count twice as much as in the mean over
    the "whole" plane, which the paper's code takes; the two differ in about the third digit.
    """
    for name, value, known in (
        ("norm", norm, tuple(ADJOINT)),
        ("part", part, PARTS),
        ("plane", plane, PLANES),
    ):
        if value not in known:
            raise InputError(f"fft's {name} is one of {', '.join(known)}, not {value!r}.")
    sr, hr = prepared(sr, hr, "fft")
    _, c, h, w = sr.shape
    columns = w // 2 + 1 if plane == "half" else w
    total, _ = _fft(sr, hr, norm, part == "modulus", plane == "whole", wants_gradient(sr))
    return total / (c * h * columns * (1 if part == "modulus" else 2))


@with_backward
@torch.library.custom_op("acutance::fft", mutates_args=())
def _fft(
    sr: Tensor, hr: Tensor, norm: str, modulus: bool, whole: bool, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum per picture over the frequencies, and its gradient: the sign transformed back.

    The transform of real pictures is linear, so the difference is transformed once, and its
    transpose is the inverse transform, which takes inner columns twice: right for the whole
    plane, to be halved for the half.
    """
    n, c, h, w = sr.shape
    slope = room_for_gradient(sr, gradient)
    sums = sr.new_empty(n, c)
    counts = column_weights(sr, 2.0 if whole else 1.0)
    if not modulus:
        counts = counts.repeat_interleave(2)  # real and imaginary parts side by side
    halved = column_weights(sr, 0.5)
    for group in plane_groups(sr, GROUP):
        error = torch.empty_like(sr[group], memory_format=torch.contiguous_format)
        torch.sub(sr[group], hr[group], out=error)
        spectrum = torch.fft.rfft2(error, norm=norm)
        parts = torch.view_as_real(spectrum)
        size = squared_length(spectrum).sqrt_() if modulus else parts.flatten(-2).abs()
        torch.sum(size.sum(dim=-2).mul_(counts), dim=-1, out=sums[group])
        if gradient:
            spectrum.sgn_() if modulus else parts.sign_()
            if not whole:
                spectrum.mul_(halved)
            slope[group] = torch.fft.irfft2(spectrum, s=(h, w), norm=ADJOINT[norm])
    return sums.sum(dim=1), slope
