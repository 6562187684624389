"""The models that the package brings: found by name, told without torch, equal to their twins."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from acutance.models.bundled import FOLDER, model_files
from acutance.models.card import find_model, read_card
from acutance.models.checkpoint import load_model, stamped
from acutance.models.listing import listed_models
from acutance.upscaling.onnx_runtime import load

NAMES = list(model_files())


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
def test_twin_and_model_compute_the_same(name):
    network, engine = load_model(name), load(FOLDER / f"{name}.onnx")
    lr = np.random.default_rng(0).random((1, network.channels, 33, 20), dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(engine(lr), expected, atol=1e-5)


def test_the_list_has_their_parameters():
    for model in listed_models():
        count = sum(p.numel() for p in load_model(model.card.name).parameters())
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
