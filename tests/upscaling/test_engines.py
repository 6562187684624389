"""What every engine owes its callers. An engine joins by its line in the ENGINES table."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model
from acutance.upscaling import ENGINES
from acutance.upscaling.choice import open_engine
from acutance.upscaling.pytorch import TorchEngine


def picture(channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, channels, height, width), dtype=np.float32)


# the files that our own commands write, with each engine that reads them
MADE_HERE = [
    (name, ending)
    for name in ENGINES.names()
    for ending in (".safetensors", ".onnx")
    if ending in ENGINES.module(name).ENGINE.reads
]


def channels_of(engine) -> int:
    return {"luma": 1, "rgb": 3}[engine.card.color]


@pytest.fixture(params=ENGINES.names())
def name(request):
    return request.param


@pytest.mark.parametrize("size", [(1, 1), (17, 31), (64, 5)], ids=str)
def test_agrees_with_the_network(model, name, size):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), *size)
    with torch.inference_mode():
        expected = load_model(model)(torch.from_numpy(lr)).numpy()
    # 2e-6: the fused primitive and channels last add in another order than plain torch
    tolerance = max(ENGINES.module(name).ENGINE.tolerance, 2e-6)
    np.testing.assert_allclose(engine(lr), expected, atol=tolerance, rtol=0)


def test_says_what_the_model_says(model, name):
    assert open_engine(model, engine=name).card == read_card(model)


def test_does_not_change_its_input(model, name):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), 8, 9)
    before = lr.copy()
    engine(lr)
    np.testing.assert_array_equal(lr, before)


def test_takes_arrays_that_are_not_contiguous(model, name):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), 8, 10)
    turned = lr.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(engine(turned), engine(turned.copy()), atol=1e-6)


def test_gives_the_same_twice(model, name):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), 33, 20)
    np.testing.assert_array_equal(engine(lr), engine(lr))


@pytest.mark.parametrize(("name", "ending"), MADE_HERE)
def test_a_damaged_file_is_refused(model, name, tmp_path, ending):
    whole = (model / f"model{ending}").read_bytes()
    (tmp_path / f"a{ending}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="It is damaged or incomplete"):
        ENGINES.load(name)(tmp_path / f"a{ending}")


def test_onnx_runtime_needs_no_torch(luma_model):
    code = (
        "import sys\n"
        "from acutance.upscaling.picture import upscale\n"
        "import numpy as np\n"
        f"print(upscale(np.zeros((4, 4), np.uint8), model={str(luma_model)!r}).shape)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["(8, 8)", "False"], done.stderr


def test_torch_is_opened_without_its_compiler(luma_model):
    """Its import takes as long as all of torch: a first small picture would wait twice."""
    code = (
        "import sys\n"
        "from acutance.upscaling.choice import open_engine\n"
        "import numpy as np\n"
        f"engine = open_engine({str(luma_model)!r}, engine='pytorch')\n"
        "engine(np.zeros((1, 1, 4, 4), np.float32))\n"
        "print('torch' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "True False", done.stderr


def test_the_torch_engine_keeps_the_weights_of_its_beginning():
    """Training goes on after a validation without changing what was opened for it."""
    network = build("compact:nano", scale=2)
    engine = TorchEngine(network, describe("compact:nano", scale=2))
    lr = picture(1, 6, 6)
    before = engine(lr)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(1)
    np.testing.assert_array_equal(engine(lr), before)
    assert network.training


NETWORKS = ["compact:nano", "compact:video", "edsr", "espcn", "fsrcnn", "srcnn:955", "vdsr"]


@pytest.mark.parametrize("network", NETWORKS)
def test_fusing_changes_no_picture(network):
    torch.manual_seed(0)
    plain = build(network, scale=2).eval()
    engine = TorchEngine(plain, describe(network, scale=2))
    lr = picture(plain.channels, 21, 18)
    with torch.inference_mode():
        expected = plain(torch.from_numpy(lr)).numpy()
    size = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(engine(lr), expected, atol=1e-5 * size, rtol=0)


def test_works_where_the_primitive_is_missing(monkeypatch):
    monkeypatch.setattr("acutance.upscaling.fusion._primitive_works", lambda: False)
    network = build("compact:nano", scale=2).eval()
    engine = TorchEngine(network, describe("compact:nano", scale=2))
    lr = picture(1, 9, 9)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(engine(lr), expected, atol=2e-6)
