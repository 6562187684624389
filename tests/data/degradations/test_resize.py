"""The stage `resize`: antialiased as MATLAB, or as torch's interpolate."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from acutance.data.degradations.contract import Aim
from acutance.data.degradations.resize import resize
from acutance.errors import InputError
from acutance.imaging.resample import resize as resampled

SIZES = [((34, 46), (17, 23)), ((34, 46), (9, 31)), ((8, 8), (13, 5)), ((70, 150), (1, 400))]


def noise(size: tuple[int, int], channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (*size, channels), dtype=np.uint8)


def resized(picture: np.ndarray, size: tuple[int, int], kernel: str, antialias: str) -> np.ndarray:
    aim = Aim(size, np.random.default_rng(0))
    return resize(picture, aim, factor=1.0, of="lr", kernel=kernel, antialias=antialias)


@pytest.mark.parametrize(("source", "size"), SIZES)
@pytest.mark.parametrize("kernel", ["bicubic", "bilinear", "lanczos3", "area"])
def test_antialiased_it_is_imresize_without_rounding(source, size, kernel):
    picture = noise(source)
    made = resized(picture, size, kernel, "yes")
    named = "box" if kernel == "area" else kernel
    exact = resampled(picture.astype(np.float64), size=size, kernel=named)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, exact, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("source", "size"), SIZES)
@pytest.mark.parametrize("kernel", ["bicubic", "bilinear", "area"])
def test_without_antialiasing_it_is_torchs_interpolate(source, size, kernel):
    picture = noise(source)
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].double()
    corners = None if kernel == "area" else False
    theirs = interpolate(planes, size=size, mode=kernel, align_corners=corners)
    made = resized(picture, size, kernel, "no")
    np.testing.assert_allclose(made, theirs[0].permute(1, 2, 0).numpy(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_nearest_is_torchs_exact_one_and_keeps_the_type(source, size):
    picture = noise(source, 1)
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None]
    theirs = interpolate(planes, size=size, mode="nearest-exact")[0].permute(1, 2, 0).numpy()
    for antialias in ("yes", "no"):
        made = resized(picture, size, "nearest", antialias)
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made, theirs)


@pytest.mark.parametrize("antialias", ["yes", "no"])
@pytest.mark.parametrize("kernel", ["bicubic", "bilinear", "lanczos3", "area", "nearest"])
def test_its_own_size_changes_nothing(kernel, antialias):
    picture = noise((17, 23))
    np.testing.assert_array_equal(resized(picture, (17, 23), kernel, antialias), picture)


@pytest.mark.parametrize(
    ("of", "factor", "size"),
    [
        ("picture", 0.5, (5, 9)),  # of 9 x 17: halves go up
        ("picture", 0.01, (1, 1)),
        ("picture", 1.5, (14, 26)),
        ("lr", 1.0, (4, 6)),
        ("lr", 0.6, (2, 4)),
        ("lr", 8.0, (32, 48)),
    ],
)
def test_the_factor_is_of_the_picture_or_of_lr(of, factor, size):
    aim = Aim((4, 6), np.random.default_rng(0))
    made = resize(noise((9, 17)), aim, factor=factor, of=of, kernel="bicubic", antialias="yes")
    assert made.shape == (*size, 3)


def test_a_picture_without_bounds_is_refused():
    aim = Aim((4000, 3000), np.random.default_rng(0))
    said = (
        r"^resize\(factor=8\) would make a picture of 24000x32000, more than 134,217,728 pixels. "
    )
    with pytest.raises(InputError, match=said):
        resize(noise((2, 2)), aim, factor=8.0, of="lr", kernel="area", antialias="no")
