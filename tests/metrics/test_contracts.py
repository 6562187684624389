"""What every metric owes its readers. A metric joins by its line in the METRICS table.

Most of it is for those that compare arrays as a protocol does; those that look through a network,
at one picture or at the small one have more in tests of their own.
"""

import re

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.metrics import METRICS


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


COMPARING = [n for n in METRICS.names() if METRICS.module(n).CARD.sees == "compared"]


@pytest.mark.parametrize("name", METRICS.names())
def test_a_card_says_how_to_read_the_values(name: str) -> None:
    card = METRICS.module(name).CARD
    assert card.direction in ("higher", "lower")
    assert card.judges in ("fidelity", "perception")
    assert card.range[0] < card.range[1]
    assert card.source
    if card.beside == "nothing":
        assert card.identical is None
    else:
        assert card.range[0] <= card.identical <= card.range[1]
        assert card.identical == (max if card.direction == "higher" else min)(card.range)


@pytest.fixture(params=COMPARING)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def metric(name: str):
    return METRICS.load(name)


@pytest.fixture
def card(name: str):
    return METRICS.module(name).CARD


@pytest.mark.parametrize("shape", [(11, 11), (40, 23), (40, 23, 1), (23, 40, 3)], ids=str)
def test_equal_pictures_have_the_value_of_the_card(metric, card, shape) -> None:
    picture = noise(*shape)
    assert metric(picture, picture.copy()) == pytest.approx(card.identical, abs=1e-12)
    flat = np.full(shape, 255, np.uint8)
    assert metric(flat, flat.copy()) == pytest.approx(card.identical, abs=1e-12)


def test_more_noise_is_worse(metric, card) -> None:
    hr = noise(40, 40, 3).astype(np.float64)
    grain = np.random.default_rng(1).normal(size=hr.shape)
    values = [metric(hr + strength * grain, hr) for strength in (1, 4, 16, 64)]
    assert values == sorted(values, reverse=card.direction == "higher")
    assert len(set(values)) == 4


def test_the_worst_pair_stays_in_the_range_of_the_card(metric, card) -> None:
    black, white = np.zeros((16, 16), np.uint8), np.full((16, 16), 255, np.uint8)
    pairs = ((black, white), (white, black), (noise(16, 16), 255 - noise(16, 16)))
    for pair in pairs:
        assert card.range[0] <= metric(*pair) <= card.range[1]


def test_integers_do_not_wrap_round(metric) -> None:
    sr, hr = noise(20, 20), noise(20, 20, seed=1)
    assert metric(sr, hr) == metric(sr.astype(np.float64), hr.astype(np.float64))


def test_the_layout_in_memory_does_not_matter(metric) -> None:
    sr, hr = noise(70, 40, 3), noise(70, 40, 3, seed=1)
    views = [picture[3:63:2, ::-1].transpose(1, 0, 2) for picture in (sr, hr)]
    copies = [np.ascontiguousarray(view) for view in views]
    assert metric(*views) == pytest.approx(metric(*copies), rel=1e-13)


def test_single_precision_is_summed_in_double(metric) -> None:
    sr, hr = noise(20, 20), noise(20, 20, seed=1)
    assert metric(sr.astype(np.float32), hr.astype(np.float32)) == metric(sr, hr)


def test_the_pictures_are_left_alone(metric) -> None:
    sr, hr = noise(20, 20, 3), noise(20, 20, 3, seed=1)
    before = sr.copy(), hr.copy()
    metric(sr, hr)
    np.testing.assert_array_equal(sr, before[0])
    np.testing.assert_array_equal(hr, before[1])


def test_pictures_of_different_shapes_are_refused(metric) -> None:
    message = (
        "Pictures of different shapes cannot be compared: (20, 20) and (20, 21). "
        "Crop or resize one of them first."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        metric(noise(20, 20), noise(20, 21))


def test_what_is_no_picture_is_refused(metric) -> None:
    message = "Pictures are compared as (H, W) or (H, W, C), not (0, 20)."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        metric(noise(0, 20), noise(0, 20))
