"""Published weights and files in the community's layout: every engine gives the same picture."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from acutance.imaging.files import picture_paths, read_rgb
from acutance.imaging.picture import Picture
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling import ENGINES
from acutance.upscaling.choice import open_engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.export import export_onnx
from acutance.upscaling.picture import PLAIN
from acutance.upscaling.task import Upscaler

PUBLISHED = ["imdn_x2", "imdn_x4", "pan_x2", "pan_x4", "rlfn_x2", "rlfn_x4"]
ALONE = ["pan_x4", "rlfn_x4"]  # quick, on a piece of a picture

BY_ENGINE = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            find_spec(ENGINES.module(name).ENGINE.package) is None,
            reason=f"the extra {ENGINES.module(name).ENGINE.extra} is not installed",
        ),
    )
    for name in ENGINES.names()
]


@pytest.fixture(params=BY_ENGINE)
def engine(request) -> str:
    return request.param


def by_reference(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) uint8 by torch as it comes: whole, contiguous, nothing joined."""
    lr = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].contiguous() / 255
    with torch.inference_mode():
        sr = network(lr)
    return (sr * 255).clamp(0, 255).round().to(torch.uint8)[0].permute(1, 2, 0).numpy()


@pytest.fixture(scope="session")
def opened(tmp_path_factory):
    """A model file by an engine, with its ONNX twin where that is what the engine reads."""

    @cache
    def folder_of(file: Path) -> Path:
        folder = tmp_path_factory.mktemp("model")
        network = load_model(file)
        card = save_model(network, network.card, folder / "model.safetensors")  # pyright: ignore
        export_onnx(network, card, folder / "model.onnx")
        return folder

    def by(file: Path, engine: str) -> Upscaler:
        upscaler = Upscaler(open_engine(folder_of(file), engine=engine))
        assert upscaler.engine_name == engine
        return upscaler

    return by


@pytest.fixture(scope="session")
def references():
    return {}


def check_agreement(upscaler: Upscaler, pictures, record_property) -> None:
    """Within a grey level of the reference; --junitxml=FILE -o junit_family=xunit1 says more."""
    differing = samples = most = 0
    for pixels, expected in pictures:
        found = enlarge_picture(Picture(pixels), upscaler, PLAIN).pixels
        assert np.ptp(expected.astype(int)) > 50  # a picture, not a plain
        off = np.abs(found.astype(int) - expected)
        differing, samples = differing + int((off > 0).sum()), samples + off.size
        most = max(most, int(off.max()))
    record_property("agreement", f"{differing} of {samples} differ, by {most} at most")
    assert most <= 1


def set5(data: Path, scale: str) -> list[np.ndarray]:
    return [read_rgb(p) for p in picture_paths([data / "Set5" / "LR_bicubic" / scale.upper()])]


def weights(data: Path, name: str) -> Path:
    file = data / "weights" / f"{name}.safetensors"
    if not file.is_file():
        pytest.skip(f"no published weights at {file}")
    return file


@pytest.mark.parametrize("name", ALONE)
def test_a_published_network_is_the_same_by_every_engine(
    name, engine, acutance_data, opened, record_property
):
    file = weights(acutance_data, name)
    pixels = set5(acutance_data, "x4")[-1][:48, :48]
    pictures = [(pixels, by_reference(load_model(file), pixels))]
    check_agreement(opened(file, engine), pictures, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_set5_by_published_networks(
    name, engine, acutance_data, opened, references, record_property
):
    file = weights(acutance_data, name)
    if name not in references:
        network = load_model(file)
        small = set5(acutance_data, name.partition("_")[2])
        assert len(small) == 5
        references[name] = [(pixels, by_reference(network, pixels)) for pixels in small]
    check_agreement(opened(file, engine), references[name], record_property)


# Files in the community's layout, written out here by name and shape: nothing of ours makes them.

FEATURES, GROWTH, BLOCKS, CONVOLUTIONS, SCALE = 32, 32, 1, 6, 4  # spandrel knows no other growth


class Drawn(dict[str, Tensor]):
    """Weights by name, drawn so that what goes through them keeps its size."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def conv(self, name: str, before: int, after: int, size: float = 1.4) -> None:
        weight = torch.randn(after, before, 3, 3, generator=self.generator)
        self[f"{name}.weight"] = weight * (size / (9 * before) ** 0.5)
        self[f"{name}.bias"] = torch.randn(after, generator=self.generator) * 0.02


def compact_weights() -> Drawn:
    """SRVGGNetCompact of Real-ESRGAN: convolutions and PReLUs in turn, then the phases."""
    drawn = Drawn()
    before = 3
    for place in range(0, 2 * CONVOLUTIONS + 2, 2):
        drawn.conv(f"body.{place}", before, FEATURES)
        drawn[f"body.{place + 1}.weight"] = torch.rand(FEATURES, generator=drawn.generator) * 0.5
        before = FEATURES
    drawn.conv(f"body.{2 * CONVOLUTIONS + 2}", before, 3 * SCALE**2, size=0.1)
    return drawn


def esrgan_weights() -> Drawn:
    """RRDBNet of Real-ESRGAN, x4, which is our esrgan."""
    drawn = Drawn()
    drawn.conv("conv_first", 3, FEATURES)
    for block in range(BLOCKS):
        for dense in (1, 2, 3):
            for number in range(1, 6):
                name = f"body.{block}.rdb{dense}.conv{number}"
                after = GROWTH if number < 5 else FEATURES
                drawn.conv(name, FEATURES + (number - 1) * GROWTH, after)
    for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
        drawn.conv(name, FEATURES, FEATURES)
    drawn.conv("conv_last", FEATURES, 3, size=0.1)
    drawn["conv_last.bias"] += 0.5
    return drawn


def in_the_first_names(weights: Drawn) -> dict[str, Tensor]:
    """The same as ESRGAN's first release names it: by places in chains."""
    tops = {"conv_first": "model.0", "conv_body": f"model.1.sub.{BLOCKS}", "conv_up1": "model.3",
            "conv_up2": "model.6", "conv_hr": "model.8", "conv_last": "model.10"}  # fmt: skip
    named = {}
    for name, tensor in weights.items():
        module, _, kind = name.rpartition(".")
        if module in tops:
            named[f"{tops[module]}.{kind}"] = tensor
        else:
            _, block, dense, conv = module.split(".")
            place = f"model.1.sub.{block}.{dense.upper()}.{conv}.0"
            named[f"{place}.{kind}"] = tensor
    return named


COMMUNITY = {
    "compact": compact_weights,
    "esrgan": esrgan_weights,
    "esrgan, first names": lambda: in_the_first_names(esrgan_weights()),
}


@pytest.fixture(scope="module", params=COMMUNITY)
def community(request, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("community") / "net.pth"
    key = "params_ema" if request.param != "esrgan, first names" else "state_dict"
    made = dict(COMMUNITY[request.param]())
    torch.save({key: made} if key == "params_ema" else made, file)
    return file


def waves() -> np.ndarray:
    y, x = np.mgrid[:31, :44]
    picture = 127 + 60 * np.sin(x[..., None] * [0.3, 0.2, 0.5] + y[..., None] * [0.1, 0.4, 0.2])
    picture[10:20, 26:37] = (190, 70, 120)
    return np.rint(picture).astype(np.uint8)


def test_a_community_file_is_the_same_by_every_engine(community, engine, opened, record_property):
    expected = by_reference(load_model(community), waves())
    check_agreement(opened(community, engine), [(waves(), expected)], record_property)


def test_a_community_file_gives_the_picture_of_spandrels_own_network(
    community, engine, opened, record_property
):
    try:
        import spandrel  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        pytest.skip(f"no module {error.name}: spandrel brings torchvision")
    except RuntimeError as error:  # torchvision built for another torch
        pytest.skip(f"spandrel cannot be imported: {error}")
    found = spandrel.ModelLoader().load_from_file(community)
    assert (found.architecture.id, found.scale) in (("Compact", 4), ("ESRGAN", 4))
    expected = by_reference(found.model.eval(), waves())
    check_agreement(opened(community, engine), [(waves(), expected)], record_property)
    own = by_reference(load_model(community), waves())
    record_property("by the same torch", f"{(own != expected).sum()} of {own.size} differ")
    assert np.abs(own.astype(int) - expected).max() <= 1
