"""ONNX twins: equal to their network at every size, or not written."""

import json

import numpy as np
import onnx
import pytest
import torch
from tests.offered import scales_of

from acutance.errors import InputError, RunError
from acutance.models import MODELS, build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import save_model
from acutance.upscaling.export import export_onnx
from acutance.upscaling.onnx_runtime import OnnxEngine

CASES = [(name, scale, "") for name in MODELS.names() for scale in scales_of(name)]
CASES += [("compact:nano", scale, skip) for scale in (2, 3, 4) for skip in ("nearest", "bicubic")]


@pytest.mark.parametrize(("name", "scale", "skip"), CASES)
def test_is_equal_at_every_size(name, scale, skip, tmp_path):
    torch.manual_seed(0)
    arguments = {"skip": skip} if skip else {}
    network = build(name, scale=scale, arguments=arguments).eval()
    card = describe(name, scale=scale, arguments=arguments)
    export_onnx(network, card, tmp_path / "a.onnx")
    engine = OnnxEngine(tmp_path / "a.onnx")
    for height, width in [(1, 1), (2, 5), (23, 16)]:
        lr = torch.rand(1, network.channels, height, width)
        with torch.inference_mode():
            expected = network(lr).numpy()
        size = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(engine(lr.numpy()), expected, atol=1e-5 * size, rtol=0)


def test_carries_the_card_of_the_model(tmp_path):
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    written = export_onnx(network, card, tmp_path / "model.onnx")
    assert written == save_model(network, card, tmp_path / "model.safetensors")
    assert read_card(tmp_path / "model.onnx") == read_card(tmp_path) == written
    properties = {p.key: p.value for p in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(properties["acutance"])["architecture"] == "compact"


def test_leaves_the_network_as_it_was(tmp_path):
    network = build("compact:nano", scale=2).train()
    export_onnx(network, describe("compact:nano", scale=2), tmp_path / "a.onnx")
    assert network.training
    assert all(p.requires_grad for p in network.parameters())


def test_what_does_not_agree_is_not_written(tmp_path, monkeypatch):
    """The file that was there before stays; so does nothing else."""
    (tmp_path / "a.onnx").write_bytes(b"before")
    run = OnnxEngine.__call__
    monkeypatch.setattr(OnnxEngine, "__call__", lambda self, lr: run(self, lr) + np.float32(3e-5))
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    with pytest.raises(RunError, match="does not compute what the network computes"):
        export_onnx(network, card, tmp_path / "a.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").read_bytes() == b"before"


def test_numbers_that_are_not_finite_do_not_agree(tmp_path):
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    with torch.no_grad():
        network.body[0].bias[0] = float("nan")
    with pytest.raises(RunError, match="does not compute"):
        export_onnx(network, card, tmp_path / "a.onnx")


def test_the_ending_is_checked(tmp_path):
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    with pytest.raises(InputError, match=r"a\.bin must end in \.onnx"):
        export_onnx(network, card, tmp_path / "a.bin")
