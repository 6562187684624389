"""What every network owes its callers. A network joins by its line in the MODELS table."""

from copy import deepcopy
from functools import cache

import pytest
import torch
from tests.offered import scales_of
from torch import nn
from torch.testing import assert_close

from acutance.imaging.tiles import bands
from acutance.models import MODELS, build
from acutance.models.building import describe
from acutance.models.checkpoint import load_model, save_model

LARGE = {"esrgan:paper", "edsr:full"}  # as their smaller presets, which take a tenth of the time
NAMES = [
    pytest.param(full, marks=pytest.mark.slow) if full in LARGE else full
    for name in MODELS.names()
    for preset in MODELS.module(name).PRESETS
    if (full := f"{name}:{preset}")
]


@cache
def network_of(name: str, scale: int) -> nn.Module:
    torch.manual_seed(0)
    return build(name, scale=scale).eval()


def picture(network: nn.Module, height: int, width: int, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * width)
    return torch.rand(count, network.channels, height, width, generator=generator)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture(params=range(3), ids="scale{}".format)
def network(request, name):
    return network_of(name, scales_of(name)[request.param])


def test_makes_a_picture_scale_times_as_large(network):
    n, s = network.channels, network.scale
    with torch.inference_mode():
        assert network(picture(network, 7, 5, count=2)).shape == (2, n, 7 * s, 5 * s)


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 2)], ids=str)
def test_takes_the_smallest_pictures(network, size):
    with torch.inference_mode():
        sr = network(picture(network, *size))
    assert sr.shape[2:] == (size[0] * network.scale, size[1] * network.scale)
    assert sr.isfinite().all()


def extent(network: nn.Module, axis: int) -> tuple[int, int]:
    """How far up and down (or left and right) one lr pixel's sr pixels depend on lr pixels.

    Where a network sees blocks of m x m pixels as one, those of a block, in whole blocks.
    """
    reach, s, m = network.reach, network.scale, multiple_of(network)
    middle = (reach // m + 2) * m
    size = [1, network.channels, 1, 1]
    size[axis] = 2 * middle + m
    generator = torch.Generator().manual_seed(1)
    lr = torch.rand(size, generator=generator, dtype=torch.float64, requires_grad=True)
    sr = network.double()(lr)
    sr.narrow(axis, middle * s, m * s).sum().backward(inputs=[lr])
    network.float()
    others = [d for d in range(4) if d != axis]
    assert lr.grad is not None
    used = lr.grad.abs().sum(dim=others).nonzero().flatten()
    before, after = middle - int(used.min()), int(used.max()) - middle - (m - 1)
    return -(-before // m) * m, -(-after // m) * m


def multiple_of(network: nn.Module) -> int:
    return getattr(network, "multiple", 1)


@pytest.mark.parametrize("axis", [2, 3], ids=["rows", "columns"])
def test_the_reach_is_exact(network, axis):
    """In float64: through 70 layers the outermost pixel's influence is below float32."""
    if network.reach is None:
        pytest.skip("every pixel matters")
    if network.reach > 300:
        pytest.skip("through 345 layers the influence is below float64 too; see test_reach.py")
    assert max(extent(network, axis)) == network.reach


def test_bands_that_overlap_by_the_reach_give_the_whole(network):
    if network.reach is None:
        pytest.skip("no overlap is enough")
    s, height, m = network.scale, 2 * network.reach + 9, multiple_of(network)
    rows = -(-(height + 1) // 2 // m) * m  # a piece begins at a multiple
    lr = picture(network, height, 3)
    with torch.inference_mode():
        whole = network(lr)
        parts = [
            network(lr[:, :, band.start : band.stop])[
                :, :, (band.keep_start - band.start) * s : (band.keep_stop - band.start) * s
            ]
            for band in bands(height, rows=rows, overlap=network.reach)
        ]
    size = float(whole.abs().max())
    assert_close(torch.cat(parts, dim=2), whole, atol=2e-6 * max(size, 1), rtol=0)


def test_who_sees_everything_says_what_cutting_changes(network):
    bound = getattr(network, "bound", None)
    assert (bound is None) == (network.reach is not None)
    assert bound is None or (bound.tile > 0 and bound.overlap > 0 and 0 < bound.levels < 256)


def test_every_parameter_learns(name):
    network = network_of(name, 2)
    sr = network(picture(network, 8, 8, count=2))
    (sr - 0.5).square().mean().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    network.zero_grad()
    assert idle == []


def test_judges_each_picture_of_a_batch_alone(name):
    network = network_of(name, 2)
    batch = picture(network, 6, 7, count=3)
    with torch.inference_mode():
        together, alone = network(batch), torch.cat([network(one[None]) for one in batch])
    assert_close(together, alone, atol=1e-5 * float(alone.abs().max()), rtol=0)


def test_is_the_same_in_channels_last(name):
    network = deepcopy(network_of(name, 2))  # a layout leaves its trace in 1x1 kernels
    lr = picture(network, 9, 11)
    with torch.inference_mode():
        expected = network(lr)
        found = network.to(memory_format=torch.channels_last)(
            lr.to(memory_format=torch.channels_last)
        )
    assert_close(found, expected, atol=1e-5 * float(expected.abs().max()), rtol=0)


def test_is_finite_in_bf16(name):
    network = network_of(name, 2)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert network(picture(network, 8, 9)).isfinite().all()


def test_saved_and_loaded_to_the_bit(name, tmp_path):
    scale = scales_of(name)[1]
    network = network_of(name, scale)
    written = save_model(network, describe(name, scale=scale), tmp_path / "model.safetensors")
    loaded = load_model(tmp_path)
    assert loaded.card == written
    assert loaded.card.bound == getattr(network, "bound", None)
    assert (loaded.scale, loaded.channels, loaded.reach) == (scale, network.channels, network.reach)
    lr = picture(network, 5, 6)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), network(lr))


def test_says_what_it_takes(name):
    network, card = network_of(name, 2), describe(name, scale=2)
    assert card.color == {1: "luma", 3: "rgb"}[network.channels]
    assert card.arguments["channels"] == network.channels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("plain", MODELS.names())
def test_takes_luma_and_rgb(plain, channels):
    network = build(plain, scale=2, channels=channels)
    assert network(torch.rand(1, channels, 4, 4)).shape == (1, channels, 8, 8)
