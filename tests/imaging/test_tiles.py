"""Bands of rows: joined they are the whole."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.tiles import Band, bands


def blur(rows: np.ndarray, reach: int) -> np.ndarray:
    """A sum over `reach` rows on either side, zeros beyond the edges, as a network pads."""
    padded = np.pad(rows, reach)
    return np.convolve(padded, np.arange(1, 2 * reach + 2), mode="valid")


@settings(deadline=None)
@given(height=st.integers(1, 60), rows=st.integers(1, 70), reach=st.integers(0, 9))
def test_pieces_joined_equal_the_whole(height: int, rows: int, reach: int) -> None:
    picture = np.random.default_rng(height).integers(0, 99, height)
    pieces = [
        blur(picture[band.start : band.stop], reach)[
            band.keep_start - band.start : band.keep_stop - band.start
        ]
        for band in bands(height, rows=rows, overlap=reach)
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), blur(picture, reach))


def test_bands_by_hand() -> None:
    assert bands(10, rows=4, overlap=1) == [
        Band(start=0, stop=5, keep_start=0, keep_stop=4),
        Band(start=3, stop=9, keep_start=4, keep_stop=8),
        Band(start=7, stop=10, keep_start=8, keep_stop=10),
    ]


def test_impossible_bands_are_refused() -> None:
    message = (
        "Bands of 0 rows with an overlap of 2 cannot be cut. "
        "Use at least 1 row and an overlap of 0 or more."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        bands(10, rows=0, overlap=2)
