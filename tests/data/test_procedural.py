"""Drawn pictures: a function of their number, and like photographs in their statistics."""

import hashlib
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from acutance.data.procedural import procedural_picture
from acutance.data.textures import natural_noise, stripes, strokes, waves

DIGEST = """
import hashlib
from acutance.data.procedural import procedural_picture
print(hashlib.sha256(procedural_picture(3, 11).tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def pictures():
    return [procedural_picture(0, i) for i in range(24)]


def power_slope(grey: np.ndarray) -> float:
    """Slope of log power over log frequency, mean over directions, 0.012 to 0.35 cycles / px."""
    side = grey.shape[0]
    window = np.hanning(side)[:, None] * np.hanning(side)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    edges = np.geomspace(0.012, 0.35, 12)
    rings = [(frequency >= a) & (frequency < b) for a, b in pairwise(edges)]
    levels = np.log([power[ring].mean() for ring in rings])
    return float(np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), levels, 1)[0])


def test_the_same_number_gives_the_same_picture_in_another_process():
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, timeout=60
    )
    here = hashlib.sha256(procedural_picture(3, 11).tobytes()).hexdigest()
    assert done.stdout.strip() == here, done.stderr


def test_another_number_or_seed_gives_another_picture():
    first = procedural_picture(0, 0, height=64, width=64)
    assert not np.array_equal(first, procedural_picture(0, 1, height=64, width=64))
    assert not np.array_equal(first, procedural_picture(1, 0, height=64, width=64))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (50, 300), (301, 64)])
def test_any_size_can_be_drawn(size):
    picture = procedural_picture(0, 5, height=size[0], width=size[1])
    assert picture.shape == (*size, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


def test_the_power_spectrum_falls_as_in_photographs(pictures):
    """Slope -2 for a scale invariant world; the same estimate over 100 photographs of BSDS300
    gives -2.33 with a standard deviation of 0.46."""
    slopes = [power_slope(picture.mean(axis=2)) for picture in pictures]
    assert -2.8 < np.mean(slopes) < -1.8
    assert max(slopes) < -1.4


def test_light_and_contrast_are_as_in_photographs(pictures):
    """BSDS300, 100 photographs: mean 109, standard deviation 53, max - min of R, G, B 42."""
    stack = np.stack(pictures).astype(float)
    assert 85 < stack.mean() < 130
    assert 40 < np.mean([picture.std() for picture in pictures]) < 70
    assert 20 < (stack.max(axis=-1) - stack.min(axis=-1)).mean() < 60


def test_noise_has_zero_mean_and_unit_deviation():
    draw = np.random.default_rng(0)
    fields = [natural_noise(draw, 128) for _ in range(40)]
    assert abs(np.mean([field.mean() for field in fields])) < 0.2
    assert 0.7 < np.sqrt(np.mean([(field**2).mean() for field in fields])) < 1.3


def test_rough_noise_is_stronger_in_fine_detail():
    def roughness(value):
        field = natural_noise(np.random.default_rng(1), 128, roughness=value)
        return np.diff(field, axis=0).std() / field.std()

    assert roughness(1.5) > 1.3 * roughness(1.0)


def test_waves_and_stripes_keep_their_period():
    along = np.arange(0, 64, dtype=np.float32)[None, :]
    for pattern in (waves, stripes):
        values = pattern(along, 16.0)
        assert np.allclose(values[:, 16:], values[:, :-16], atol=1e-6)
        assert abs(values.max() - 1) < 1e-6
        assert abs(values.min() + 1) < 1e-6


def test_strokes_are_ink_on_paper():
    page = strokes(np.random.default_rng(0), 200, cell=(20, 14))
    assert set(np.unique(page)) == {0.0, 1.0}
    assert 0.05 < page.mean() < 0.4
