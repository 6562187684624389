"""YCbCr as MATLAB's rgb2ycbcr gives it."""

import re

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.imaging.colour import luma, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("rgb", "ycbcr"),
    [  # Poynton (1996), table of BT.601 colour bars, in 8 bits
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (81, 90, 240)),
        ((0, 255, 0), (145, 54, 34)),
        ((0, 0, 255), (41, 240, 110)),
    ],
)
def test_the_colour_bars_have_their_published_codes(
    rgb: tuple[int, int, int], ycbcr: tuple[int, int, int]
) -> None:
    pixel = np.array(rgb, np.uint8).reshape(1, 1, 3)
    np.testing.assert_array_equal(to_uint8(rgb_to_ycbcr(pixel))[0, 0], ycbcr)
    assert to_uint8(luma(pixel))[0, 0] == ycbcr[0]


def test_luma_is_the_sum_of_the_standard() -> None:
    rgb = noise(5, 6, 3)
    r, g, b = np.moveaxis(rgb.astype(np.float64), 2, 0)
    expected = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255
    np.testing.assert_allclose(luma(rgb), expected, rtol=1e-15)
    np.testing.assert_array_equal(luma(rgb), luma(rgb.astype(np.float64)))
    np.testing.assert_array_equal(luma(rgb), rgb_to_ycbcr(rgb)[:, :, 0])
    assert luma(rgb).dtype == np.float64


def test_there_and_back_is_the_same_colour() -> None:
    rgb = noise(9, 7, 3)
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb, rtol=0, atol=1e-11)


def test_halves_are_rounded_up_and_the_rest_clipped() -> None:
    values = np.array([-3.0, 0.49, 0.5, 1.5, 2.5, 254.5, 255.4, 300.0])
    np.testing.assert_array_equal(to_uint8(values), [0, 0, 1, 2, 3, 255, 255, 255])


@pytest.mark.parametrize("convert", [luma, rgb_to_ycbcr, ycbcr_to_rgb])
def test_grey_is_not_taken_for_colour(convert) -> None:
    message = "Colour is converted for pictures (H, W, 3), not (4, 4, 1)."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        convert(noise(4, 4, 1))
