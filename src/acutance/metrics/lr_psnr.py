"""LR-PSNR: whether a result, made small again, is the picture it was made from."""

import math

import numpy as np

from acutance.errors import InputError
from acutance.imaging.resample import downscale
from acutance.metrics.card import Card
from acutance.metrics.psnr import psnr

CARD = Card(
    direction="higher",
    unit="dB",
    range=(0.0, math.inf),
    judges="fidelity",
    source=(
        "Lugmayr, Danelljan, Timofte: NTIRE 2021 Learning the Super-Resolution Space Challenge "
        "(CVPR workshops 2021), which asks for 45 dB at least"
    ),
    identical=math.inf,
    beside="lr",
    sees="whole",
)


def lr_psnr(sr: np.ndarray, lr: np.ndarray) -> float:
    """PSNR in dB between F(sr) and lr, all channels jointly; F is MATLAB's bicubic reduction.

    F is the one that made lr, rounding included, so that the original itself has infinity, and
    so has every other picture that could have been the original. Pictures are (H, W) or
    (H, W, C) in 0..255; the scale is sr's side over lr's.
    """
    scale = sr.shape[0] // max(lr.shape[0], 1)
    enlarged = (lr.shape[0] * scale, lr.shape[1] * scale, *lr.shape[2:])
    if scale < 1 or sr.shape != enlarged:
        raise InputError(
            f"A result of {sr.shape} is no whole number of times larger than {lr.shape}, so it "
            "cannot be compared with it. Give the picture that it was made from."
        )
    return psnr(downscale(sr, scale), lr)
