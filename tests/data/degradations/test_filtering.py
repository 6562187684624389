"""Fast weighted sums are the plain ones."""

import numpy as np
import pytest

from acutance.data.degradations import kernels
from acutance.data.degradations.filtering import along_axes, convolve, line_taps


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    generator = np.random.default_rng(height * width)
    return generator.integers(0, 256, (height, width, channels), dtype=np.uint8)


def plainly(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Each weight of the kernel times the picture moved by its place, in float64."""
    down, across = (side // 2 for side in kernel.shape)
    wide = np.pad(picture.astype(np.float64), ((down, down), (across, across), (0, 0)), "reflect")
    total = np.zeros(picture.shape)
    for y, row in enumerate(kernel[::-1, ::-1]):
        for x, weight in enumerate(row):
            total += weight * wide[y : y + picture.shape[0], x : x + picture.shape[1]]
    return total


CASES = [(64, 49, 21, 21), (17, 23, 7, 7), (8, 8, 21, 21), (8, 8, 5, 9), (1, 5, 3, 3), (3, 1, 9, 9)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_the_transform_is_the_plain_convolution(case, channels):
    """To 1e-4 levels, with kernels without any symmetry, and beyond the size of the picture."""
    picture = noise(*case[:2], channels)
    kernel = np.random.default_rng(1).random(case[2:])
    kernel /= kernel.sum()
    made = convolve(picture, kernel)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, plainly(picture, kernel), rtol=0, atol=1e-4)


def test_the_transform_keeps_what_is_beyond_the_range():
    picture = noise(17, 23).astype(np.float32) * 3 - 200
    kernel = kernels.sinc(9, cutoff=1.0)
    np.testing.assert_allclose(
        convolve(picture, kernel), plainly(picture, kernel), rtol=0, atol=3e-4
    )


def test_a_kernel_may_have_any_sum():
    picture, kernel = noise(9, 12), np.random.default_rng(1).random((3, 5))
    np.testing.assert_allclose(
        convolve(picture, kernel), plainly(picture, kernel), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("shape", [(128, 70), (17, 23), (8, 8), (1, 30)])
def test_lines_along_the_axes_are_the_plain_convolution_with_their_product(shape):
    picture = noise(*shape)
    down, across = kernels.gaussian_line(21, 2.0), kernels.gaussian_line(9, 1.0)
    made = along_axes(picture, line_taps(shape[0], down), line_taps(shape[1], across))
    assert made.dtype == np.float32
    plain = plainly(picture, np.outer(down, across))
    np.testing.assert_allclose(made, plain, rtol=0, atol=1e-4)


def test_a_single_weight_is_a_factor():
    picture = noise(5, 4)
    np.testing.assert_array_equal(convolve(picture, np.array([[0.5]])), picture * np.float32(0.5))
