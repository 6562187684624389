"""Sizes are exact to the pixel, and a network is run no oftener than it must."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.upscaling.settings import Size
from acutance.upscaling.sizes import passes_for, ratio_of, target_size

ODD = (37, 41)  # H, W


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Size(), (74, 82)),
        (Size(scale=Fraction(3, 2)), (56, 62)),  # 55.5 and 61.5: half up
        (Size(scale=Fraction(2)), (74, 82)),
        (Size(scale=Fraction(3)), (111, 123)),
        (Size(scale=Fraction(8)), (296, 328)),
        (Size(scale=Fraction(1, 3)), (12, 14)),
        (Size(width=100), (90, 100)),  # 37 * 100 / 41 = 90.2
        (Size(height=100), (100, 111)),  # 110.8
        (Size(fit=(1000, 100)), (100, 111)),
        (Size(fit=(100, 1000)), (90, 100)),
        (Size(megapixels=1.0), (950, 1053)),  # sqrt(1e6 / 1517) = 25.675
    ],
    ids=str,
)
def test_sizes_by_hand(wanted, expected):
    assert target_size(ODD, wanted, native=2) == expected


@given(
    size=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    box=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_the_largest_that_fits_fits(size, box):
    scale = min(Fraction(box[0], size[1]), Fraction(box[1], size[0]))
    if min(size) * scale < Fraction(1, 2):
        return
    height, width = target_size(size, Size(fit=box), native=None)
    assert (width <= box[0], height <= box[1]) == (True, True)
    assert width == box[0] or height == box[1]


@pytest.mark.parametrize(
    ("size", "wanted", "native", "message"),
    [
        (ODD, Size(), None, "'bicubic' has no scale of its own. Give one: --scale 2"),
        (ODD, Size(width=5, height=5), 2, "given twice, by width and by height. Give one"),
        (ODD, Size(scale=Fraction(0)), 2, "The scale must be above 0, not 0."),
        (ODD, Size(width=-1), 2, "The width must be above 0, not -1."),
        (ODD, Size(megapixels=float("nan")), 2, "The megapixels must be above 0, not nan."),
        ((1, 400), Size(width=100), 2, "A picture of 400x1 would become 100x0: no pixels."),
        (ODD, Size(scale=Fraction(10**4)), 2, "would become 410000x370000, more than the 10000 m"),
        ((10, 1), Size(height=10**7), 2, "or 1000000 a side, that are made. Ask for a smaller"),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(size, wanted, native, message):
    with pytest.raises(InputError, match=re.escape(message)):
        target_size(size, wanted, native=native)


@pytest.mark.parametrize(
    ("target", "native", "passes"),
    [((20, 20), 2, 1), ((21, 20), 2, 2), ((15, 15), 2, 1), ((80, 80), 2, 3), ((30, 30), 4, 1),
     ((10, 10), 2, 0), ((5, 9), 2, 0), ((9, 11), 2, 1), ((10, 10), 1, 1), ((20, 20), 1, 1)],
)  # fmt: skip
def test_the_last_step_is_never_a_blur_up(target, native, passes):
    """Unless the network keeps the size: then it is run once."""
    assert passes_for((10, 10), target, native=native) == passes


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (2, Fraction(2)),
        (1.1, Fraction(11, 10)),
        (4 / 3, Fraction(4, 3)),
        (np.float32(1.5), Fraction(3, 2)),
        ("3/2", Fraction(3, 2)),
        (Fraction(20001, 20000), Fraction(20001, 20000)),
    ],
)
def test_a_scale_is_the_ratio_that_is_meant(scale, expected):
    assert ratio_of(scale) == expected


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), "two", "1/0"])
def test_no_scale(scale):
    with pytest.raises(InputError, match=r"The scale must be a number above 0, not"):
        ratio_of(scale)
