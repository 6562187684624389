"""Resizing follows MATLAB's imresize to the last bit, for any size, scale and kernel."""

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.imaging.files import read_picture
from acutance.imaging.resample import (
    KERNELS,
    axis_weights,
    crop_to_multiple,
    downscale,
    resize,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# --- a second, plainer implementation: one sample at a time, from the published rule


def plain_kernel(name: str, x: float) -> float:
    x = abs(x) if name != "box" else x
    if name == "bicubic":
        if x <= 1:
            return 1.5 * (x * x * x) - 2.5 * (x * x) + 1
        return -0.5 * (x * x * x) + 2.5 * (x * x) - 4 * x + 2 if x <= 2 else 0.0
    if name == "bilinear":
        return 1 - x if x <= 1 else 0.0
    if name == "box":
        return 1.0 if -0.5 <= x < 0.5 else 0.0
    if x == 0:
        return 1.0
    inside = math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi**2 * x**2 / 3)
    return inside if x < 3 else 0.0


WIDTH = {"bicubic": 4, "bilinear": 2, "lanczos3": 6, "box": 1}


def plain_line(line: list[float], n_out: int, scale: float, kernel: str) -> list[float]:
    n = len(line)
    k = min(scale, 1.0)
    w = WIDTH[kernel] / k
    result = []
    for i in range(1, n_out + 1):
        u = i / scale + (1 - 1 / scale) / 2
        positions = [math.floor(u - w / 2) + j for j in range(math.ceil(w) + 2)]
        weights = [k * plain_kernel(kernel, k * (u - p)) for p in positions]
        mirrored = [(p - 1) % (2 * n) for p in positions]
        samples = [line[q if q < n else 2 * n - 1 - q] for q in mirrored]
        total = in_order(weights)
        result.append(in_order([a / total * v for a, v in zip(weights, samples, strict=True)]))
    return result


def in_order(values: list[float]) -> float:
    """Python's own sum compensates rounding from 3.12 on, which decides some exact ties."""
    total = 0.0
    for value in values:
        total += value
    return total


def plain_resize(
    image: np.ndarray, size: tuple[int, int], scales: tuple[float, float], kernel: str
) -> np.ndarray:
    values = image.astype(np.float64)
    for axis in (0, 1) if scales[0] <= scales[1] else (1, 0):
        lines = np.moveaxis(values, axis, -1)
        made = [
            plain_line(line.tolist(), size[axis], scales[axis], kernel)
            for line in lines.reshape(-1, lines.shape[-1])
        ]
        values = np.moveaxis(np.array(made).reshape(*lines.shape[:-1], -1), -1, axis)
        if image.dtype == np.uint8:
            values = np.floor(np.clip(values, 0, 255) + 0.5)
    return values


# --- the published files


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["baby", "bird", "butterfly", "head", "woman"])
def test_remakes_the_published_small_pictures(acutance_data: Path, name: str, scale: int) -> None:
    hr = read_picture(acutance_data / "Set5" / "HR" / f"{name}.png").pixels
    published = acutance_data / "Set5" / "LR_bicubic" / f"X{scale}" / f"{name}x{scale}.png"
    lr = read_picture(published).pixels
    made = downscale(hr, scale)
    assert made.shape == lr.shape
    assert np.count_nonzero(made != lr) == 0


# --- the plain implementation

SIDES = st.integers(1, 14)


@settings(deadline=None)
@given(
    shape=st.tuples(SIDES, SIDES),
    size=st.tuples(SIDES, SIDES),
    kernel=st.sampled_from(sorted(KERNELS)),
    seed=st.integers(0, 999),
)
def test_equals_the_plain_rule_for_any_size(
    shape: tuple[int, int], size: tuple[int, int], kernel: str, seed: int
) -> None:
    image = noise(*shape, 3, seed=seed)
    scales = (size[0] / shape[0], size[1] / shape[1])
    expected = plain_resize(image, size, scales, kernel)
    # a tie that rounding of pi decides may fall either way: lanczos alone may differ by one
    tolerance = 1 if kernel == "lanczos3" else 0
    made = resize(image, size=size, kernel=kernel)
    assert made.dtype == np.uint8
    assert np.abs(made - expected).max() <= tolerance
    exact = plain_resize(image / 255.0, size, scales, kernel)
    np.testing.assert_allclose(
        resize(image / 255.0, size=size, kernel=kernel), exact, rtol=0, atol=1e-13
    )


@settings(deadline=None, max_examples=50)
@given(
    shape=st.tuples(SIDES, SIDES),
    scale=st.sampled_from([2, 3, 4, Fraction(3, 2), Fraction(2, 3), Fraction(1, 3), 1.1, 0.3]),
    seed=st.integers(0, 999),
)
def test_equals_the_plain_rule_for_any_scale(
    shape: tuple[int, int], scale: float | Fraction, seed: int
) -> None:
    image = noise(*shape, 1, seed=seed)
    ratio = Fraction(str(scale))
    size = (math.ceil(shape[0] * ratio), math.ceil(shape[1] * ratio))
    expected = plain_resize(image, size, (float(scale), float(scale)), "bicubic")
    np.testing.assert_array_equal(resize(image, scale=scale), expected)


def test_large_pictures_made_in_threads_and_blocks_equal_the_plain_rule() -> None:
    """Larger than every block in both directions; compared where it costs little: along lines."""
    image = noise(150, 1700, 3)
    made = resize(image / 1.0, scale=2)
    for channel in range(3):
        column = plain_line((image[:, 850, channel] / 1.0).tolist(), 300, 2.0, "bicubic")
        # columns of a picture constant along rows pass the second pass unchanged
        flat = resize(np.repeat(image[:, 850:851] / 1.0, 1700, axis=1), scale=2)
        np.testing.assert_allclose(flat[:, 3000, channel], column, rtol=0, atol=1e-11)
        flat = resize(np.repeat(image[70:71] / 1.0, 150, axis=0), scale=2)
        row = plain_line((image[70, :, channel] / 1.0).tolist(), 3400, 2.0, "bicubic")
        np.testing.assert_allclose(flat[33, :, channel], row, rtol=0, atol=1e-11)
    halves = [resize(part, scale=2) for part in (image[:90] / 1.0, image[60:] / 1.0)]
    joined = np.concatenate([halves[0][:150], halves[1][30:]])
    np.testing.assert_array_equal(made, joined)


# --- properties


@settings(deadline=None)
@given(
    shape=st.tuples(SIDES, SIDES),
    size=st.tuples(SIDES, SIDES),
    level=st.integers(0, 255),
    kernel=st.sampled_from(sorted(KERNELS)),
)
def test_a_flat_picture_stays_flat(
    shape: tuple[int, int], size: tuple[int, int], level: int, kernel: str
) -> None:
    flat = np.full(shape, level, dtype=np.uint8)
    np.testing.assert_array_equal(resize(flat, size=size, kernel=kernel), np.full(size, level))


@settings(deadline=None)
@given(height=st.integers(1, 99), width=st.integers(1, 99), scale=st.integers(1, 5))
def test_sides_are_rounded_up(height: int, width: int, scale: int) -> None:
    image = np.zeros((height, width), np.uint8)
    assert resize(image, scale=scale).shape == (height * scale, width * scale)
    smaller = resize(image, scale=Fraction(1, scale))
    assert smaller.shape == (-(-height // scale), -(-width // scale))
    assert resize(image, scale=1 / scale).shape == smaller.shape


@settings(deadline=None)
@given(
    top=st.integers(0, 6), left=st.integers(0, 6), scale=st.integers(2, 4), seed=st.integers(0, 99)
)
def test_away_from_the_borders_a_crop_is_reduced_as_the_whole(
    top: int, left: int, scale: int, seed: int
) -> None:
    image = noise(20 * scale, 18 * scale, 3, seed=seed)
    part = image[top * scale : (top + 12) * scale, left * scale : (left + 11) * scale]
    whole = downscale(image, scale)[top : top + 12, left : left + 11]
    np.testing.assert_array_equal(downscale(part, scale)[2:-2, 2:-2], whole[2:-2, 2:-2])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_the_type_is_kept_and_the_same_size_changes_nothing(dtype: type) -> None:
    image = noise(7, 9, 3).astype(dtype)
    same = resize(image, scale=1)
    assert same.dtype == dtype
    np.testing.assert_array_equal(same, image)


def test_floats_are_neither_clipped_nor_rounded() -> None:
    step = np.zeros((8, 8))
    step[:, 4:] = 255.0
    made = resize(step, scale=2)
    assert made.min() < -5  # bicubic overshoots by 7 % of a step at x2
    assert made.max() > 260


def test_a_view_of_a_picture_is_resized_as_its_copy() -> None:
    image = noise(40, 50, 3)
    view = image[3:33:2, 40:2:-1]
    assert not view.flags.c_contiguous
    np.testing.assert_array_equal(resize(view, scale=2), resize(view.copy(), scale=2))


def test_grey_planes_equal_the_channels_of_a_colour_picture() -> None:
    image = noise(13, 11, 3)
    made = resize(image, scale=Fraction(3, 2))
    for channel in range(3):
        np.testing.assert_array_equal(
            resize(image[:, :, channel], scale=Fraction(3, 2)), made[:, :, channel]
        )


def test_weights_by_hand() -> None:
    """x2: outputs sit at 1/4 and 3/4 between sources; Keys' kernel there, in 128ths."""
    index, weight = axis_weights(8, 16, scale=2.0, kernel="bicubic")
    np.testing.assert_array_equal(index[6], [1, 2, 3, 4])
    np.testing.assert_array_equal(weight[6] * 128, [-3, 29, 111, -9])
    np.testing.assert_array_equal(weight[7] * 128, [-9, 111, 29, -3])
    index, weight = axis_weights(8, 4, scale=0.5, kernel="box")
    np.testing.assert_array_equal(index[1], [2, 3])
    np.testing.assert_array_equal(weight[1], [0.5, 0.5])
    _, weight = axis_weights(8, 16, scale=2.0, kernel="bilinear")
    np.testing.assert_array_equal(weight[6], [0.25, 0.75])


def test_beyond_the_border_the_picture_is_mirrored() -> None:
    index, _ = axis_weights(5, 10, scale=2.0, kernel="bicubic")
    np.testing.assert_array_equal(index[0], [1, 0, 0, 1])
    np.testing.assert_array_equal(index[9], [3, 4, 4, 3])


def test_cropping_keeps_the_top_left() -> None:
    image = noise(11, 14, 3)
    np.testing.assert_array_equal(crop_to_multiple(image, 4), image[:8, :12])
    np.testing.assert_array_equal(crop_to_multiple(image, Fraction(3, 2)), image[:9, :12])
    assert downscale(image, Fraction(3, 2)).shape == (6, 8, 3)
    np.testing.assert_array_equal(downscale(image, 1.5), downscale(image, Fraction(3, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: resize(image), "Give either the scale or the size of the result."),
        (
            lambda image: resize(image, scale=2, size=(4, 4)),
            "Give either the scale or the size of the result.",
        ),
        (lambda image: resize(image, scale=0), "The scale must be above 0, not 0."),
        (lambda image: resize(image, scale=math.nan), "The scale must be above 0, not nan."),
        (
            lambda image: resize(image, size=(0, 4)),
            "Cannot resize 5x4 to 4x0: no pixels.",
        ),
        (
            lambda image: resize(image, scale=2, kernel="bicubik"),
            "Unknown kernel 'bicubik'. Did you mean 'bicubic'?",
        ),
        (
            lambda image: resize(image.astype(np.int32), scale=2),
            "Pictures of type int32 are not resized. Use uint8 or floats.",
        ),
        (
            lambda image: resize(image[0, 0], scale=2),
            "A picture is (H, W) or (H, W, C), not (3,).",
        ),
        (
            lambda image: downscale(image, 5),
            "A picture of 5x4 cannot be made 5 times smaller.",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(call, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call(noise(4, 5, 3))
