"""NIQE against the formulas of its paper, and what it says of a photograph made worse."""

import math
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.colour import luma
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import resize
from acutance.metrics import natural_scenes
from acutance.metrics.natural_scenes import normalised, patch_features
from acutance.metrics.niqe import clean_statistics, fitted, niqe
from acutance.study.quickstart import sample_folder

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "niqe_model.py"


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """Chelsea, a cat, which the model of clean photographs was not fitted to."""
    pytest.importorskip("skimage")
    return read_rgb(sample_folder() / "chelsea.png")


# --- the paper, written out plainly


def plain_normalised(plane: np.ndarray) -> np.ndarray:
    """Eqs. 1 to 3, window by window."""
    y, x = np.mgrid[-3:4, -3:4]
    window = np.exp(-(x**2 + y**2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    padded = np.pad(plane, 3, mode="edge")
    found = np.empty_like(plane)
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            seen = padded[i : i + 7, j : j + 7]
            mean = (window * seen).sum()
            deviation = math.sqrt((window * (seen - mean) ** 2).sum())
            found[i, j] = (plane[i, j] - mean) / (deviation + 1)
    return found


def plain_fit(values: np.ndarray) -> tuple[float, float, float, float]:
    """Eqs. 5 to 8 with Lasmar et al.'s moments, every shape of the grid tried: a, mean, l, r."""
    values = values.ravel()
    below, above = values[values < 0], values[values > 0]
    left, right = math.sqrt((below**2).mean()), math.sqrt((above**2).mean())
    gamma = left / right
    r = np.abs(values).mean() ** 2 / (values**2).mean()
    wanted = r * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    best = min(
        (k / 1000 for k in range(200, 10_001)),
        key=lambda a: (
            (math.gamma(2 / a) ** 2 / (math.gamma(1 / a) * math.gamma(3 / a)) - wanted) ** 2
        ),
    )
    width = math.sqrt(math.gamma(1 / best) / math.gamma(3 / best))
    left, right = left * width, right * width
    return best, (right - left) * math.gamma(2 / best) / math.gamma(1 / best), left, right


def plain_features(block: np.ndarray) -> list[float]:
    """The 18 of one scale."""
    shape, _, left, right = plain_fit(block)
    found = [shape, (left + right) / 2]
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        found += plain_fit(block * np.roll(np.roll(block, down, 0), across, 1))
    return found


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    small = generator.uniform(0, 255, (height // 4 + 1, width // 4 + 1))
    plane = resize(small, scale=4)[:height, :width] + generator.normal(0, 4, (height, width))
    return np.clip(plane, 0, 255)


def test_coefficients_are_those_of_the_paper() -> None:
    plane = textured(40, 33)
    np.testing.assert_allclose(normalised(plane)[0], plain_normalised(plane), atol=1e-11)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 999), lean=st.floats(0.3, 3), power=st.floats(0.6, 2.5))
def test_fits_are_those_of_the_paper(seed: int, lean: float, power: float) -> None:
    """Of heavy and light tails, leaning to either side."""
    values = np.random.default_rng(seed).normal(size=(1, 24, 24))
    values = np.sign(values) * np.abs(values) ** power
    values[values > 0] *= lean
    fit = natural_scenes._fit(values)
    found = [float(part[0]) for part in (fit.shape, fit.mean, fit.left, fit.right)]
    np.testing.assert_allclose(found, plain_fit(values), rtol=1e-9, atol=1e-12)


def test_the_shape_of_a_known_distribution_is_found() -> None:
    """2 for a Gaussian, 1 for Laplace's; both sides alike, so that the mean is 0."""
    generator = np.random.default_rng(3)
    for shape, values in ((2, generator.normal(size=10**6)), (1, generator.laplace(size=10**6))):
        fit = natural_scenes._fit(values.reshape(1, 1000, 1000))
        assert fit.shape[0] == pytest.approx(shape, abs=0.02)
        assert fit.mean[0] == pytest.approx(0, abs=0.01)


def test_the_whole_is_that_of_the_paper() -> None:
    """Patches in order, both scales, and the distance, from the coefficients on."""
    plane = textured(200, 300)
    whole = plane[:192, :288]
    first, second = normalised(whole)[0], normalised(resize(whole, scale=0.5))[0]
    expected = np.array(
        [
            plain_features(first[96 * i : 96 * i + 96, 96 * j : 96 * j + 96])
            + plain_features(second[48 * i : 48 * i + 48, 48 * j : 48 * j + 48])
            for i in range(2)
            for j in range(3)
        ]
    )
    np.testing.assert_allclose(patch_features(plane).features, expected, rtol=1e-8, atol=1e-10)
    clean = clean_statistics()
    centred = expected - expected.mean(axis=0)
    spread = (centred.T @ centred / 5 + clean.covariance) / 2
    apart = expected.mean(axis=0) - clean.mean
    distance = math.sqrt(apart @ np.linalg.solve(spread, apart))
    assert niqe(plane) == pytest.approx(distance, rel=1e-6)


# --- what it says


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    grain = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)


def blurred(picture: np.ndarray, times: int) -> np.ndarray:
    """Binomial 1 2 1 along both axes, `times` times."""
    values = picture.astype(np.float64)
    for _ in range(times):
        for axis in (0, 1):
            values = (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4
    return np.rint(values).astype(np.uint8)


def test_noise_is_worse(photograph: np.ndarray) -> None:
    values = [niqe(noisy(photograph, sigma)) for sigma in (0, 10, 20, 40)]
    assert values == sorted(values)
    assert values[-1] > 2 * values[0]


def test_blur_is_worse(photograph: np.ndarray) -> None:
    values = [niqe(blurred(photograph, times)) for times in (0, 2, 6, 18)]
    assert values == sorted(values)
    assert values[-1] > 1.5 * values[0]


def test_the_same_picture_has_the_same_value(photograph: np.ndarray) -> None:
    values = {niqe(photograph), niqe(photograph.copy()), niqe(np.asfortranarray(photograph))}
    assert len(values) == 1


def test_colours_are_judged_by_their_luma(photograph: np.ndarray) -> None:
    plane = luma(photograph)
    assert niqe(photograph) == niqe(plane) == niqe(plane[:, :, None])


def test_only_whole_patches_from_the_top_left_are_seen(photograph: np.ndarray) -> None:
    assert niqe(photograph[:288, :384]) != niqe(photograph[1:289, :384])
    assert niqe(photograph[:288, :384]) == niqe(photograph[:300, :400])


def test_flat_patches_are_left_out(photograph: np.ndarray) -> None:
    """Those that touch another are not flat at their edge, through the window."""
    flat = np.full((96, 192, 3), 77, np.uint8)
    joined = np.concatenate([photograph[:96, :192], flat, flat])
    assert len(patch_features(luma(joined)).features) == 4
    far = np.concatenate([flat, flat, flat])
    assert len(patch_features(luma(far)).features) == 0


@settings(deadline=None, max_examples=20)
@given(
    height=st.integers(96, 200),
    width=st.integers(192, 290),
    kind=st.sampled_from(["two values", "noise", "stripes", "a dot a patch"]),
    seed=st.integers(0, 99),
)
def test_any_picture_with_content_has_a_finite_value(
    height: int, width: int, kind: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    picture = {
        "two values": generator.choice([0, 255], (height, width)),
        "noise": generator.integers(0, 256, (height, width)),
        "stripes": x // 2 % 2 * 255,
        "a dot a patch": (y % 96 == 40) * (x % 96 == 40),
    }[kind].astype(np.uint8)
    value = niqe(picture)
    assert math.isfinite(value)
    assert value >= 0


# --- what is refused


@pytest.mark.parametrize(
    ("shape", "patches"), [((95, 400), 0), ((96, 191), 1), ((191, 191), 1), ((5, 5, 3), 0)], ids=str
)
def test_too_few_patches_are_refused(shape: tuple[int, ...], patches: int) -> None:
    message = (
        f"In {shape[1]}x{shape[0]} pixels {patches} patches of 96x96 are not flat, and NIQE needs "
        "2. Use larger pictures or a smaller border."
    )
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        niqe(picture)


@pytest.mark.parametrize("shape", [(0, 200), (200, 200, 2), (200,), (1, 3, 200, 200)], ids=str)
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    message = f"NIQE sees luma (H, W) or colours (H, W, 3), not {shape}. Convert it first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        niqe(np.zeros(shape, np.uint8))


# --- the model of clean photographs


def test_the_model_is_a_gaussian_of_36_features() -> None:
    clean = clean_statistics()
    assert clean.mean.shape == (36,)
    np.testing.assert_array_equal(clean.covariance, clean.covariance.T)
    assert np.linalg.eigvalsh(clean.covariance).min() > 0


def test_the_model_is_what_its_script_fits() -> None:
    """A shape that falls to the next point of the grid by rounding moves a mean by 6e-6."""
    pytest.importorskip("skimage")
    again = fitted(runpy.run_path(str(SCRIPT))["pristine_features"]())
    np.testing.assert_allclose(clean_statistics().mean, again.mean, atol=5e-5)
    np.testing.assert_allclose(clean_statistics().covariance, again.covariance, atol=5e-5)


def test_the_covariance_is_divided_by_one_less() -> None:
    features = np.random.default_rng(0).normal(size=(5, 36))
    found = fitted(features)
    np.testing.assert_allclose(found.mean, features.sum(axis=0) / 5)
    centred = features - found.mean
    np.testing.assert_allclose(found.covariance, centred.T @ centred / 4)
