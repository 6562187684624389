"""Which bundled model a picture gets: by what it is, and by how much it is to grow."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import acutance
from acutance.errors import InputError
from acutance.upscaling import picture as picture_module
from acutance.upscaling.picking import is_open, pick_model
from acutance.upscaling.settings import Enlargement, Size

ALL = ("nano-x2", "nano-x3", "nano-x4", "small-x2", "small-x3", "small-x4", "photo-x2", "photo-x4")
GIVEN = "as --model was not given"


def picked(model=None, wanted=Size(), source=(10, 20), *, is_jpeg=False):  # noqa: B008
    pick = pick_model(model, wanted, source, is_jpeg=is_jpeg)
    return pick.file.stem, pick.why


def test_a_jpeg_gets_photo_and_all_else_small(shelf):
    shelf(*ALL)
    assert picked(is_jpeg=True) == ("photo-x2", f"for a JPEG, {GIVEN}")
    assert picked() == ("small-x2", f"for what is no JPEG, {GIVEN}")
    assert picked(wanted=Size(scale=Fraction(3))) == ("small-x3", f"for what is no JPEG, {GIVEN}")
    assert picked(wanted=Size(scale=Fraction(3)), is_jpeg=True) == (
        "photo-x4",
        f"for a JPEG, {GIVEN}; photo is there for x2 and x4, so x3 takes one run and a reduction",
    )


def test_the_next_best_is_taken_and_said(shelf):
    shelf("nano-x2", "nano-x3", "small-sharp-x2")
    assert picked(is_jpeg=True) == ("nano-x2", f"the best at hand for a JPEG, {GIVEN}")
    assert picked() == ("nano-x2", f"the best at hand for what is no JPEG, {GIVEN}")
    shelf("small-x2")
    assert picked(is_jpeg=True) == ("small-x2", f"the best at hand for a JPEG, {GIVEN}")
    assert picked(wanted=Size(scale=Fraction(3)))[0] == "nano-x3"  # in one run, not in two


def test_without_any_model_it_is_said(shelf):
    shelf("photo-x4", "small-sharp-x2")
    with pytest.raises(InputError, match="This installation brings no model"):
        picked()


@pytest.mark.parametrize(
    ("wanted", "file"),
    [
        (Size(), "small-x2"),
        (Size(scale=Fraction(3, 2)), "small-x2"),
        (Size(scale=Fraction(5, 2)), "small-x3"),
        (Size(width=41), "small-x3"),  # 20 px wide: 2.05 times
        (Size(width=40), "small-x2"),
        (Size(height=35), "small-x4"),
        (Size(fit=(60, 1000)), "small-x3"),
        (Size(megapixels=0.0017), "small-x3"),  # 200 px: sqrt(8.5) = 2.9 times
        (Size(width=1), "small-x2"),
        (Size(width=10**9), "small-x2"),  # refused when it is made
    ],
)
def test_a_family_gives_the_nearest_larger_scale(shelf, wanted, file):
    shelf(*ALL)
    assert picked("small", wanted) == (file, "")


@pytest.mark.parametrize("scale", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_scale_that_is_none_is_refused_when_it_is_made(shelf, scale):
    shelf("small-x2", "small-x4")
    how = Enlargement(size=Size(scale=scale))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="The scale must be above 0, not "):
        acutance.upscale(np.zeros((3, 3, 3), dtype=np.uint8), how=how)


def test_a_family_says_how_it_makes_a_scale_that_it_has_not(shelf):
    shelf("small-x2", "nano-x2", "nano-x3")
    assert picked("small", Size(scale=Fraction(8))) == (
        "small-x2",
        "small is there for x2 only, so x8 takes 3 runs",
    )
    assert picked("small", Size(scale=Fraction(3)))[1].endswith("x3 takes 2 runs and a reduction")
    assert picked("nano", Size(scale=Fraction(5)))[1] == (
        "nano is there for x2 and x3, so x5 takes 2 runs and a reduction"
    )


def test_what_is_open(shelf, tmp_path, monkeypatch):
    shelf("small-x2")
    monkeypatch.chdir(tmp_path)
    assert [is_open(m) for m in (None, "small", "small-x2", "bicubic", object())] == [
        True,
        True,
        False,
        False,
        False,
    ]
    (tmp_path / "small").mkdir()
    assert not is_open("small")


def test_pictures_in_memory_and_files_are_told_apart(shelf, tmp_path, monkeypatch):
    shelf(*ALL)
    taken = []

    def opened(model, **_given):
        taken.append(model.stem)

    monkeypatch.setattr(picture_module, "open_engine", opened)  # then it is bicubic that enlarges
    pixels = np.zeros((6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", format="JPEG")  # its content decides
    with Image.open(tmp_path / "a.png") as jpeg:
        acutance.upscale(jpeg, scale=2)
    acutance.upscale(tmp_path / "a.png", scale=2)
    assert acutance.upscale(pixels, scale=3).shape == (18, 24, 3)
    acutance.upscale(pixels, model="nano", scale=4)
    assert taken == ["photo-x2", "photo-x2", "small-x3", "nano-x4"]
