"""`acutance degrade` and the verb: what training is shown, as files and on a sheet."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import acutance
from acutance.cli.degrade import degrade
from acutance.data.degradations.chain import drawn
from acutance.data.degradations.expression import parse_degradation
from acutance.errors import InputError
from acutance.imaging.files import read_picture, read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale
from acutance.study.degradation_sheet import (
    COLUMNS,
    GAP,
    MARGIN,
    PANEL,
    TITLE,
    _options,
    draw_sheet,
)
from acutance.study.degrading import settle

CHAIN = "blur(sigma=(0.5, 2)) | reduce | noise(sigma=(5, 30)) | jpeg(quality=(30, 95))"


def run(*words: object) -> str:
    done = CliRunner().invoke(degrade, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def refused(*words: object) -> str:
    with pytest.raises(InputError) as caught:
        run(*words)
    return str(caught.value)


@pytest.fixture
def photo(photo_folder, tmp_path):
    """One of the drawn photographs, 3 px wider than a multiple of 4, and alone in its folder."""
    pixels = read_rgb(sorted(photo_folder.glob("*.png"))[0])[:, :127]
    path = tmp_path / "in" / "photo.png"
    write_picture(path, Picture(pixels))
    return path


def test_a_picture_depends_on_seed_name_and_draw_alone(photo_folder, tmp_path):
    words = ("--degrade", CHAIN, "--scale", 4)
    run(photo_folder, *words, "-o", tmp_path / "all")
    first = sorted(photo_folder.glob("*.png"))[1]
    run(first, *words, "-o", tmp_path / "one.png")
    one = read_rgb(tmp_path / "one.png")
    assert np.array_equal(one, read_rgb(tmp_path / "all" / first.name))
    run(first, *words, "--count", 2, "-o", tmp_path / "two")
    assert np.array_equal(one, read_rgb(tmp_path / "two" / f"{first.stem}-1.png"))
    assert not np.array_equal(one, read_rgb(tmp_path / "two" / f"{first.stem}-2.png"))
    run(first, *words, "--seed", 1, "-o", tmp_path / "other.png")
    assert not np.array_equal(one, read_rgb(tmp_path / "other.png"))
    hr = read_rgb(first)
    same = acutance.degrade(hr, CHAIN, scale=4, name=first.stem)
    assert np.array_equal(one, same)


def test_json_tells_what_made_each_file(photo, tmp_path):
    text = run(photo, "--degrade", CHAIN, "--scale", 4, "--count", 2, "-o", tmp_path, "--json")
    told = json.loads(text)
    assert (told["scale"], told["seed"]) == (4, 0)
    assert [row["file"] for row in told["pictures"]] == [
        str(tmp_path / f"photo-{draw}.png") for draw in (1, 2)
    ]
    for row in told["pictures"]:
        assert (row["width"], row["height"]) == (31, 24)
        names = [stage.pop("stage") for stage in row["stages"]]
        assert names == ["blur", "reduce", "noise", "jpeg"]
        blur, _, noise, jpeg = row["stages"]
        assert 0.5 <= blur["sigma"] <= 2
        assert 5 <= noise["sigma"] <= 30
        assert 30 <= jpeg["quality"] <= 95
    first, second = (row["stages"][0]["sigma"] for row in told["pictures"])
    assert first != second
    # what is told is what was done: the numbers written out, without noise, give the same file
    run(
        photo, "--degrade", "blur(sigma=1.5) | jpeg(quality=40)", "--scale", 1, "-o", tmp_path / "a"
    )
    hr = read_rgb(photo)
    again = acutance.degrade(hr, "blur(sigma=1.5) | jpeg(quality=40)", scale=1, seed=9, name="x")
    assert np.array_equal(read_rgb(tmp_path / "a" / "photo.png"), again)


def test_a_recipe_brings_its_chain_and_scale(photo, tmp_path):
    told = json.loads(run(photo, "--recipe", "real-esrgan", "-o", tmp_path / "a.png", "--json"))
    assert told["scale"] == 4
    assert told["degradation"] == str(settle("real-esrgan", None).chain)
    assert read_rgb(tmp_path / "a.png").shape == (24, 31, 3)


def test_a_file_has_a_chain(photo, tmp_path):
    chain = tmp_path / "bad.toml"
    chain.write_text('stages = ["reduce", "jpeg(quality=5)"]')
    run(photo, "--degrade", chain, "--scale", 2, "-o", tmp_path / "a.png")
    hr = read_rgb(photo)
    expected = acutance.degrade(hr, "reduce | jpeg(quality=5)", scale=2)
    assert np.array_equal(read_rgb(tmp_path / "a.png"), expected)


def test_grey_stays_grey_and_folders_keep_their_subfolders(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (24, 20, 1), dtype=np.uint8)
    write_picture(tmp_path / "in" / "deep" / "a.png", Picture(grey))
    run(tmp_path / "in", "--degrade", "noise", "--scale", 2, "-o", tmp_path / "in" / "out")
    made = tmp_path / "in" / "out" / "deep" / "a.png"
    assert read_picture(made).pixels.shape == (12, 10, 1)
    # a second time, what lies in the output folder is no input
    again = ("--degrade", "noise", "--scale", 2, "-o", tmp_path / "in" / "out", "--overwrite")
    assert run(tmp_path / "in", *again).split() == [str(made)]


def test_files_are_not_replaced_unasked(photo, tmp_path):
    words = (photo, "--degrade", "reduce", "--scale", 2, "-o", tmp_path / "a.png")
    run(*words)
    before = (tmp_path / "a.png").read_bytes()
    assert "--overwrite" in refused(*words, "--seed", 1)
    assert "photo.png" in refused(*words[:-1], photo.parent)
    assert (tmp_path / "a.png").read_bytes() == before
    run(*words, "--overwrite")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--recipe NAME or --degrade"),
        (("--recipe", "real-esrgan", "--degrade", "jpeg"), "--recipe NAME or --degrade"),
        (("--degrade", "jpeg"), "--scale"),
        (("--degrade", "jpeg", "--scale", "0"), "from 1 to 16, not 0"),
        (("--degrade", "jpg", "--scale", "1"), "Did you mean 'jpeg'"),
        (("--recipe", "real-esrgn"), "Did you mean 'real-esrgan'"),
        (("--recipe", "edsr"), "no degradation"),
        (("--degrade", "jpeg", "--scale", "16", "-o", "a.jpg"), "a.png"),
        (("--degrade", "reduce", "--scale", "1", "--show", "--json"), "--show"),
    ],
)
def test_what_is_wrong_is_said(photo, words, said):
    assert said in refused(photo, *words)


def test_a_picture_too_small_is_named(tmp_path):
    write_picture(tmp_path / "dot.png", Picture(np.zeros((3, 9, 3), np.uint8)))
    said = refused(tmp_path / "dot.png", "--degrade", "jpeg", "--scale", 4, "-o", tmp_path / "o")
    assert "dot.png is 9x3, too small for x4" in said


def test_the_verb_gives_back_what_it_was_given(photo):
    grey = read_rgb(photo)[:, :, 1]
    lr = acutance.degrade(grey, "reduce", scale=2)
    assert np.array_equal(lr, downscale(grey, 2))
    floats = acutance.degrade(grey, "reduce | noise(sigma=50) | unrounded", scale=2)
    assert floats.dtype == np.float32
    assert (floats.min() < 0) or (floats.max() > 1)
    assert abs(float(floats.mean()) - lr.mean() / 255) < 0.02
    with pytest.raises(InputError, match=r"\(H, W\)"):
        acutance.degrade(np.zeros(4, np.uint8), "jpeg", scale=1)


def test_a_sheet_shows_the_stages_in_order_and_other_draws(photo, tmp_path):
    run(photo, "--degrade", CHAIN, "--scale", 4, "--show", "-o", tmp_path, "--count", 2)
    sheet = read_rgb(tmp_path / "photo-degraded.png")
    assert sheet.shape[1] == 2 * MARGIN + COLUMNS * PANEL + (COLUMNS - 1) * GAP
    lr = acutance.degrade(read_rgb(photo), CHAIN, scale=4, name="photo")
    top = MARGIN + TITLE + GAP
    panels = [
        sheet[top : top + PANEL, x : x + PANEL]
        for x in range(MARGIN, sheet.shape[1] - PANEL, PANEL + GAP)
    ]
    hr, blurred, reduced, _, last, nothing = panels
    assert (nothing == 255).all()
    # 96 px of hr and 24 of lr lie in a panel: pixels as squares of 2 and of 8
    assert np.array_equal(hr[::2, ::2], hr[1::2, 1::2])
    assert np.array_equal(last[4::8, 4::8], last[3::8, 3::8])
    shown = last[4::8, 4::8]
    assert any(np.array_equal(shown, lr[:, k : k + 24]) for k in range(lr.shape[1] - 23))
    assert _roughness(hr) > _roughness(blurred) > 0
    assert not np.array_equal(reduced, last)


def test_captions_stay_below_their_panels():
    chain = (
        "sensor(shot=0.0123, read=1.23, red=2.34, blue=1.55) | blur(sigma=2.34, across=1.23, "
        "angle=123, beta=1.5, form='plateau', size=19) | resize(factor=1.23, of='lr', "
        "kernel='bilinear', antialias='no') | jpeg | jpeg | jpeg | jpeg"
    )
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    sheet = np.asarray(draw_sheet(pixels, settle(chain, 4), name="w" * 300, others=1))
    left = [MARGIN + k * (PANEL + GAP) - GAP for k in range(1, COLUMNS)]
    gaps = [sheet[:, x + 1 : x + GAP - 1] for x in (*left, sheet.shape[1] - MARGIN)]
    below = slice(MARGIN + TITLE + GAP, None)  # the headline goes over all of them
    head = sheet[: below.start, -MARGIN:]
    assert (head == 255).all()
    for gap in gaps:
        assert (gap[below] == 255).all()


def _roughness(pixels: np.ndarray) -> float:
    return float(np.abs(np.diff(pixels.astype(float), axis=1)).mean())


@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_a_sheet_of_next_to_nothing_is_drawn(side):
    pixels = np.full((side, side + 1, 3), 9, np.uint8)
    sheet = np.asarray(draw_sheet(pixels, settle("none", 1), name="dot", others=0))
    top = MARGIN + TITLE + GAP
    assert (sheet[top : top + PANEL, MARGIN : MARGIN + PANEL] == 9).all()


def test_a_caption_has_what_was_written_even_where_it_is_the_default():
    draw = np.random.default_rng(0)
    ranged, plain = drawn(parse_degradation("jpeg(quality=(75, 75)) | jpeg"), draw)
    assert (ranged.options, _options(ranged)) == (plain.options, ("quality=75",))
    assert _options(plain) == ()


@pytest.mark.parametrize("more", [(), ("--show",)])
def test_one_bad_file_stops_no_other(photo, tmp_path, more):
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    (folder / "b.png").write_bytes(photo.read_bytes())
    words = [str(folder), "--degrade", "reduce", "--scale", "2", "-o", str(tmp_path / "o"), *more]
    done = CliRunner().invoke(degrade, words)
    assert done.exit_code == 1
    assert done.stdout.split() == [str(tmp_path / "o" / f"b{'-degraded' if more else ''}.png")]
    assert "a.png is empty" in done.stderr
    assert done.stderr.splitlines()[-1] == "acutance: 1 of 2 pictures failed."
