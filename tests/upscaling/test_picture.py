"""One picture: colour, grey, transparency, bands, and nothing wrong ever handed back."""

import numpy as np
import pytest

from acutance.errors import InputError, RunError
from acutance.imaging.colour import luma, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.upscaling.choice import open_engine
from acutance.upscaling.picture import (
    as_luma_function,
    as_rgb_function,
    upscale,
    upscale_file,
    upscale_pixels,
)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


class Bicubic:
    """An engine whose right answer is known: the float resize of imaging."""

    def __init__(self, color: str, *, scale: int = 2, reach: int | None = 2) -> None:
        self.card = ModelCard("compact", scale, color=color, reach=reach)
        self.rows: list[int] = []

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        self.rows.append(lr.shape[2])
        sr = resize(lr[0].transpose(1, 2, 0), scale=self.card.scale)
        return sr.transpose(2, 0, 1)[None]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("color", ["luma", "rgb"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_bicubic_network_gives_the_bicubic_picture(scale, color, channels):
    """YCbCr and back, grey and back, cost no more than rounding: one step at most."""
    image = noise(13, 17, channels)
    expected = to_uint8(resize(image.astype(np.float64), scale=scale)).astype(int)
    found = upscale(image, model=Bicubic(color, scale=scale))
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.999


def test_luma_goes_through_the_network_and_chroma_by_bicubic(luma_model):
    """Against the same steps written out with the arrays of imaging."""
    engine = open_engine(luma_model, engine="onnx_runtime")
    rgb = noise(11, 9, 3)
    ycc = rgb_to_ycbcr(rgb)
    y = engine(np.float32(ycc[None, None, :, :, 0] / 255))[0, 0].astype(np.float64) * 255
    chroma = resize(ycc[:, :, 1:], scale=2)
    expected = to_uint8(ycbcr_to_rgb(np.dstack([y, chroma])))
    assert (upscale(rgb, model=engine) == expected).mean() > 0.999


def test_rgb_is_clipped_and_rounded(rgb_model):
    engine = open_engine(rgb_model, engine="onnx_runtime")
    rgb = noise(11, 9, 3)
    sr = engine(np.float32(rgb.transpose(2, 0, 1)[None] / 255))[0].transpose(1, 2, 0) * 255
    assert sr.min() < 0 < 255 < sr.max()  # so that clipping matters here
    assert (upscale(rgb, model=engine) == to_uint8(sr)).mean() > 0.999


@pytest.mark.parametrize("shape", [(7, 6), (7, 6, 1), (7, 6, 3), (1, 1), (1, 9, 3)], ids=str)
def test_arrays_come_back_as_they_went(model, shape):
    sr = upscale(noise(*shape), model=model)
    assert sr.dtype == np.uint8
    assert sr.shape == (2 * shape[0], 2 * shape[1], *shape[2:])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_comes_back_as_a_picture(model, channels):
    picture = Picture(noise(8, 6, channels), noise(8, 6, seed=1))
    sr = upscale(picture, model=model)
    assert sr.pixels.shape == (16, 12, channels)
    assert sr.alpha is not None
    np.testing.assert_array_equal(sr.alpha, resize(picture.alpha, scale=2))


def test_grey_is_what_grey_colour_would_be(model):
    grey = noise(12, 10, 1)
    colour = upscale(np.repeat(grey, 3, axis=2), model=model)
    inside = ((colour > 0) & (colour < 255)).all(axis=2)  # clipping one channel shifts the luma
    off = upscale(grey, model=model)[:, :, 0] - (luma(colour) - 16) * 255 / 219
    assert inside.mean() > 0.5
    assert np.abs(off[inside]).max() <= 1.5  # both are rounded


@pytest.mark.parametrize("engine", ["pytorch", "onnx_runtime"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("band_px", [1, 200, 500])
def test_bands_give_the_whole_picture(model, engine, channels, band_px):
    opened = open_engine(model, engine=engine)
    image = noise(61, 23, channels)
    whole = upscale_pixels(image, opened)
    np.testing.assert_array_equal(upscale_pixels(image, opened, band_px=band_px), whole)


def test_bands_keep_to_their_budget():
    engine = Bicubic("rgb", reach=3)
    upscale_pixels(noise(300, 20, 3), engine, band_px=800)  # 40 rows of 20
    assert len(engine.rows) > 7
    assert max(engine.rows) <= 40


def test_a_network_without_reach_is_not_cut():
    engine = Bicubic("rgb", reach=None)
    upscale_pixels(noise(50, 20, 3), engine, band_px=100)
    assert engine.rows == [50]


class Broken(Bicubic):
    """Gives numbers that are not finite for the rows below the first band."""

    value = np.nan

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        sr = super().__call__(lr)
        if len(self.rows) == 2:
            sr[0, 0, 5, 5] = self.value
        return sr


@pytest.mark.parametrize("color", ["luma", "rgb"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_never_become_pixels(color, value):
    engine = Broken(color)
    engine.value = value
    with pytest.raises(RunError) as error:
        upscale_pixels(
            noise(40, 20, 3), engine, band_px=400
        )  # three bands of 14 rows, 2 more a side
    assert str(error.value) == (
        "Rows 12 to 30 of the picture came out of the network as numbers that are not finite, so "
        "nothing is written. The model is damaged: take an earlier one, or try another engine."
    )


def test_an_engine_that_gives_another_size_is_refused():
    class Idle(Bicubic):
        def __call__(self, lr: np.ndarray, /) -> np.ndarray:
            return lr

    with pytest.raises(RunError, match="gave an array of"):
        upscale_pixels(noise(5, 5, 3), Idle("rgb"))


def test_bicubic_is_a_model_too():
    image = noise(9, 8, 3)
    np.testing.assert_array_equal(upscale(image, model="bicubic", scale=3), resize(image, scale=3))
    picture = upscale(Picture(image, noise(9, 8)), model="bicubic", scale=2)
    assert picture.alpha is not None
    assert picture.alpha.shape == (18, 16)


def test_bicubic_needs_a_scale():
    with pytest.raises(
        InputError, match=r"'bicubic' has no scale of its own\. Give one: --scale 2"
    ):
        upscale(noise(4, 4), model="bicubic")


def test_a_model_keeps_to_its_scale(model):
    with pytest.raises(InputError, match=r"The model enlarges x2, not x3\. Leave the scale out"):
        upscale(noise(4, 4), model=model, scale=3)
    assert upscale(noise(4, 4), model=model, scale=2).shape == (8, 8)


def test_a_loaded_network_is_a_model(model):
    network = load_model(model)
    image = noise(6, 7, 3)
    expected = upscale(image, model=model, engine="pytorch")
    np.testing.assert_array_equal(upscale(image, model=network), expected)


@pytest.mark.parametrize("image", [noise(4, 4, 4), noise(4, 4).astype(float), noise(4)], ids=str)
def test_other_arrays_are_refused(model, image):
    with pytest.raises(InputError, match=r"A picture is uint8 of shape \(H, W\)"):
        upscale(image, model=model)


def test_functions_for_scoring(luma_model, rgb_model):
    rgb = noise(9, 7, 3)
    for model in (luma_model, rgb_model):
        engine = open_engine(model)
        np.testing.assert_array_equal(as_rgb_function(engine)(rgb), upscale(rgb, model=engine))
    assert as_luma_function(open_engine(rgb_model)) is None
    on_luma = as_luma_function(Bicubic("luma"))
    assert on_luma is not None
    plane = luma(rgb)
    assert on_luma(plane).dtype == np.float64
    np.testing.assert_allclose(on_luma(plane), resize(plane, scale=2), atol=1e-4)


def test_a_file_becomes_a_file(model, tmp_path):
    picture = Picture(noise(8, 9, 3), noise(8, 9))
    write_picture(tmp_path / "a.png", picture)
    written = upscale_file(tmp_path / "a.png", tmp_path / "b.webp", model=model)
    expected = upscale(picture, model=model)
    found = read_picture(written)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.alpha, expected.alpha)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a.png", "a.png exists already. Use --overwrite to replace it, or give another name."),
        ("b.jpg", "b.jpg: JPEG cannot keep transparency. Write .png or .webp instead"),
        ("b.gif", "b.gif ends in '.gif', which is not a picture format that can be written."),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, target, message):
    write_picture(tmp_path / "a.png", Picture(noise(8, 9, 3), noise(8, 9)))
    engine = Bicubic("rgb")
    with pytest.raises(InputError) as error:
        upscale_file(tmp_path / "a.png", tmp_path / target, model=engine)
    assert message in str(error.value)
    assert engine.rows == []
