"""Small models whose own part is large enough to see, saved with their ONNX twins."""

from pathlib import Path

import pytest
import torch

from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import save_model
from acutance.upscaling.export import export_onnx


def make_model(folder: Path, color: str, *, scale: int = 2, seed: int = 0) -> Path:
    """A run folder with a random but lively model in it."""
    channels = {"luma": 1, "rgb": 3}[color]
    arguments = {"features": 8, "convolutions": 2}
    torch.manual_seed(seed)
    network = build("compact", scale=scale, channels=channels, arguments=arguments)
    with torch.no_grad():
        network.body[-1].weight.mul_(100)
    card = describe("compact", scale=scale, channels=channels, arguments=arguments)
    save_model(network, card, folder / "model.safetensors")
    export_onnx(network, card, folder / "model.onnx")
    return folder


@pytest.fixture(scope="session")
def luma_model(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("luma"), "luma")


@pytest.fixture(scope="session")
def rgb_model(tmp_path_factory) -> Path:
    return make_model(tmp_path_factory.mktemp("rgb"), "rgb")


@pytest.fixture(params=["luma", "rgb"])
def model(request) -> Path:
    return request.getfixturevalue(f"{request.param}_model")
