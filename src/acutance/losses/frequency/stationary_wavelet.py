"""Stationary wavelet: absolute error of wavelet bands that are taken at every pixel."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
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
from acutance.losses.edges.derivatives import LUMA, brightness
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Korkmaz, Tekalp, Dogan: Training Generative Image Super-Resolution Models by "
    "Wavelet-Domain Losses (CVPR 2024), sec. 3.2; sym7 of Daubechies: Ten Lectures (1992), ch. 8",
    symmetric=True,
    degree=1,
    memory=3.5,
    exceptions={
        "gradcheck": "at the border some bands of the pictures tried are within a step of 0, where "
        "| | has its corner; tests hold the gradient against the transposed filters"
    },
)
GROUP = 1 << 17  # values transformed at a time; there are four bands of them
# Low-pass filters for taking apart, with sum sqrt 2 and sum of squares 1.
LOW_PASS = {
    "haar": (math.sqrt(0.5), math.sqrt(0.5)),
    "sym7": (
        0.002681814568257878,
        -0.0010473848886829163,
        -0.01263630340325193,
        0.03051551316596357,
        0.0678926935013727,
        -0.049552834937127255,
        0.017441255086855827,
        0.5361019170917628,
        0.767764317003164,
        0.2886296317515146,
        -0.14004724044296152,
        -0.10780823770381774,
        0.004010244871533663,
        0.010268176708511255,
    ),
}


def stationary_wavelet(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    wavelet: Literal["sym7", "haar"] = "sym7",
    levels: int = 1,
    weights: tuple[float, float, float, float] = (0.05, 0.025, 0.025, 0.02),
    luma: bool = False,
) -> Float[Tensor, " n"]:
    """Sum of w_b <|b|> over the bands b of sr - hr per picture.

    Bands are LL of the last level, and LH (waves across), HL (down) and HH (both) of each, of the
    undecimated transform: filters of sum sqrt 2 along rows and columns, on level j with 2^(j-1) - 1
    zeros between their taps, so LL of a constant d is 2^levels d. Nothing is left out, so moving
    the picture moves the bands, where `wavelet` sees another picture. The border is mirrored,
    edge repeated; wrapped round, the left edge would meet the right. `weights` are for LL, LH,
    HL, HH, those of the paper's code; `luma` weighs R, G and B by BT.601 first.
    """
    if wavelet not in LOW_PASS or levels < 1 or len(weights) != 4 or min(weights) < 0:
        raise InputError(
            f"stationary_wavelet takes wavelet {' or '.join(LOW_PASS)}, levels of 1 or more and "
            f"four weights of 0 or more, not wavelet={wavelet!r}, levels={levels}, "
            f"weights={weights}."
        )
    sr, hr = prepared(sr, hr, "stationary_wavelet")
    if luma:
        sr, hr = (brightness(pictures, LUMA, "stationary_wavelet") for pictures in (sr, hr))
    total, _ = _stationary(sr, hr, wavelet, levels, [*map(float, weights)], wants_gradient(sr))
    return total / sr.shape[1:].numel()


@with_backward
@torch.library.custom_op("acutance::stationary_wavelet", mutates_args=())
def _stationary(
    sr: Tensor, hr: Tensor, wavelet: str, levels: int, weights: Sequence[float], gradient: bool
) -> tuple[Tensor, Tensor]:
    """Sum of the weighted bands per picture, and its gradient: the signs back through the filters.

    A filter along an axis is a matrix that knows the border. Autocast is off, or the products
    would be rounded to half precision.
    """
    h, w = sr.shape[2:]
    slope = room_for_gradient(sr, gradient)
    sums = sr.new_empty(sr.shape[:2])
    with torch.autocast(sr.device.type, enabled=False):
        maps = [
            [_matrix(wavelet, side, 2**level, sr.dtype, sr.device) for side in (h, w)]
            for level in range(levels)
        ]
        for group in plane_groups(sr, GROUP):
            rest = sr[group] - hr[group]
            total, signs = rest.new_zeros(rest.shape[:2]), []
            for down, across in maps:
                bands = down @ rest @ across.mT  # LL, LH / HL, HH side by side
                shares = _shares(bands, (0.0, *weights[1:]))
                rest = bands[..., :h, :w].clone()
                total += (bands.abs() * shares).sum(dim=(2, 3))
                signs.append(bands.sign_().mul_(shares))
            sums[group] = total.add_(rest.abs().sum(dim=(2, 3)), alpha=weights[0])
            if gradient:
                pull = rest.sign_().mul_(weights[0])
                for (down, across), bands in zip(reversed(maps), reversed(signs), strict=True):
                    bands[..., :h, :w] = pull
                    pull = down.mT @ bands @ across
                slope[group] = pull
    return sums.sum(dim=1), slope


def _shares(bands: Tensor, weights: Sequence[float]) -> Tensor:
    """The weight of each value of the four bands, LL LH above HL HH."""
    quarters = bands.new_tensor(list(weights)).view(2, 2)
    h, w = (side // 2 for side in bands.shape[2:])
    return quarters.repeat_interleave(h, dim=0).repeat_interleave(w, dim=1)


@lru_cache(maxsize=64)
def _matrix(wavelet: str, side: int, step: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(2 side, side): low-pass and high-pass at every pixel, taps `step` apart.

    Row i is sum_k f_k x(i + (K / 2 - k) step), as swt of PyWavelets away from the border.
    """
    low = LOW_PASS[wavelet]
    high = [(-1) ** (k + 1) * tap for k, tap in enumerate(reversed(low))]
    rows = np.zeros((2, side, side))
    here = np.arange(side)
    for which, taps in enumerate((low, high)):
        for k, tap in enumerate(taps):
            place = (here + (len(taps) // 2 - k) * step) % (2 * side)
            # added, not assigned: mirroring lets several taps of a row meet on one pixel
            np.add.at(rows[which], (here, np.minimum(place, 2 * side - 1 - place)), tap)
    with torch.inference_mode(False):  # a matrix made within it could not serve training later
        return torch.from_numpy(rows.reshape(2 * side, side)).to(device=device, dtype=dtype)
