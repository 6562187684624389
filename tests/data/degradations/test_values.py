"""One answer of each stage that is known beforehand; its origin stands beside it."""

import math

import numpy as np
import pytest

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.chain import degrade
from acutance.data.degradations.expression import parse_degradation


def degraded(text: str, picture: np.ndarray, scale: int = 1) -> np.ndarray:
    chain = parse_degradation(f"{text} | unrounded")
    return degrade(picture, chain, scale=scale, draw=np.random.default_rng(0))


def spread(text: str, reach: int) -> np.ndarray:
    """What a single bright pixel of 255 becomes, as shares, `reach` pixels round it."""
    point = np.zeros((31, 31, 1), dtype=np.uint8)
    point[15, 15] = 255
    middle = slice(15 - reach, 16 + reach)
    return degraded(text, point)[middle, middle, 0] / 255.0


def j1(x: float) -> float:
    """Its power series."""
    return sum(
        (-1) ** k / (math.factorial(k) * math.factorial(k + 1)) * (x / 2) ** (2 * k + 1)
        for k in range(20)
    )


def shares_of(middle: float, side: float, corner: float) -> np.ndarray:
    weights = np.array([[corner, side, corner], [side, middle, side], [corner, side, corner]])
    return weights / weights.sum()


# MATLAB's documentation of fspecial: h = fspecial('gaussian', 3, 1)
FSPECIAL = [[0.0751, 0.1238, 0.0751], [0.1238, 0.2042, 0.1238], [0.0751, 0.1238, 0.0751]]
SPREADS = [
    ("blur(sigma=1, size=3)", np.array(FSPECIAL), 5e-5),
    ("blur(sigma=1, angle=20, size=2)", np.array(FSPECIAL), 5e-5),
    # the formulas, with d^2 = 1 at the sides and 2 in the corners
    ("blur(sigma=1, size=3, beta=2)", shares_of(1, math.exp(-0.5), math.exp(-2.0)), 1e-6),
    ("blur(sigma=1, size=3, form='plateau')", shares_of(1, 1 / 2, 1 / 3), 1e-6),
    ("blur(sigma=1, size=3, form='plateau', beta=2)", shares_of(1, 1 / 2, 1 / 5), 1e-6),
    # sigma 1 along the row, 2 along the column: d^2 = 1 beside, 1/4 above, 5/4 in the corner
    (
        "blur(sigma=1, across=2, size=3)",
        np.outer([math.exp(-1 / 8), 1, math.exp(-1 / 8)], [math.exp(-0.5), 1, math.exp(-0.5)])
        / ((1 + 2 * math.exp(-1 / 8)) * (1 + 2 * math.exp(-0.5))),
        1e-6,
    ),
    ("sinc(cutoff=2, size=3)", shares_of(1, j1(2), j1(8**0.5) / 2**0.5), 1e-6),
    ("motion(length=3)", np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]]) / 3, 1e-6),
    ("motion(length=3, angle=90)", np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]]) / 3, 1e-6),
]


@pytest.mark.parametrize(("text", "shares", "within"), SPREADS, ids=[row[0] for row in SPREADS])
def test_a_point_becomes(text, shares, within):
    np.testing.assert_allclose(spread(text, 1), shares, rtol=0, atol=within)


def test_a_sharp_sigma_along_one_axis_is_the_same_turned_by_a_right_angle():
    one = spread("blur(sigma=3, across=1)", 9)
    np.testing.assert_allclose(
        spread("blur(sigma=3, across=1, angle=90)", 9), one.T, rtol=0, atol=1e-6
    )
    np.testing.assert_allclose(spread("blur(sigma=1, across=3)", 9), one.T, rtol=0, atol=1e-6)
    assert one[9, 0] > one[0, 9]  # along the rows


@pytest.mark.parametrize(
    "text", ["motion(length=7, angle=45)", "blur(sigma=3, across=0.5, angle=45)"]
)
def test_angles_go_counter_clockwise_as_seen(text):
    """Toward the upper right."""
    found = spread(text, 2)
    assert found[0, 4] == pytest.approx(found[4, 0], abs=1e-6)
    assert found[0, 4] > 0.03
    assert abs(found[0, 0]) < 1e-5


def test_motion_of_nine_pixels_is_nine_ninths():
    """fspecial('motion', 9, 0) of MATLAB's documentation: a row of nine values of 0.1111."""
    row = spread("motion(length=9)", 6)[6]
    np.testing.assert_allclose(row, [0, 0, *[1 / 9] * 9, 0, 0], rtol=0, atol=1e-6)


def test_defocus_weighs_pixels_within_the_disc_by_one_over_its_area():
    """The far corner of the pixel at (1, 1) is 2.12 pixels off, the near side of (0, 3) 2.5."""
    found = spread("defocus(radius=2.2)", 3)
    np.testing.assert_allclose(found[2:5, 2:5], 1 / (math.pi * 2.2**2), rtol=0, atol=1e-6)
    assert np.abs(found[0]).max() < 1e-6


@pytest.mark.parametrize("text", ["blur(sigma=0)", "motion(length=1)", "defocus(radius=0.5)"])
def test_no_blur_changes_nothing(text):
    picture = np.random.default_rng(2).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    np.testing.assert_array_equal(degraded(text, picture), picture)


# a row of 0 0 0 100 100 100 200 200 made half as long, by hand
HALVES = [
    ("nearest", "no", [0, 100, 100, 200]),  # the right one of each two
    ("area", "no", [0, 50, 100, 200]),
    ("area", "yes", [0, 50, 100, 200]),
    ("bilinear", "no", [0, 50, 100, 200]),
    # taps -3/32 19/32 19/32 -3/32 of a = -3/4, the outermost pixel repeated
    ("bicubic", "no", [0, 50, 90.625, 209.375]),
    # taps 1 3 3 1 of the triangle of four pixels, mirrored
    ("bilinear", "yes", [0, 50, 112.5, 187.5]),
]


@pytest.mark.parametrize(("kernel", "antialias", "halved"), HALVES)
def test_a_row_made_half_as_long(kernel, antialias, halved):
    line = np.array([0, 0, 0, 100, 100, 100, 200, 200], dtype=np.uint8)
    picture = np.repeat(line[None, :, None], 8, axis=0)
    text = f"resize(factor=0.5, kernel='{kernel}', antialias='{antialias}')"
    made = degraded(text, picture, scale=2)
    np.testing.assert_allclose(made, np.broadcast_to(np.array(halved)[:, None], (4, 4, 1)))


def test_reduce_by_nearest_takes_the_pixel_in_the_middle():
    """Index 1 of 3 and index 2 of 4, as the papers' "BD" at x3 after its blur."""
    columns = np.arange(12, dtype=np.uint8)
    picture = np.broadcast_to(columns[None, :, None], (12, 12, 1))
    assert degraded("reduce(kernel='nearest')", picture, 3)[0, :, 0].tolist() == [1, 4, 7, 10]
    assert degraded("reduce(kernel='nearest')", picture, 4)[0, :, 0].tolist() == [2, 6, 10]


def test_every_stage_of_optics_has_an_answer_here():
    told = {text.split("(")[0] for text, _, _ in SPREADS} | {"defocus", "resize", "reduce"}
    assert {"blur", "sinc", "motion", "defocus", "resize", "reduce"} == told
    assert told <= set(DEGRADATIONS.names())
