"""Depth, transparency, strength, back-projection and casts of an enlargement."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.imaging.colour import to_uint8
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models.card import ModelCard
from acutance.upscaling.choice import open_engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.settings import Enlargement, Size
from acutance.upscaling.task import Upscaler

PLAIN = Enlargement()
TWICE = Enlargement(size=Size(scale=Fraction(2)))


def scene(height: int = 24, width: int = 30, channels: int = 3) -> np.ndarray:
    """Waves with an edge, float in 0..1."""
    y, x = np.mgrid[:height, :width, :channels][:2]
    waves = 0.5 + 0.3 * np.sin(y / 3 + np.arange(channels)) * np.cos(x / 4)
    return waves + 0.15 * (x > width / 2)


@pytest.fixture(scope="module")
def upscaler(rgb_model) -> Upscaler:
    return Upscaler(open_engine(rgb_model, engine="onnx_runtime"))


@pytest.fixture(scope="module")
def faithful(luma_model) -> Upscaler:
    return Upscaler(open_engine(luma_model, engine="onnx_runtime"))


def test_depth_only_changes_the_rounding(model):
    upscaler = Upscaler(open_engine(model, engine="onnx_runtime"))
    values = np.rint(scene() * 255)
    eight = enlarge_picture(Picture(values.astype(np.uint8)), upscaler, PLAIN).pixels
    sixteen = enlarge_picture(Picture((values * 257).astype(np.uint16)), upscaler, PLAIN).pixels
    floats = enlarge_picture(Picture((values / 255).astype(np.float32)), upscaler, PLAIN).pixels
    assert (eight.dtype, sixteen.dtype, floats.dtype) == (np.uint8, np.uint16, np.float32)
    assert np.abs(sixteen / 257 - eight).max() <= 0.5001
    assert np.abs(floats.clip(0, 1) * 65535 - sixteen).max() <= 0.52
    assert len(np.unique(sixteen)) > 4 * len(np.unique(eight))


def test_every_level_of_16_bits_survives():
    """A picture that keeps its size comes back as it was, in all depths."""
    same = Enlargement(size=Size(scale=Fraction(1)))
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert (enlarge_picture(Picture(levels), Upscaler(), same).pixels == levels).all()
    floats = scene().astype(np.float32)
    np.testing.assert_allclose(
        enlarge_picture(Picture(floats), Upscaler(), same).pixels, floats, rtol=2e-7
    )


def test_light_above_white_is_kept(upscaler):
    """The network sees it as white; what lies above is enlarged by bicubic."""
    bright = scene().astype(np.float32)
    bright[8:16, 8:16] = 40.0
    found = enlarge_picture(Picture(bright), upscaler, PLAIN).pixels
    network = enlarge_picture(Picture(bright.clip(0, 1)), upscaler, PLAIN).pixels
    assert found.min() >= 0
    assert np.abs(found[22:26, 22:26] - 40).max() < 0.5
    np.testing.assert_allclose(found[40:], network[40:], atol=1e-6)


GROUNDS = {"black": 0, "white": 255, "green": (0, 255, 0)}
ORANGE = np.float64((250, 140, 20))


def blob(side: int, hidden: int, *, scale: int = 1) -> Picture:
    """An orange blob with a wavy rim on nothing; `hidden` is what stands where alpha is 0."""
    full = side * scale
    y, x = (np.mgrid[:full, :full] + 0.5) / full - 0.5
    radius = 0.33 + 0.06 * np.sin(9 * np.arctan2(y, x))
    alpha = np.clip((radius - np.hypot(y, x)) * full + 0.5, 0, 1)
    alpha = to_uint8(255 * resize(alpha, size=(side, side), kernel="box"))
    colour = np.where(alpha[..., None] > 0, ORANGE, hidden)
    return Picture(colour.astype(np.uint8), alpha)


def over(picture: Picture, ground) -> np.ndarray:
    assert picture.alpha is not None
    alpha = picture.alpha[:, :, None] / 255
    return picture.pixels * alpha + np.float64(ground) * (1 - alpha)


def naively(picture: Picture) -> Picture:
    return Picture(resize(picture.pixels, scale=2), resize(picture.alpha, scale=2))


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS.keys())
@pytest.mark.parametrize("hidden", [0, 255], ids=["black below", "white below"])
def test_a_rim_has_no_colour_of_its_own(ground, hidden, upscaler):
    """Against what its own alpha and the one colour there is would give."""
    small = blob(40, hidden, scale=4)
    found = {
        "naive": naively(small),
        "bicubic": enlarge_picture(small, Upscaler(), TWICE),
        "network": enlarge_picture(small, upscaler, PLAIN),
    }
    halo = {}
    for name, larger in found.items():
        pure = Picture(np.broadcast_to(ORANGE, larger.pixels.shape), larger.alpha)
        halo[name] = np.abs(over(larger, ground) - over(pure, ground)).max()
    assert halo["naive"] > 10
    assert halo["bicubic"] < 1


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS.keys())
@pytest.mark.parametrize("hidden", [0, 255], ids=["black below", "white below"])
def test_a_trained_network_leaves_less_halo_than_naive_bicubic(ground, hidden, imdn):
    """Against the blob drawn at twice the size."""
    small, truth = blob(40, hidden, scale=8), over(blob(80, hidden, scale=4), ground)
    naive = np.abs(over(naively(small), ground) - truth).mean()
    ours = np.abs(over(enlarge_picture(small, imdn, PLAIN), ground) - truth).mean()
    assert ours < 0.7 * naive


@pytest.fixture(scope="module")
def imdn() -> Upscaler:
    path = Path(os.environ.get("ACUTANCE_DATA", "")) / "weights" / "imdn_x2.safetensors"
    if not path.is_file():
        pytest.skip(f"{path} is not at hand: set ACUTANCE_DATA")
    return Upscaler(open_engine(path))


def test_alpha_stays_full_and_clear_where_it_was(upscaler):
    """Whatever a network makes of it: within 2 lr pixels nothing else is near."""
    small = blob(40, 0, scale=4)
    assert small.alpha is not None
    alpha = enlarge_picture(small, upscaler, PLAIN).alpha
    assert alpha is not None
    padded = np.pad(small.alpha, 2, mode="edge")
    around = np.stack([padded[y : y + 40, x : x + 40] for y in range(5) for x in range(5)])
    full, clear = ((around == value).all(axis=0).repeat(2, 0).repeat(2, 1) for value in (255, 0))
    assert (full.any(), clear.any()) == (True, True)
    assert (alpha[full] == 255).all()
    assert (alpha[clear] == 0).all()


def test_hidden_colour_does_not_show(upscaler):
    """What stands under alpha 0 within eight pixels of the visible changes nothing visible."""
    found = [enlarge_picture(blob(40, hidden, scale=4), upscaler, PLAIN) for hidden in (0, 90, 255)]
    for other in found[1:]:
        visible = found[0].alpha > 0
        assert np.array_equal(other.alpha, found[0].alpha)
        off = np.abs(other.pixels.astype(int) - found[0].pixels)[visible]
        assert off.max() <= 1


def test_full_alpha_is_written_as_full_and_changes_nothing(upscaler):
    pixels = to_uint8(scene() * 255)
    opaque = Picture(pixels, np.full(pixels.shape[:2], 255, dtype=np.uint8))
    found = enlarge_picture(opaque, upscaler, PLAIN)
    assert (found.alpha == 255).all()
    expected = enlarge_picture(Picture(pixels), upscaler, PLAIN).pixels
    np.testing.assert_array_equal(found.pixels, expected)


def test_strength_goes_from_the_base_to_the_model(upscaler, faithful):
    picture = Picture((scene() * 65535).clip(0, 65535).astype(np.uint16))
    full = enlarge_picture(picture, upscaler, PLAIN).pixels.astype(float)
    for base, other in ((None, Upscaler()), (faithful.engine, faithful)):
        both = replace(upscaler, base=base)
        weak = enlarge_picture(picture, other, TWICE).pixels.astype(float)
        at = {
            s: enlarge_picture(picture, both, replace(PLAIN, strength=s)).pixels.astype(float)
            for s in (0.0, 0.25, 1.0)
        }
        np.testing.assert_array_equal(at[0.0], weak)
        np.testing.assert_array_equal(at[1.0], full)
        inside = (full > 0) & (full < 65535) & (weak > 0) & (weak < 65535)
        off = at[0.25] - (0.75 * weak + 0.25 * full)
        assert np.abs(off[inside]).max() <= 1.5


def lr_psnr(small: np.ndarray, large: np.ndarray) -> float:
    again = resize(large.astype(np.float64), size=small.shape[:2])
    return 10 * np.log10(255**2 / np.square(again - small).mean())


@pytest.mark.parametrize("scale", [2, Fraction(5, 2), 4])
def test_back_projection_brings_the_result_near_its_source(model, scale):
    upscaler = Upscaler(open_engine(model, engine="onnx_runtime"))
    pixels = to_uint8(scene(31, 27) * 200)
    how = Enlargement(size=Size(scale=Fraction(scale)))
    found = [
        lr_psnr(pixels, enlarge_picture(Picture(pixels), upscaler, given).pixels)
        for given in (how, replace(how, back_project=1), replace(how, back_project=3))
    ]
    assert found[1] > found[0] + 3
    assert found[2] > found[1]


class Tinted:
    """Bicubic, and 5 levels too much red."""

    card = ModelCard("compact", 2, reach=2)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        sr = resize(lr[0].transpose(1, 2, 0), scale=2).transpose(2, 0, 1)[None]
        sr[:, 0] += np.float32(5 / 255)
        return sr


def test_a_cast_is_taken_off():
    pixels = to_uint8(scene(40, 40) * 200)
    means = []
    for fix in (False, True):
        how = Enlargement(fix_colour=fix, tile=16)
        larger = enlarge_picture(Picture(pixels), Upscaler(Tinted()), how).pixels
        means.append(larger.mean(axis=(0, 1)) - pixels.mean(axis=(0, 1)))
    np.testing.assert_allclose(means[0], (5, 0, 0), atol=0.3)
    np.testing.assert_allclose(means[1], 0, atol=0.05)


class Global:
    """A network that looks at the whole: bicubic, and a little of the mean of all it is given."""

    card = ModelCard("compact", 2, reach=None)

    def __init__(self) -> None:
        self.sides: list[tuple[int, int]] = []

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        self.sides.append(lr.shape[2:])
        sr = resize(lr[0].transpose(1, 2, 0), scale=2).transpose(2, 0, 1)[None]
        return sr + np.float32(0.2) * (lr.mean() - np.float32(0.5))


def test_a_network_that_looks_at_the_whole_is_cut_only_when_asked():
    ramp = np.repeat(np.linspace(0, 255, 200)[None, :, None], 90, axis=0).astype(np.uint8)
    colours = np.repeat(ramp, 3, axis=2)
    engine = Global()
    whole = enlarge_picture(Picture(colours), Upscaler(engine), PLAIN).pixels.astype(int)
    assert engine.sides == [(90, 200)]
    cut = enlarge_picture(Picture(colours), Upscaler(engine), Enlargement(tile=50)).pixels
    assert max(width for _, width in engine.sides[1:]) <= 50 + 2 * (32 + 16)
    assert np.abs(cut - whole).max() > 3  # it is another picture
    steps = np.abs(np.diff(cut.astype(int), axis=1)).max()
    assert steps <= np.abs(np.diff(whole, axis=1)).max() + 1  # and has no seams


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (Enlargement(strength=1.5), "The strength must be from 0 to 1, not 1.5."),
        (Enlargement(back_project=-1), "Back-projection takes 0 or more steps, and tta is 1 or 8."),
        (Enlargement(tile=-1), "A tile has at least 1 pixel a side, not -1; 0 means the whole."),
    ],
)
def test_what_makes_no_sense_is_refused(upscaler, how, message):
    with pytest.raises(InputError) as error:
        enlarge_picture(Picture(np.zeros((4, 4, 3), dtype=np.uint8)), upscaler, how)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ({"degradation": "noise(sigma=25)"}, r"made small by noise\(sigma=25\)"),
        ({"shrunk_by": "f00d"}, "made small by an F that learned with it"),
    ],
)
def test_back_projection_is_of_bicubic_alone(of, words):
    """Of a network that takes noise off, it would bring the noise back."""

    class Mending(Tinted):
        card = replace(Tinted.card, **of)

    pixels = np.full((9, 9, 3), 80, np.uint8)
    with pytest.raises(InputError, match=words):
        enlarge_picture(Picture(pixels), Upscaler(Mending()), Enlargement(back_project=1))
