"""Random numbers of (seed, stream, step): the same everywhere, unlike each other."""

import numpy as np
import pytest

from acutance.data.streams import Stream, below, philox, uniforms
from acutance.errors import InputError


def test_numbers_are_those_of_philox_as_published():
    """Random123's known answers for philox4x64-10, counter and key all zero.

    Numpy counts before it draws, so the zero counter is reached from the largest one.
    """
    words = np.random.Philox(key=0, counter=2**256 - 1).random_raw(4)
    assert [f"{w:016x}" for w in words.tolist()] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]


def test_a_stream_is_keyed_by_seed_and_stream_and_counted_by_step():
    ours = philox(5, Stream.GRID, step=9).random_raw(3)
    counter = 9 << 192
    theirs = np.random.Philox(key=5 + (int(Stream.GRID) << 64), counter=counter).random_raw(3)
    assert ours.tolist() == theirs.tolist()


def test_seed_stream_and_step_each_change_the_numbers():
    def first(seed, stream, step):
        return uniforms(seed, stream, step=step, shape=(8,)).tolist()

    seen = [first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1)]
    assert len({tuple(numbers) for numbers in seen}) == 4
    assert first(0, 0, 0) == seen[0]


def test_a_longer_draw_begins_with_the_shorter():
    short = uniforms(3, 0, step=4, shape=(5, 4))
    assert np.array_equal(uniforms(3, 0, step=4, shape=(9, 4))[:5], short)


def test_whole_numbers_fill_their_range_evenly():
    """6,000 draws of six: each 1,000 times, give or take five standard deviations (29 each)."""
    drawn = below(uniforms(0, 0, step=0, shape=(6000,)), 6)
    counts = np.bincount(drawn, minlength=6)
    assert len(counts) == 6
    assert np.abs(counts - 1000).max() < 145


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_an_impossible_seed_is_refused_with_its_value(seed):
    with pytest.raises(InputError, match=f"seed of a random stream is {seed}; it must be from 0"):
        philox(seed, Stream.BATCH, step=0)
