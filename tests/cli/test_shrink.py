"""`acutance shrink` as a person meets it, and `evaluate --shrink` beside it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from acutance import shrink as shrunk
from acutance import upscale
from acutance.cli.evaluate import evaluate
from acutance.cli.shrink import shrink
from acutance.errors import InputError
from acutance.imaging.files import read_picture, read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.training.display import Silent
from acutance.training.loop import train


@pytest.fixture(scope="module")
def run(tmp_path_factory, photo_folder):
    """A pair that has taken four steps."""
    from acutance.training.recipe import make_recipe

    folder = tmp_path_factory.mktemp("runs") / "pair"
    settings = {
        "data.photos": [str(photo_folder)],
        "data.patch": 16,
        "data.batch": 2,
        "network.name": "compact:nano",
        "network.color": "luma",
        "network.shrink": "tiny",
        "loss.expression": "l1 + mse(on='small')",
        "stop.steps": 4,
        "machine.threads": 1,
        "machine.precision": "fp32",
        "machine.device": "cpu",
        "log.samples": 0,
        "log.tensorboard": "off",
    }
    train(make_recipe([("test", settings)])[0], folder, Silent())
    return folder


def shown(*words: object):
    return CliRunner().invoke(shrink, list(map(str, words)))


def test_a_picture_becomes_small_and_large_again(run, photo_folder, tmp_path):
    source, target = photo_folder / "drawn1.png", tmp_path / "small.png"
    done = shown(source, "-o", target, "--model", run)
    assert (done.exit_code, done.stdout) == (0, f"{target}\n")
    small = read_picture(target)
    assert np.array_equal(small.pixels, shrunk(read_rgb(source), model=run))
    assert small.metadata.text["Software"].startswith("acutance")
    assert "F shrinker_compact-nano_x2" in small.metadata.text["Software"]
    assert upscale(target, model=run).pixels.shape == read_rgb(source).shape


def test_folders_keep_their_names_and_one_bad_file_stops_no_other(run, tmp_path):
    pixels = np.arange(24 * 16 * 3, dtype=np.uint8).reshape(24, 16, 3)
    for name in ("in/a.png", "in/deep/b.png"):
        write_picture(tmp_path / name, Picture(pixels, None))
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    done = shown(tmp_path / "in", "-o", tmp_path / "out", "--model", run, "--format", "webp")
    assert done.exit_code == 1
    made = sorted(str(path.relative_to(tmp_path / "out")) for path in done_files(tmp_path / "out"))
    assert made == ["a_x0.5.webp", "deep/b_x0.5.webp"]
    assert "c.png: failed" in done.stderr
    assert "1 of 3 pictures failed" in done.stderr


def done_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_exists_is_not_replaced_unasked(run, photo_folder, tmp_path):
    target = tmp_path / "small.png"
    target.write_bytes(b"mine")
    done = shown(photo_folder / "drawn0.png", "-o", target, "--model", run)
    assert isinstance(done.exception, InputError)
    assert target.read_bytes() == b"mine"
    done = shown(photo_folder / "drawn0.png", "-o", target, "--model", run, "--overwrite")
    assert done.exit_code == 0
    assert read_picture(target).width == 64


def test_wrong_input_ends_with_code_2(run, run_within, photo_folder, tmp_path):
    photo = photo_folder / "drawn0.png"
    for words, message in [
        ((photo, "--model", tmp_path), "holds no shrink.safetensors"),
        ((photo, "--model", run / "model.safetensors"), "holds compact, which enlarges"),
        ((tmp_path / "none.png", "--model", run), "does not exist"),
        ((photo,), "Missing option"),
    ]:
        done = run_within("shrink", *words, "-o", tmp_path / "out.png")
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    done = run_within("upscale", photo, "-o", tmp_path / "o.png", "-m", run / "shrink.safetensors")
    assert done.returncode == 2
    assert "acutance shrink" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_a_pair_is_scored_by_its_own_small_pictures(run, photo_folder, tmp_path):
    scores = {}
    for name, more in {"own": ["--shrink", str(run)], "bicubic": []}.items():
        target = tmp_path / f"{name}.json"
        words = [str(run), "--data", str(photo_folder), "--json", str(target), *more]
        done = CliRunner().invoke(evaluate, words, catch_exceptions=False)
        assert done.exit_code == 0
        (found,) = json.loads(target.read_text())["sets"].values()
        scores[name] = found["images"]["drawn0"]["psnr"]
    hr = read_rgb(photo_folder / "drawn0.png")
    made = upscale(shrunk(hr, model=run), model=run)
    from acutance.evaluation.scoring import score_picture

    assert scores["own"] == pytest.approx(score_picture(made, hr, scale=2)["psnr"], abs=1e-6)
    assert scores["own"] != scores["bicubic"]


def test_a_scale_or_protocol_that_is_not_f_s_is_refused(run, photo_folder):
    for words, message in [
        (["bicubic", "--scale", "3", "--shrink", str(run)], "2 times smaller, not 3"),
        ([str(run), "--shrink", str(run), "--protocol", "table@1"], "Use --protocol y@1"),
    ]:
        done = CliRunner().invoke(evaluate, [*words, "--data", str(photo_folder)])
        assert isinstance(done.exception, InputError)
        assert message in str(done.exception)
