"""PSNR against its plain definition, and the luma form against luma planes."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.colour import luma
from acutance.metrics.psnr import _gram, psnr, psnr_luma_uint8


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def plain_psnr(sr: np.ndarray, hr: np.ndarray) -> float:
    error = sr.astype(np.float64) - hr.astype(np.float64)
    return 10 * np.log10(255**2 / np.mean(error**2))


@pytest.mark.parametrize(
    ("error", "decibels"),
    [(1, 20 * math.log10(255)), (255, 0.0), (51, 20 * math.log10(5))],  # 255 / error, as a ratio
)
def test_a_constant_error_by_hand(error: int, decibels: float) -> None:
    hr = np.zeros((12, 15, 3), np.uint8)
    assert psnr(hr + np.uint8(error), hr) == pytest.approx(decibels, abs=1e-12)


@pytest.mark.parametrize("shape", [(3, 4), (90, 70, 3), (5, 70_000), (1, 1, 1)], ids=str)
def test_equals_the_plain_definition(shape: tuple[int, ...]) -> None:
    sr, hr = noise(*shape), noise(*shape, seed=1)
    assert psnr(sr, hr) == pytest.approx(plain_psnr(sr, hr), rel=1e-13)
    sr, hr = sr / 1.7, hr / 1.7
    assert psnr(sr, hr) == pytest.approx(plain_psnr(sr, hr), rel=1e-13)


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 900),
    spread=st.sampled_from([1, 7, 255]),
    seed=st.integers(0, 99),
)
def test_luma_form_equals_that_of_luma_planes(
    height: int, width: int, spread: int, seed: int
) -> None:
    hr = noise(height, width, 3, seed=seed)
    change = np.random.default_rng(seed + 1).integers(-spread, spread + 1, hr.shape)
    sr = np.clip(hr + change, 0, 255).astype(np.uint8)
    expected = psnr(luma(sr), luma(hr))
    assert psnr_luma_uint8(sr, hr) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (13, 7), (300, 400), (40, 40_000)], ids=str)
def test_the_sums_behind_the_luma_form_are_exact(shape: tuple[int, int]) -> None:
    """Gross errors are the hard case: each square is 65,025 and float32 holds integers to 2^24."""
    for sr, hr in (
        (np.full((*shape, 3), 255, np.uint8), np.zeros((*shape, 3), np.uint8)),
        (noise(*shape, 3), noise(*shape, 3, seed=1)),
    ):
        error = (sr.astype(np.int64) - hr).reshape(-1, 3)
        np.testing.assert_array_equal(_gram(sr, hr), error.T @ error)


def test_a_view_without_its_border_is_judged_as_its_copy() -> None:
    sr, hr = (noise(50, 60, 3, seed=seed)[4:-4, 4:-4] for seed in (0, 1))
    assert psnr_luma_uint8(sr, hr) == psnr_luma_uint8(sr.copy(), hr.copy())


def test_equal_pictures_have_infinite_luma_psnr() -> None:
    assert psnr_luma_uint8(noise(9, 9, 3), noise(9, 9, 3)) == math.inf


def test_luma_form_is_for_uint8_colour_alone() -> None:
    message = (
        "Luma is compared for uint8 pictures (H, W, 3), not float64 (4, 4, 3) and uint8 (4, 4, 3)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        psnr_luma_uint8(noise(4, 4, 3) / 1.0, noise(4, 4, 3))
