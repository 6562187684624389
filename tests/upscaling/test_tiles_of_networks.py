"""Pieces give the bytes of the whole: every network that has a reach, by every engine."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from acutance.imaging.files import picture_paths, read_rgb
from acutance.imaging.picture import Picture
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.models import MODELS, build
from acutance.models.building import describe
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling import ENGINES
from acutance.upscaling.choice import open_engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.export import export_onnx
from acutance.upscaling.pytorch import engine_of
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.task import Upscaler

ALLOWED = 1e-5  # of all samples may differ, by one level, where kernels depend on the shape

# name, constants, two scales; the deep ones at a small size: a piece sees all of its reach
NETWORKS = {
    "compact:nano": ({}, (2, 3)),
    "compact:video": ({"convolutions": 8}, (2, 4)),
    "compact:x1-tiny": ({"skip": "bicubic"}, (1, 2)),
    "compact:small": ({"strided": 3}, (1, 2)),
    "edsr": ({"blocks": 4, "features": 32}, (2, 4)),
    "espcn": ({}, (2, 3)),
    "fsrcnn": ({}, (2, 3)),
    "lapsrn:tiny": ({}, (2, 4)),
    "pan": ({"blocks": 4}, (2, 3)),
    "esrgan": ({"blocks": 1, "features": 32, "growth": 16}, (2, 4)),
    "esrgan:6": ({"blocks": 1, "features": 32, "growth": 16, "unshuffle": 2}, (2,)),
    "esrgan:tiny": ({"strided": 2}, (1, 2)),
    "progressive:tiny": ({}, (4,)),
    "progressive:octave": ({"features": 32, "convolutions": 4}, (2, 4)),
    "span": ({"features": 16}, (2, 3)),
    "srcnn": ({}, (2, 3)),
    "srresnet:tiny": ({"norm": "batch"}, (2, 3)),
    "vdsr": ({"layers": 8}, (2, 3)),
}
CASES = [(name, scale) for name, (_, scales) in NETWORKS.items() for scale in scales]
LARGE = [("compact:nano", 2), ("espcn", 3), ("fsrcnn", 2), ("pan", 2)]

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
def engine(request):
    return request.param


def drawn(height: int, width: int) -> np.ndarray:
    """Slopes, edges and grain (H, W, 3): as many values lie near the middle of two levels."""
    generator = np.random.default_rng(height * 1000 + width)
    y, x = np.mgrid[:height, :width][..., None] / np.array([37.0, 23.0])[:, None, None, None]
    picture = 127 + 70 * np.sin(x * [1, 1.3, 0.7] + y) * np.cos(y * [0.3, 0.9, 1.1])
    picture[height // 3 : height // 2, width // 4 : width // 2] = generator.uniform(60, 200, 3)
    picture += generator.normal(0, 4, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def lively(name: str, scale: int) -> nn.Module:
    """A network whose every layer matters and whose results are pictures of their inputs' kind."""
    torch.manual_seed(0)
    network = build(name, scale=scale, arguments=NETWORKS[name][0]).eval()
    channels = int(network.channels)  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        for p in network.parameters():
            if p.ndim > 1 and p.abs().max() < 1e-2:  # begins near zero
                p.copy_(torch.randn_like(p) * 0.05)
        convolutions = (nn.Conv2d, nn.ConvTranspose2d)
        last = [m for m in network.modules() if isinstance(m, convolutions)][-1]
        lr = torch.from_numpy(drawn(40, 48)[..., :channels]).permute(2, 0, 1)[None] / 255
        made = network(lr)
        weight, bias = last.weight.clone(), last.bias
        last.weight.zero_()
        own = made - network(lr)
        last.weight.copy_(weight * (0.1 / own.std()))
        assert bias is not None
        bias += lr.mean() - network(lr).mean()
    return network


def opened(name: str, scale: int, engine: str, folder) -> Upscaler:
    network = lively(name, scale)
    card = describe(name, scale=scale, arguments=NETWORKS[name][0])
    save_model(network, card, folder / "model.safetensors")
    export_onnx(network, card, folder / "model.onnx")
    upscaler = Upscaler(open_engine(folder, engine=engine))
    assert upscaler.engine_name == engine
    assert upscaler.is_exact_in_pieces
    return upscaler


def check_pieces(upscaler: Upscaler, pixels: np.ndarray, tiles, record_property) -> None:
    """What differs is within the rule; --junitxml=FILE -o junit_family=xunit1 keeps the figures."""
    whole = enlarge_picture(Picture(pixels), upscaler, Enlargement(tile=0)).pixels.astype(int)
    assert np.ptp(whole[..., 0]) > 20  # a picture, not a plain
    for tile in tiles:
        pieces = enlarge_picture(Picture(pixels), upscaler, Enlargement(tile=tile)).pixels
        off = np.abs(pieces - whole)
        differing, most = int((off > 0).sum()), int(off.max())
        record_property(f"tile {tile}", f"{differing} of {off.size} differ, by {most} at most")
        assert most <= 1, tile
        assert differing <= ALLOWED * off.size, tile


@pytest.mark.parametrize(("name", "scale"), [("espcn", 3), ("fsrcnn", 2), ("pan", 2)])
def test_a_small_picture_in_pieces(name, scale, engine, tmp_path, record_property):
    check_pieces(opened(name, scale, engine, tmp_path), drawn(60, 80), (24,), record_property)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scale"), CASES)
def test_every_network_in_pieces(name, scale, engine, tmp_path, record_property):
    upscaler = opened(name, scale, engine, tmp_path)
    check_pieces(upscaler, drawn(220, 300), (64, 128, 200, 256), record_property)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scale"), LARGE)
def test_a_large_picture_in_pieces(name, scale, engine, tmp_path, record_property):
    upscaler = opened(name, scale, engine, tmp_path)
    check_pieces(upscaler, drawn(600, 700), (64, 256, 512), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["imdn", "rlfn"])
def test_networks_that_see_the_whole_stay_within_their_bound(name, acutance_data, record_property):
    """All of Set14 reduced by 2, in pieces of the size that the card names."""
    network = load_model(acutance_data / "weights" / f"{name}_x2.safetensors")
    engine = engine_of(network)
    upscaler, bound = Upscaler(engine), engine.card.bound
    assert bound is not None
    assert not upscaler.is_exact_in_pieces
    levels, rms = [], []
    for path in picture_paths([acutance_data / "Set14" / "HR"]):
        picture = Picture(downscale(crop_to_multiple(read_rgb(path), 2), 2))
        made = [enlarge_picture(picture, upscaler, Enlargement(tile=t)) for t in (0, bound.tile)]
        off = np.abs(made[1].pixels.astype(int) - made[0].pixels)
        levels.append(int(off.max()))
        rms.append(float(np.sqrt(np.mean(off**2))))
    record_property("largest", f"{max(levels)} levels, rms {max(rms):.2f}")
    assert 0 < max(levels) <= bound.levels + 1  # 1: both were rounded
    assert max(rms) <= bound.rms + 0.3


def test_no_network_is_forgotten():
    named = {name.partition(":")[0] for name in NETWORKS}
    assert named | {"imdn", "rlfn"} == {name for name in MODELS.names()}
