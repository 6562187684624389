"""Pictures made small by a learned F: in strips as whole, of any depth, with what stands beside."""

import numpy as np
import pytest
import torch
from PIL import ImageCms

from acutance.errors import InputError, RunError
from acutance.imaging.colour import luma, rgb_to_ycbcr
from acutance.imaging.files import open_source, read_picture, write_picture
from acutance.imaging.metadata import Metadata
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale, resize
from acutance.models.rescaling import card_of
from acutance.models.shrinker import Shrinker
from acutance.upscaling import shrinking
from acutance.upscaling.reduction import Reducer
from acutance.upscaling.settings import Output
from acutance.upscaling.shrinking import shrink, shrink_file

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def reducer_of(channels: int = 1, std: float = 0.07) -> Reducer:
    torch.manual_seed(1)
    shrinker = Shrinker(scale=2, channels=channels)
    torch.nn.init.normal_(shrinker.body[-1].weight, std=std)
    return Reducer(shrinker, card_of(shrinker), "cpu")


@pytest.fixture(scope="module")
def picture():
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:83, :61]
    waves = 127 + 90 * np.sin(0.3 * x + 0.2 * y)
    noisy = waves[..., None] + generator.normal(0, 12, (83, 61, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_strips_equal_the_whole(channels, picture, monkeypatch):
    """In float32: the last bits of sums of other lengths may differ."""
    exact = picture.astype(np.float32) / 255
    whole = shrink(exact, model=reducer_of(channels))
    monkeypatch.setattr(shrinking, "PIECE_PX", 1)
    monkeypatch.setattr(shrinking, "_LEAST_ROWS", 3)
    strips = shrink(exact, model=reducer_of(channels))
    assert whole.shape == (41, 30, 3)
    assert np.abs(whole - strips).max() < 1e-6


def test_the_luma_is_f_s_and_the_chroma_bicubic_s(picture):
    reducer = reducer_of()
    made = shrink(picture, model=reducer)
    cropped = picture[:82, :60]
    hr = luma(cropped).astype(np.float32)[None, None] / 255
    wanted = 255 * reducer(hr)[0, 0]
    assert np.abs(luma(made) - wanted).max() < 0.75  # three values are rounded, none is clipped
    assert np.abs(wanted - luma(downscale(cropped, 2))).max() > 2  # F does something
    chroma = resize(rgb_to_ycbcr(cropped), size=(41, 30))[..., 1:]
    assert np.abs(rgb_to_ycbcr(made)[..., 1:] - chroma).max() < 0.75


def test_depth_and_channels_stay(picture):
    reducer = reducer_of()
    made = shrink(picture, model=reducer)
    deep = shrink(picture.astype(np.uint16) * 257, model=reducer)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - made).max() <= 0.5
    grey = shrink(picture[:, :, 0], model=reducer)
    assert (grey.shape, grey.dtype) == ((41, 30), np.uint8)
    alpha = np.arange(83 * 61).reshape(83, 61, 1).astype(np.uint8)
    both = shrink(np.concatenate([picture, alpha], axis=2), model=reducer)
    assert np.abs(both[:, :, 3].astype(int) - downscale(alpha, 2)[:, :, 0]).max() <= 1


def test_a_file_keeps_what_stands_beside_its_pixels(picture, tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "a_small.webp"
    write_picture(source, Picture(picture, None, Metadata(icc=ICC)))
    made = shrink_file(source, target, reducer_of(), Output(quality=90))
    assert (made.width, made.height, made.notes) == (30, 41, ())
    source_of = open_source(target)
    assert source_of.facts.metadata.icc == ICC
    source_of.close()
    exact = shrink(picture, model=reducer_of())
    near = np.abs(read_picture(target).pixels.astype(int) - exact).mean()
    assert near < 12
    with pytest.raises(InputError, match="exists already"):
        shrink_file(source, target, reducer_of(), Output())


def test_a_file_is_the_same_in_strips(picture, tmp_path, monkeypatch):
    write_picture(tmp_path / "a.png", Picture(picture, None))
    monkeypatch.setattr(shrinking, "PIECE_PX", 1)
    shrink_file(tmp_path / "a.png", tmp_path / "b.png", reducer_of(), Output())
    exact = shrink(picture, model=reducer_of())
    assert np.abs(read_picture(tmp_path / "b.png").pixels.astype(int) - exact).max() <= 1


def test_a_wrong_picture_is_not_written(picture, tmp_path):
    write_picture(tmp_path / "a.png", Picture(picture, None))
    with pytest.raises(RunError, match="came out of the network"):
        shrink_file(tmp_path / "a.png", tmp_path / "b.png", reducer_of(std=1e30), Output())
    assert not (tmp_path / "b.png").exists()


def test_what_is_too_small_is_refused():
    with pytest.raises(InputError, match="1x9 cannot be made 2 times smaller"):
        shrink(np.zeros((9, 1, 3), np.uint8), model=reducer_of())


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_even_once_small_is_no_fault(channels):
    """The finest pattern there is becomes grey, and four pixels become one."""
    reducer = Reducer(blank := Shrinker(scale=2, channels=channels), card_of(blank), "cpu")
    pattern = np.uint8(255) * (np.indices((40, 60)).sum(axis=0) % 2).astype(np.uint8)
    made = shrink(np.repeat(pattern[:, :, None], 3, axis=2), model=reducer)
    assert np.abs(made[2:-2, 2:-2].astype(int) - 128).max() <= 1
    assert shrink(pattern[:2, :2], model=reducer).shape == (1, 1)
