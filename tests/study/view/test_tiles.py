"""Pieces of pictures and maps: exact at full size, means below it."""

import io
import threading
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from acutance.errors import InputError
from acutance.study.view.kept import Kept
from acutance.study.view.maps import Asked, difference, error, loss_map
from acutance.study.view.tiles import HEAT, STEPS, Place, levels_of, painted, tile


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_tiles_at_full_size_join_to_the_picture_itself():
    picture = noise(700, 1100)
    levels = levels_of(picture)
    rows = []
    for y in range(2):
        row = []
        for x in range(3):
            content, kind = tile(levels, Place(0, x, y))
            assert kind == "image/png"
            row.append(np.asarray(Image.open(io.BytesIO(content))))
        rows.append(np.concatenate(row, axis=1))
    assert np.array_equal(np.concatenate(rows), picture)


def test_halvings_end_with_one_tile_and_are_means():
    picture = noise(1025, 700)
    levels = levels_of(picture)
    assert [a.shape[:2] for a in levels.arrays] == [(1025, 700), (513, 350), (257, 175)]
    mean = picture[:2, :2].astype(float).mean(axis=(0, 1))
    assert np.abs(levels.arrays[1][0, 0] - mean).max() <= 0.5
    assert levels.size == (700, 1025)


@pytest.mark.parametrize("place", [(3, 0, 0), (-1, 0, 0), (0, 2, 0), (0, 0, 3), (1, 1, 0)])
def test_there_is_nothing_beyond_the_picture(place):
    assert not levels_of(noise(1025, 700)).has(Place(*place))


def test_small_differences_survive_the_halvings():
    """One pixel of 64 that differs by 2 levels is 1/32 of a level in the third halving."""
    a = np.zeros((4096, 8, 3), np.uint8)
    b = a.copy()
    b[::8, ::8] = 2
    levels = levels_of(difference(a, b))
    assert len(levels.arrays) == 4
    assert (levels.arrays[3] == STEPS * 2 // 64).all()
    assert (painted(levels.arrays[3], 255) == 255 * 2 // 64).all()


def test_the_error_map_is_the_mean_over_the_channels():
    a = np.zeros((2, 2, 3), np.uint8)
    b = a.copy()
    b[0, 1] = (3, 30, 60)
    made = error(a, b)
    assert made[0, 1] == 31 * STEPS
    assert (painted(made, 4)[0, 1] == HEAT[124]).all()
    assert (painted(made, 4)[0, 0] == 0).all()


def test_heat_grows_brighter_evenly():
    """So it reads the same in grey, and for people who see few colours."""
    luma = HEAT.astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luma) > -0.5).all()
    assert luma[0] == 0
    assert luma[-1] > 240


def test_pictures_of_other_sizes_have_no_difference():
    with pytest.raises(InputError, match="8x4 and 6x4 pixels have no difference"):
        difference(noise(4, 8), noise(4, 6))


def test_where_a_squared_error_looks_is_where_the_error_is():
    """d mse / d sr = 2 (sr - hr) / n, so the map is the error's norm over its quantile."""
    hr = np.full((40, 50, 3), 100, np.uint8)
    sr = hr.copy()
    sr[10:20, 10:20] += 20
    sr[30, 30] += 5
    made = loss_map(sr, hr, None, Asked("mse", 1, (0, 0)))
    assert made.window == (0, 0, 50, 40)
    assert (made.values[10:20, 10:20] == 255 * STEPS).all()
    assert abs(int(made.values[30, 30]) - 255 * STEPS // 4) <= 1
    assert (made.values > 0).sum() == 101
    expected = 2 * (20 / 255) / hr.size * np.sqrt(3)
    assert made.largest == pytest.approx(expected, rel=1e-5)
    assert made.terms[0][0] == "mse"
    assert made.terms[0][1] == pytest.approx((300 * 400 + 3 * 25) / 255**2 / hr.size, rel=1e-5)


def test_a_sum_of_shares_has_a_map_too():
    hr, sr = noise(32, 32), noise(32, 32, 1)
    made = loss_map(sr, hr, None, Asked("80% l1 + 20% mse", 1, (0, 0)))
    assert made.largest > 0
    assert [name for name, _ in made.terms] == ["80% l1", "20% mse"]


def test_a_large_picture_is_looked_at_where_the_person_is(monkeypatch):
    monkeypatch.setattr("acutance.study.view.maps.MOST_PX", 1000)
    monkeypatch.setattr("acutance.study.view.maps.WINDOW_PX", 16)
    hr, sr = noise(40, 60), noise(40, 60, 1)
    made = loss_map(sr, hr, None, Asked("mse", 2, (59, 21)))
    assert made.window == (44, 12, 16, 16)
    assert (made.values[12:28, 44:] > 0).mean() > 0.9
    assert (made.values > 0).sum() <= 256


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("l1 +", "cannot be read"),
        ("ssin", "ssim"),
        ("", "empty"),
        ("back_projection", "needs"),
        ("w*l1", "'w' stands for a weight"),
    ],
)
def test_a_loss_that_has_no_map_is_refused_in_words(loss, words):
    with pytest.raises(InputError, match=words):
        loss_map(noise(32, 32), noise(32, 32, 1), None, Asked(loss, 1, (0, 0)))


def test_the_longest_unused_goes_first():
    made = []
    kept = Kept(10, len)

    def get(key):
        return kept.get(key, lambda: made.append(key) or "x" * 4)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]
    assert kept.held == 8


def test_what_several_ask_for_at_once_is_made_once():
    begun, go = [], threading.Event()
    kept = Kept(10, len)

    def make():
        begun.append(1)
        go.wait(5)
        return "made"

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get(1, make))) for _ in range(4)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(5)
    assert begun == [1]
    assert found == ["made"] * 4


def test_after_a_failure_one_of_those_who_wait_makes_it_and_its_bytes_count_once():
    """Whoever comes while the second tries waits, too."""
    kept = Kept(100, len)
    begun, go = ([threading.Event() for _ in range(3)] for _ in range(2))

    def make(number):
        begun[number].set()
        go[number].wait(5)
        if number == 0:
            raise InputError("no")
        return "made"

    def ask(number):
        with suppress(InputError):
            kept.get(1, lambda: make(number))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    threads[0].start()
    begun[0].wait(5)
    threads[1].start()
    threads[1].join(0.1)  # it waits for the first by now
    go[0].set()
    begun[1].wait(5)
    threads[0].join(5)
    threads[2].start()
    twice = begun[2].wait(0.1)
    for event in go:
        event.set()
    for thread in threads:
        thread.join(5)
    assert not twice
    assert kept.held == len("made")


def test_what_cannot_be_made_is_tried_again():
    kept = Kept(10, len)
    with pytest.raises(InputError):
        kept.get(1, lambda: (_ for _ in ()).throw(InputError("no")))
    assert kept.get(1, lambda: "yes") == "yes"
