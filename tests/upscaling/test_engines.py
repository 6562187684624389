"""What every engine owes its callers. An engine joins by its line in the ENGINES table."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from acutance.errors import InputError, RunError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling import ENGINES, pytorch
from acutance.upscaling.choice import open_engine
from acutance.upscaling.engine import How, told_apart
from acutance.upscaling.export import export_onnx
from acutance.upscaling.pytorch import TorchEngine


def picture(channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, channels, height, width), dtype=np.float32)


NEEDS = {
    name: pytest.mark.skipif(
        find_spec(ENGINES.module(name).ENGINE.package) is None,
        reason=f"the extra {ENGINES.module(name).ENGINE.extra} is not installed",
    )
    for name in ENGINES.names()
}


# the files that our own commands write, with each engine that reads them
MADE_HERE = [
    pytest.param(name, ending, marks=NEEDS[name])
    for name in ENGINES.names()
    for ending in (".safetensors", ".onnx")
    if ending in ENGINES.module(name).ENGINE.reads
]


def channels_of(engine) -> int:
    return {"luma": 1, "rgb": 3}[engine.card.color]


@pytest.fixture(params=[pytest.param(name, marks=NEEDS[name]) for name in ENGINES.names()])
def name(request):
    return request.param


@pytest.mark.parametrize("size", [(1, 1), (17, 31), (64, 5)], ids=str)
def test_agrees_with_the_network(model, name, size):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), *size)
    with torch.inference_mode():
        expected = load_model(model)(torch.from_numpy(lr)).numpy()
    tolerance = ENGINES.module(name).ENGINE.tolerance
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


def test_takes_arrays_that_must_not_be_written(model, name):
    engine = open_engine(model, engine=name)
    lr = picture(channels_of(engine), 8, 10)
    lr.flags.writeable = False
    np.testing.assert_array_equal(engine(lr[..., ::-1]), engine(lr[..., ::-1].copy()))
    assert engine(lr).shape[2:] == (16, 20)


def test_a_result_stays_when_the_next_is_made(model, name):
    engine = open_engine(model, engine=name)
    first = engine(picture(channels_of(engine), 8, 10))
    before = first.copy()
    engine(1 - picture(channels_of(engine), 8, 10))
    np.testing.assert_array_equal(first, before)


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
SIZES = [(1, 1), (3, 2), (21, 18), (40, 33)]


@pytest.fixture(scope="module", params=NETWORKS)
def lively(request, tmp_path_factory):
    """A network whose every layer matters, and the folder of its files."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("lively")
    network = build(request.param, scale=2).eval()
    with torch.no_grad():
        for p in network.parameters():
            if p.abs().max() < 1e-2 and p.ndim > 1:  # begins near zero
                p.copy_(torch.randn_like(p) * 0.05)
    card = describe(request.param, scale=2)
    save_model(network, card, folder / "model.safetensors")
    export_onnx(network, card, folder / "model.onnx")
    return network, folder


def test_every_network_is_the_same_by_every_engine(lively, name):
    network, folder = lively
    engine = open_engine(folder, engine=name)
    assert (engine.name, engine.precision) == (name, "f32")
    for size in SIZES:
        lr = picture(network.channels, *size)
        with torch.inference_mode():
            expected = network(torch.from_numpy(lr)).numpy()
        tolerance = ENGINES.module(name).ENGINE.tolerance
        largest = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(engine(lr), expected, atol=tolerance * largest, rtol=0)


def test_the_spread_is_the_same_by_every_engine(name, tmp_path):
    torch.manual_seed(0)
    network = build("compact:nano", scale=2, head="spread").eval()
    with torch.no_grad():
        network.spread.weight.mul_(50)
    card = describe("compact:nano", scale=2, head="spread")
    save_model(network, card, tmp_path / "model.safetensors")
    export_onnx(network, card, tmp_path / "model.onnx")
    lr = picture(network.channels, 14, 9)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr))
    sr, log_scale = open_engine(tmp_path, engine=name).with_spread(lr)
    np.testing.assert_allclose(sr, expected["sr"].numpy(), atol=1e-5)
    np.testing.assert_allclose(log_scale, expected["log_scale"].numpy(), atol=1e-4)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Failed to allocate memory for requested buffer of size 1", MemoryError),
        ("DefaultCPUAllocator: can't allocate memory: you tried", MemoryError),
        ("CUDA out of memory. Tried to allocate 2 GiB", MemoryError),
        ("std::bad_alloc", MemoryError),
        ("Non-zero status code returned", RunError),
        ("", RunError),
    ],
)
def test_failures_are_told_apart(said, kind):
    with pytest.raises(kind), told_apart("pytorch"):
        raise RuntimeError(said)


def test_works_where_the_primitive_is_missing(monkeypatch):
    monkeypatch.setattr("acutance.upscaling.fusion._primitive_works", lambda: False)
    network = build("compact:nano", scale=2).eval()
    engine = TorchEngine(network, describe("compact:nano", scale=2))
    lr = picture(1, 9, 9)
    with torch.inference_mode():
        expected = network(torch.from_numpy(lr)).numpy()
    np.testing.assert_allclose(engine(lr), expected, atol=2e-6)


def test_fast_takes_16_bits_only_where_they_are_faster(luma_model, monkeypatch):
    """The flag of the processor alone decides nothing."""
    network = load_model(luma_model)
    for native, seconds, expected in [
        (False, {"f32": 2.0, "bf16": 1.0}, "f32"),
        (True, {"f32": 2.0, "bf16": 1.0}, "bf16"),
        (True, {"f32": 2.0, "bf16": 1.9}, "f32"),
    ]:
        monkeypatch.setattr(pytorch, "has_native_bf16", lambda native=native: native)
        monkeypatch.setattr(
            TorchEngine, "_seconds", lambda self, _, seconds=seconds: seconds[self.precision]
        )
        assert TorchEngine(network, network.card, fast=True).precision == expected
        assert TorchEngine(network, network.card).precision == "f32"


def test_what_16_bits_spoil_is_tried_again_in_32(luma_model, monkeypatch):
    monkeypatch.setattr(pytorch, "has_native_bf16", lambda: True)
    monkeypatch.setattr(TorchEngine, "_is_faster_in_bf16", lambda _: True)
    fast = pytorch.load(luma_model, How(fast=True))
    again = fast.precise()
    assert (fast.precision, again.precision) == ("bf16", "f32")
    assert again.precise() is again
    lr = picture(1, 20, 24)
    np.testing.assert_allclose(again(lr), pytorch.load(luma_model)(lr), atol=1e-6)


def test_bf16_is_near_and_keeps_what_is_corrected(luma_model, monkeypatch):
    monkeypatch.setattr(pytorch, "has_native_bf16", lambda: True)
    monkeypatch.setattr(TorchEngine, "_is_faster_in_bf16", lambda _: True)
    network = load_model(luma_model)
    lr = picture(1, 12, 12)
    found = TorchEngine(network, network.card, fast=True)(lr)
    difference = np.abs(found - TorchEngine(network, network.card)(lr))
    assert found.dtype == np.float32
    assert 0 < difference.max() < 0.02


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
@pytest.mark.parametrize(("fast", "tolerance"), [(False, 1e-4), (True, 0.02)])
def test_a_gpu_gives_the_same(luma_model, fast, tolerance):
    lr = picture(1, 33, 20)
    engine = pytorch.load(luma_model, How(fast=fast))
    assert (engine.precision == "f32") != fast
    np.testing.assert_allclose(
        engine(lr), pytorch.load(luma_model, device="cpu")(lr), atol=tolerance
    )


@pytest.mark.parametrize(("bf16", "fast", "expected"), [
    (True, True, "bf16"), (False, True, "f16"), (True, False, "f32"),
])  # fmt: skip
def test_a_gpu_takes_what_it_has(luma_model, monkeypatch, bf16, fast, expected):
    """With a stand-in: the network stays on the processor."""
    network = load_model(luma_model)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
    assert TorchEngine(network, network.card, "cuda", fast=fast).precision == expected


@pytest.mark.parametrize("told", ["2", "x", ""])
def test_threads_are_those_that_were_asked_for(told, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert How(threads=3).thread_count == 3
    assert How().thread_count == (2 if told == "2" else 0)
