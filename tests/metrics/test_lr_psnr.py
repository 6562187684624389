"""LR-PSNR: what could have been the original is consistent, whatever else it is."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.resample import downscale, resize
from acutance.metrics.lr_psnr import lr_psnr


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@settings(deadline=None, max_examples=30)
@given(
    scale=st.integers(1, 4),
    height=st.integers(2, 12),
    width=st.integers(2, 12),
    seed=st.integers(0, 99),
)
def test_the_original_is_consistent(scale: int, height: int, width: int, seed: int) -> None:
    hr = noise(height * scale, width * scale, 3, seed=seed)
    assert lr_psnr(hr, downscale(hr, scale)) == math.inf


def test_so_is_another_picture_with_the_same_reduction() -> None:
    """A change by one grey level that the reduction rounds away."""
    hr = noise(24, 24, 3)
    other = hr.copy()
    other[8, 8] ^= 1
    assert lr_psnr(other, downscale(hr, 4)) == math.inf


def test_the_value_is_that_of_the_error_after_reduction() -> None:
    lr = noise(12, 15, 3)
    sr = resize(lr, scale=3)
    error = downscale(sr, 3).astype(float) - lr
    expected = 10 * math.log10(255**2 / np.mean(error**2))
    assert lr_psnr(sr, lr) == pytest.approx(expected, abs=1e-12)


def test_an_offset_is_seen_whole() -> None:
    """5 grey levels everywhere stay 5: 20 log10(255 / 5) dB."""
    lr = np.full((6, 9, 3), 100, np.uint8)
    sr = np.full((12, 18, 3), 105, np.uint8)
    assert lr_psnr(sr, lr) == pytest.approx(20 * math.log10(51), abs=1e-12)


def test_a_shift_of_half_the_result_is_worse_than_a_small_one() -> None:
    hr = resize(noise(8, 8, 3), scale=6)
    lr = downscale(hr, 2)
    values = [lr_psnr(np.roll(hr, shift, axis=1), lr) for shift in (0, 1, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] == math.inf


@pytest.mark.parametrize(
    ("sr", "lr"),
    [
        ((12, 12, 3), (5, 6, 3)),
        ((12, 12, 3), (6, 4, 3)),
        ((12, 12), (6, 6, 3)),
        ((3, 3), (6, 6)),
        ((6, 6), (0, 0)),
    ],
    ids=str,
)
def test_sizes_that_do_not_belong_together_are_refused(sr: tuple, lr: tuple) -> None:
    message = (
        f"A result of {sr} is no whole number of times larger than {lr}, so it cannot be compared "
        "with it. Give the picture that it was made from."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        lr_psnr(noise(*sr), noise(*lr))
