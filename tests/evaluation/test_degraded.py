"""Scores of what was degraded: what the subject is shown, by which draws, and what is told."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from acutance.cli.evaluate import evaluate as command
from acutance.errors import InputError
from acutance.evaluation.degraded import Degraded, degraded_by
from acutance.evaluation.scoring import Scores, Subject, bicubic_subject, check_comparable, evaluate
from acutance.imaging.colour import luma
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models.rescaling import card_of, save_shrinker
from acutance.models.shrinker import Shrinker


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    pictures = {"a": noise(24, 32, 3), "b": noise(20, 22, 3, seed=1), "grey": noise(18, 26, 1)}
    for name, pixels in pictures.items():
        write_picture(tmp_path / "set" / f"{name}.png", Picture(pixels))
    return tmp_path / "set"


def brighter(hr: np.ndarray, *, scale: int, draw: np.random.Generator) -> np.ndarray:
    """Up by 40 levels and a drawn bit, in floats that leave the range of 8 bits."""
    assert scale == 1
    return hr.astype(np.float32) + np.float32(40) + draw.random(hr.shape, dtype=np.float32)


BRIGHTER = Degraded("brighter | unrounded", brighter, seed=3)


def same(lr: np.ndarray) -> np.ndarray:
    return lr


def values(scores: Scores) -> dict[str, float]:
    return {row.picture: row.value for row in scores.rows if row.metric == "psnr"}


def shown_by(folder: Path, degraded: Degraded) -> list[np.ndarray]:
    seen = []
    subject = Subject("noting", same, lambda lr: seen.append(lr) or lr)
    evaluate(subject, [folder], scale=1, protocol="grey@1", degraded=degraded)
    return seen


def test_grey_shows_y_between_and_beyond_the_levels(folder):
    colour, _, grey = shown_by(folder, BRIGHTER)
    assert colour.dtype == np.float64
    y = np.floor(luma(noise(24, 32, 3)) + 0.5)
    added = colour - y
    assert added.min() >= 40
    assert added.max() <= 41.001
    assert np.abs(added - np.round(added)).max() > 0.3  # not rounded
    assert grey.max() > 255  # not clipped
    assert (grey - noise(18, 26, 1)[:, :, 0]).min() >= 40  # a grey original is its own Y


def test_grey_compares_the_whole_of_what_is_rounded_and_clipped(folder):
    scores = evaluate(bicubic_subject(1), [folder], scale=1, protocol="grey@1", degraded=BRIGHTER)
    for seen, (name, found) in zip(shown_by(folder, BRIGHTER), values(scores).items(), strict=True):
        pixels = {"a": noise(24, 32, 3), "b": noise(20, 22, 3, seed=1)}.get(name)
        hr = noise(18, 26, 1)[:, :, 0] if pixels is None else np.floor(luma(pixels) + 0.5)
        error = np.floor(np.clip(seen, 0, 255) + 0.5) - hr
        expected = 10 * math.log10(255**2 / np.mean(np.square(error.astype(float))))
        assert found == pytest.approx(expected, abs=1e-9), name


def test_draws_depend_on_the_seed_and_the_name_alone(folder):
    together = shown_by(folder, BRIGHTER)
    (folder / "a.png").unlink()
    (folder / "b.png").rename(folder / "z.png")  # another name, other draws
    grey, renamed = shown_by(folder, BRIGHTER)
    assert np.array_equal(grey, together[2])
    assert not np.array_equal(renamed, together[1])
    other, _ = shown_by(folder, replace(BRIGHTER, seed=4))
    assert not np.array_equal(other, grey)


@pytest.mark.parametrize("protocol", ["y@1", "rgb@1"])
def test_colours_are_degraded_at_every_scale(folder, protocol):
    seen = []
    subject = Subject("noting", lambda lr: seen.append(lr) or resize(lr, scale=2))
    chain = degraded_by("reduce(kernel='nearest')", seed=1)
    evaluate(subject, [folder], scale=2, protocol=protocol, degraded=chain)
    assert np.array_equal(seen[0], noise(24, 32, 3)[1::2, 1::2])
    assert seen[2].shape == (9, 13, 3)  # a grey original, replicated


def test_colours_that_are_not_rounded_are_refused(folder):
    with pytest.raises(InputError, match=r"y@1 shows pictures of 8 bits, and 'none \| unrounded'"):
        evaluate(bicubic_subject(1), [folder], scale=1, degraded=degraded_by("none | unrounded"))


def test_grey_without_a_chain_is_reduced_and_rounded(folder):
    seen = []
    subject = Subject("noting", same, lambda lr: seen.append(lr) or resize(lr, scale=2))
    evaluate(subject, [folder], scale=2, protocol="grey@1")
    assert all(np.array_equal(lr, np.rint(lr)) for lr in seen)


# --- what is told


def scores(**more) -> Scores:
    return Scores("a", 1, "grey@1", (), **more)


def test_a_degradation_stands_in_the_file_and_comes_back(folder):
    found = evaluate(bicubic_subject(1), [folder], scale=1, protocol="grey@1", degraded=BRIGHTER)
    content = json.loads(json.dumps(found.to_json()))
    assert (content["degradation"], content["degradation_seed"]) == ("brighter | unrounded", 3)
    assert Scores.from_json(content) == found


def test_without_one_the_file_is_as_it_was():
    assert scores().to_json().keys() == {"model", "scale", "protocol", "sets"}


@pytest.mark.parametrize("wrong", [{"degradation": 3}, {"degradation_seed": "x"}])
def test_a_file_whose_degradation_is_no_text_is_refused(wrong):
    with pytest.raises(InputError, match="not a file of scores"):
        Scores.from_json({**scores(degradation="jpeg").to_json(), **wrong})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({}, "and a on those by bicubic."),
        ({"degradation": "jpeg(quality=20)"}, "and a on those by jpeg(quality=20) with the seed 0"),
        (
            {"degradation": "jpeg(quality=10)", "degradation_seed": 1},
            "and a on those by jpeg(quality=10) with the seed 1",
        ),
    ],
)
def test_scores_of_different_degradations_are_not_compared(other, told):
    one = scores(degradation="jpeg(quality=10)")
    check_comparable(one, scores(degradation="jpeg(quality=10)"))
    with pytest.raises(InputError, match=re.escape(told)):
        check_comparable(one, scores(**other))


# --- the command


def run(*arguments: object):
    return CliRunner().invoke(command, list(map(str, arguments)))


def test_the_command_tells_what_it_degraded_by(folder):
    asked = ["--data", folder, "--scale", 2, "--degrade", "reduce( kernel='box')"]
    done = run("bicubic", *asked, "--degrade-seed", 7, "--protocol", "grey@1")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-2:] == [
        "bicubic, x2, protocol grey@1",
        "degraded by reduce(kernel='box'), seed 7",
    ]


def test_the_input_at_x1_is_the_row_of_bicubic(folder, tmp_path):
    (tmp_path / "chain.toml").write_text('stages = ["none"]')
    done = run(
        "bicubic", "--data", folder, "--scale", 1, "--protocol", "grey@1",
        "--degrade", tmp_path / "chain.toml",
    )  # fmt: skip
    assert done.stdout.splitlines()[1].split()[1:] == ["3", "inf", "1.0000"]


def test_a_recipe_names_its_chain(folder):
    done = run("bicubic", "--data", folder, "--scale", 2, "--degrade", "bsrgan")
    assert "degraded by either(0.75*" in done.stdout, done.output


def test_nothing_to_mend_is_said(folder):
    done = run("bicubic", "--data", folder, "--scale", 1, "--protocol", "grey@1")
    assert "--degrade 'jpeg(quality=10)'" in str(done.exception)
    assert isinstance(done.exception, InputError)


def test_a_chain_that_cannot_be_read_is_refused(folder):
    done = run("bicubic", "--data", folder, "--scale", 1, "--degrade", "redcue")
    assert "Did you mean 'reduce'?" in str(done.exception)


# --- a learned F makes lr


@pytest.fixture
def learned(tmp_path):
    torch.manual_seed(0)
    shrinker = Shrinker(scale=2, channels=1, features=4, convolutions=1)
    save_shrinker(shrinker, card_of(shrinker), tmp_path / "shrink.safetensors")
    return tmp_path / "shrink.safetensors", card_of(shrinker).weights[:12]


def test_scores_know_the_learned_f_by_its_weights(folder, learned):
    file, mark = learned
    done = run("bicubic", "--data", folder, "--scale", 2, "--shrink", file)
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines()[-1] == f"degraded by the learned F {mark}, seed 0"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--protocol", "grey@1"], "grey@1 shows Y .* Use --protocol y@1"),
        (["--degrade", "reduce"], "Either --degrade or --shrink"),
    ],
)
def test_what_does_not_go_with_a_learned_f_is_refused(folder, learned, more, message):
    done = run("bicubic", "--data", folder, "--scale", 2, "--shrink", learned[0], *more)
    assert isinstance(done.exception, InputError)
    assert re.search(message, str(done.exception))
