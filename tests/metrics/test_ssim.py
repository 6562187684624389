"""SSIM against its plain definition and against an outside implementation."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from acutance.errors import InputError
from acutance.metrics.ssim import ssim


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def plain_ssim(sr: np.ndarray, hr: np.ndarray) -> float:
    """Wang et al. (2004), eqs. 13 to 16, with the whole 11 x 11 window at every position."""
    y, x = np.mgrid[-5:6, -5:6]
    window = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(image: np.ndarray) -> np.ndarray:
        return np.einsum("ijkl,kl->ij", sliding_window_view(image, (11, 11)), window)

    a, b = sr.astype(np.float64), hr.astype(np.float64)
    mu_a, mu_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mu_a**2, mean(b * b) - mu_b**2
    cov = mean(a * b) - mu_a * mu_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mu_a * mu_b + c1) / (mu_a**2 + mu_b**2 + c1)
    return float(np.mean(luminance * (2 * cov + c2) / (var_a + var_b + c2)))


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(11, 60),
    width=st.one_of(st.integers(11, 60), st.integers(160, 360)),
    spread=st.sampled_from([2, 30, 255]),
    seed=st.integers(0, 99),
)
def test_equals_the_plain_definition(height: int, width: int, spread: int, seed: int) -> None:
    """Of every size, so that each last strip and block is cut short in every way."""
    hr = noise(height, width, seed=seed)
    change = np.random.default_rng(seed + 1).uniform(-spread, spread, hr.shape)
    sr = np.clip(hr + change, 0, 255)
    assert ssim(sr, hr) == pytest.approx(plain_ssim(sr, hr), abs=1e-12)


def test_smooth_pictures_keep_their_digits() -> None:
    """Where the variance is a small difference of large moments."""
    y, x = np.mgrid[:64, :80]
    hr = 250 + np.sin(x / 9) + np.cos(y / 7)
    sr = hr + 0.1 * np.sin(x * y / 50)
    assert ssim(sr, hr) == pytest.approx(plain_ssim(sr, hr), abs=1e-12)


def test_equals_scikit_image() -> None:
    structural_similarity = pytest.importorskip("skimage.metrics").structural_similarity
    hr = noise(70, 90)
    sr = np.clip(hr + np.random.default_rng(1).normal(0, 20, hr.shape), 0, 255)
    theirs = structural_similarity(
        sr,
        hr.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert ssim(sr, hr) == pytest.approx(theirs, abs=1e-12)


def test_channels_are_judged_alone_and_averaged() -> None:
    sr, hr = noise(30, 40, 3), noise(30, 40, 3, seed=1)
    alone = [ssim(sr[:, :, c], hr[:, :, c]) for c in range(3)]
    assert ssim(sr, hr) == pytest.approx(np.mean(alone), abs=1e-15)


def test_the_value_does_not_depend_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sr, hr = noise(200, 100), noise(200, 100, seed=1)
    values = set()
    for cores in (1, 2, 7):
        monkeypatch.setattr("acutance.imaging.parallel.core_count", lambda cores=cores: cores)
        values.add(ssim(sr, hr))
    assert len(values) == 1


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (1, 1)], ids=str)
def test_pictures_smaller_than_the_window_are_refused(shape: tuple[int, int]) -> None:
    message = (
        f"{shape[1]}x{shape[0]} pixels are too few for SSIM, whose window is 11x11. "
        "Use larger pictures or a smaller border."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ssim(noise(*shape), noise(*shape))
