"""The measure of a network's own pattern: it sees a lattice of its scale, and little else."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCALE = 4


@pytest.fixture
def lattice(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield __import__("lattice")
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == BENCHMARKS:
            del sys.modules[name]


def picture(*, period: int, height: float, noise: float) -> np.ndarray:
    """A grey slope with a bright pixel in each cell of a lattice, and noise; (120, 120, 3)."""
    down, across = np.mgrid[:120, :120]
    dots = height * ((down % period == 1) & (across % period == 2))
    grain = np.random.default_rng(0).normal(0, noise, (120, 120))
    return np.repeat((100 + down / 2 + dots + grain)[:, :, None], 3, axis=2)


def test_a_lattice_of_the_scale_is_seen_and_nothing_else(lattice):
    def strength(**given):
        return lattice.pattern(picture(**given), SCALE).mean()

    # One of 16 places is 16 levels higher, less the mean over 25 pixels: 15/16 of a share of 1/16.
    assert strength(period=SCALE, height=16, noise=0) == pytest.approx(
        16 * np.sqrt(15) / 16, rel=0.1
    )
    assert strength(period=SCALE, height=32, noise=0) == pytest.approx(
        2 * strength(period=SCALE, height=16, noise=0), rel=1e-6
    )
    assert strength(period=SCALE, height=0, noise=0) < 1e-9
    assert strength(period=5, height=16, noise=0) < 0.6
    assert strength(period=SCALE, height=0, noise=4) < 0.7  # 4 levels over 64 periods: 0.5


def test_blocks_without_content_are_flat(lattice):
    half = picture(period=SCALE, height=0, noise=0)
    half[:, 60:] += np.random.default_rng(1).normal(0, 40, (120, 60, 1))
    flat = lattice.flat_blocks(half, SCALE).reshape(3, 3)
    assert flat[:, 0].all()
    assert not flat[:, 2].any()
