"""What is given comes back larger and of the same kind, by colour, grey and transparency."""

from math import floor

import numpy as np
import pytest
from PIL import Image

from acutance.errors import InputError
from acutance.imaging.colour import luma, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Metadata, Picture
from acutance.imaging.resample import resize
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.upscaling.choice import open_engine
from acutance.upscaling.picture import upscale
from acutance.upscaling.scoring import as_luma_function, as_rgb_function


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
    picture = Picture(noise(8, 6, channels), noise(8, 6, seed=1), Metadata(icc=b"profile"))
    sr = upscale(picture, model=model)
    assert sr.pixels.shape == (16, 12, channels)
    assert sr.alpha is not None
    assert sr.metadata.icc == b"profile"


def test_grey_is_what_grey_colour_would_be(model):
    grey = noise(12, 10, 1)
    colour = upscale(np.repeat(grey, 3, axis=2), model=model)
    inside = ((colour > 0) & (colour < 255)).all(axis=2)  # clipping one channel shifts the luma
    off = upscale(grey, model=model)[:, :, 0] - (luma(colour) - 16) * 255 / 219
    assert inside.mean() > 0.5
    assert np.abs(off[inside]).max() <= 1.5  # both are rounded


@pytest.mark.parametrize("scale", [3, 1.5])
def test_bicubic_is_a_model_too(scale):
    """Clipped and rounded once; `resize` of bytes is after each axis, as MATLAB does it."""
    image = noise(9, 8, 3)
    size = (floor(9 * scale + 0.5), floor(8 * scale + 0.5))
    expected = to_uint8(resize(image.astype(np.float32), size=size))
    np.testing.assert_array_equal(upscale(image, model="bicubic", scale=scale), expected)


def test_bicubic_needs_a_scale():
    with pytest.raises(
        InputError, match=r"'bicubic' has no scale of its own\. Give one: --scale 2"
    ):
        upscale(noise(4, 4), model="bicubic")


def test_a_loaded_network_is_a_model(model):
    network = load_model(model)
    image = noise(6, 7, 3)
    expected = upscale(image, model=model, engine="pytorch")
    np.testing.assert_array_equal(upscale(image, model=network), expected)


REFUSED = [noise(4, 4, 5), noise(4, 4).astype(float), noise(4), noise(0, 4)]


@pytest.mark.parametrize("image", REFUSED, ids=lambda image: f"{image.dtype}{image.shape}")
def test_other_arrays_are_refused(model, image):
    with pytest.raises(InputError) as error:
        upscale(image, model=model)
    assert str(error.value) == (
        "A picture is uint8, uint16 or float32 of shape (H, W) or (H, W, 1 to 4), not "
        f"{image.dtype} of shape {image.shape}."
    )


def test_other_things_are_refused(model):
    with pytest.raises(InputError, match="a Picture or a path, not bytes"):
        upscale(b"", model=model)


@pytest.mark.parametrize("channels", [2, 4])
def test_the_last_channel_of_two_or_four_is_alpha(model, channels):
    image = noise(9, 7, channels)
    expected = upscale(Picture(image[..., :-1], image[..., -1]), model=model)
    found = upscale(image, model=model)
    np.testing.assert_array_equal(found[..., :-1], expected.pixels)
    np.testing.assert_array_equal(found[..., -1], expected.alpha)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "F"])
def test_a_pil_image_comes_back_as_one(model, mode):
    deep = {"I;16": np.uint16, "F": np.float32}
    image = noise(6, 5, len(mode)) if mode not in deep else noise(6, 5, 1)
    values = (image[..., 0] if image.shape[2] == 1 else image).astype(deep.get(mode, np.uint8))
    given = Image.fromarray(values)
    given.info["icc_profile"] = b"profile"
    larger = upscale(given, model=model)
    assert (larger.mode, larger.size) == (mode, (10, 12))
    assert larger.info["icc_profile"] == b"profile"
    if mode == "RGB":
        np.testing.assert_array_equal(np.asarray(larger), upscale(values, model=model))


def test_a_palette_becomes_colour(model):
    palette = Image.fromarray(noise(6, 5, 3)).quantize(8)
    assert upscale(palette, model=model).mode == "RGB"


def test_the_path_of_a_file_gives_a_picture(model, tmp_path):
    picture = Picture(noise(8, 9, 3), noise(8, 9))
    write_picture(tmp_path / "a.png", picture)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        found = upscale(path, model=model, tile=5)
        expected = upscale(picture, model=model)
        np.testing.assert_array_equal(found.pixels, expected.pixels)
        np.testing.assert_array_equal(found.alpha, expected.alpha)


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
