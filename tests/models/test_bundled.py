"""The models that the package brings: found by name, told without torch, equal to their twins."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import acutance
from acutance.errors import InputError
from acutance.models.bundled import FOLDER, best_scale, families, in_float, listed, model_files
from acutance.models.card import at_level, exactly_at, find_model, read_card
from acutance.models.checkpoint import load_model, stamped
from acutance.models.listing import listed_models
from acutance.upscaling.onnx_runtime import load

FILES = model_files()
NAMES = [name for name, path in FILES.items() if path.suffix == ".safetensors"]
IN_8_BITS = [name for name, path in FILES.items() if path.suffix == ".onnx"]


def test_there_is_one():
    assert "nano-x2" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_model_where_no_such_path_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_model(Path(name)) == FOLDER / f"{name}.safetensors"
    (tmp_path / name).write_bytes(b"")
    assert find_model(Path(name)) == Path(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_a_choice_needs(name):
    card = read_card(Path(name))
    assert card.name == name
    assert card.licence == "Apache-2.0"
    assert card.reach is not None
    assert card.scores is not None
    assert card.scores["protocol"] == "y@1"
    assert card == read_card(FOLDER / f"{name}.onnx")
    assert card.weights == stamped(card, load_model(name)).weights


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_a_user_must_know(name):
    card = read_card(Path(name))
    assert (card.scale, card.steps > 0) == (int(name.rpartition("-x")[2]), True)
    assert all((card.data, card.data_terms, card.seeds, card.loss, card.bad_at, card.int8))


MOST_PARAMETERS = {"nano": 17_000, "small": 110_000, "photo": 600_000}


@pytest.mark.parametrize("name", IN_8_BITS)
def test_a_model_of_8_bits_says_what_it_lost(name):
    card, whole = read_card(Path(name)), read_card(Path(in_float(name)))
    assert find_model(Path(name)) == FOLDER / f"{name}.onnx"
    assert (card.name, card.weights, card.scale) == (name, "", whole.scale)
    assert card.scores["int8"]["loss_db"] == whole.int8["loss_db"] <= 0.1
    for found, before in zip(*(one.scores["sets"].values() for one in (card, whole)), strict=True):
        assert before["psnr"] - 0.2 < found["psnr"] < before["psnr"]
    ramp = np.linspace(0, 1, 20, dtype=np.float32) * np.ones(
        (1, {"luma": 1, "rgb": 3}[card.color], 33, 1), np.float32
    )
    found, expected = (load(FOLDER / f"{one}.onnx")(ramp) for one in (name, in_float(name)))
    assert 0 < np.abs(found - expected).max() < 0.05


def test_they_are_small():
    files = [path for path in FOLDER.iterdir() if path.suffix in (".safetensors", ".onnx")]
    assert {path.name: path.stat().st_size for path in files if path.stat().st_size > 2**21} == {}
    assert sum(path.stat().st_size for path in files) < 12_000_000
    for model in listed_models():
        assert model.parameters <= MOST_PARAMETERS[model.family.partition("-")[0]]


def test_a_family_has_a_file_for_each_scale(shelf, monkeypatch, tmp_path):
    folder = shelf("small-x4", "small-x2", "small-sharp-x4", "nano-x10", "odd")
    assert families() == {
        "nano": {10: folder / "nano-x10.safetensors"},
        "small": {scale: folder / f"small-x{scale}.safetensors" for scale in (2, 4)},
        "small-sharp": {4: folder / "small-sharp-x4.safetensors"},
    }
    assert list(families()["small"]) == [2, 4]
    assert find_model(Path("small")) == folder / "small-x2.safetensors"
    assert find_model(Path("small-sharp")) == folder / "small-sharp-x4.safetensors"
    assert exactly_at("small", 4) == folder / "small-x4.safetensors"
    assert at_level("small", 3) == folder / "small-x4.safetensors"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").write_bytes(b"")
    assert at_level("small", 4) == "small"
    assert find_model(Path("small")) == Path("small")


@pytest.mark.parametrize(
    "ask", [lambda: exactly_at("small", 3), lambda: find_model(Path("small-x3"))]
)
def test_a_family_says_which_scales_it_has(shelf, ask):
    shelf("small-x2", "small-x4")
    with pytest.raises(InputError) as error:
        ask()
    assert str(error.value) == (
        "The bundled model 'small' is there for x2 and x4, not for x3. Give --scale 2, or a model "
        "for x3 (`acutance models` lists them; `acutance train --scale` makes one)."
    )


@pytest.mark.parametrize(
    ("scales", "factor", "best"),
    [
        ((2, 3, 4), 3, 3),
        ((2, 3, 4), 2.5, 3),  # the nearest larger
        ((2, 4), 3, 4),
        ((2, 3, 4), 1.5, 2),
        ((2, 3, 4), 6, 3),  # twice: 9, nearer than 16
        ((2, 3, 4), 8, 3),  # 9 in two runs before 8 in three
        ((2, 3, 4), 10, 4),  # 16
        ((2,), 7, 2),
        ((2, 4), 0.5, 2),
    ],
)
def test_the_fewest_runs_then_the_least_beyond(scales, factor, best):
    assert best_scale(scales, factor) == best


def test_scales_in_words():
    assert [listed(s) for s in ((2,), (4, 2), (2, 3, 4))] == [
        "x2 only",
        "x2 and x4",
        "x2, x3 and x4",
    ]


def test_the_public_list_has_what_a_choice_needs(shelf):
    folder = shelf("nano-x2", "nano-x3")
    [nano] = acutance.bundled_models()
    assert (nano["name"], nano["scales"], nano["licence"]) == ("nano", [2, 2], "Apache-2.0")
    assert nano["size"] == sum(path.stat().st_size for path in folder.iterdir())
    assert nano["scores"][2]["sets"]["Set5"]["psnr"] > 35.5  # bicubic has 33.67
    assert nano["data_terms"] == nano["models"][0]["data_terms"] != ""
    count = sum(p.numel() for p in load_model("nano-x2").parameters())
    assert nano["models"][0]["parameters"] == count


@pytest.mark.parametrize("name", NAMES)
def test_twin_and_model_compute_the_same(name):
    network, engine = load_model(name), load(FOLDER / f"{name}.onnx")
    lr = np.random.default_rng(0).random((1, network.channels, 33, 20), dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(engine(lr), expected, atol=1e-5)


def test_the_list_has_their_parameters():
    for model in listed_models():
        count = sum(p.numel() for p in load_model(in_float(model.card.name)).parameters())
        assert model.parameters == count


def test_nothing_of_it_imports_torch():
    code = (
        "import sys, numpy\n"
        "from pathlib import Path\n"
        "from acutance.models.card import read_card\n"
        "from acutance.models.listing import listed_models\n"
        "from acutance.upscaling.choice import open_engine\n"
        "card = read_card(Path('nano-x2')); list(listed_models())\n"
        "engine = open_engine('nano-x2', pixels=100)\n"
        "sr = engine(numpy.zeros((1, 1, 10, 10), numpy.float32))\n"
        "print(sr.shape, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "(1, 1, 20, 20) False", done.stderr
