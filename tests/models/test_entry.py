"""Networks that begin unshuffled or strided: compact and esrgan at 1/m of the size of lr."""

import json

import pytest
import torch
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import parse_card
from acutance.models.checkpoint import load_model, save_model
from acutance.models.entry import entry_convolution

ENTRIES = [{"unshuffle": 2}, {"unshuffle": 3}, {"strided": 2}, {"strided": 3}, {"strided": 4}]


@pytest.mark.parametrize("strided", [1, 2, 3, 4])
def test_a_strided_entry_shifts_nothing(strided):
    """The mean over a kernel, of a ramp, is the value in the middle of the block it stands for."""
    conv = entry_convolution(1, 1, unshuffle=1, strided=strided)
    torch.nn.init.constant_(conv.weight, 1 / conv.weight.numel())
    torch.nn.init.zeros_(conv.bias)
    ramp = torch.arange(24.0).expand(1, 1, 24, 24)
    with torch.no_grad():
        found = conv(ramp)
    assert found.shape[2:] == (24 // strided, 24 // strided)
    middles = ramp.reshape(24, 24 // strided, strided).mean(dim=2)[0]
    assert_close(found[0, 0, 2, 2:-2], middles[2:-2])


@pytest.mark.parametrize("name", ["compact:nano", "esrgan:tiny"])
def test_both_entries_are_refused(name):
    with pytest.raises(InputError, match="unshuffle = 2 or with strided = 2, not with both"):
        build(name, scale=2, arguments={"unshuffle": 2, "strided": 2})


def lively(scale: int, **arguments) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build("compact:nano", scale=scale, arguments={"convolutions": 2, **arguments}).eval()
    torch.nn.init.normal_(network.body[-1].weight, std=0.05)
    return network


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_computes_phases_shuffled_once_over_the_enlargement(scale, entry):
    """Plainly: widen, gather blocks by hand or convolve by stride, chain, scatter, add, cut."""
    network = lively(scale, skip="nearest", **entry)
    lr = torch.rand(2, 1, 7, 9)
    (kind, m) = next(iter(entry.items()))
    down, right = -7 % m, -9 % m
    wide = torch.cat([lr, lr.flip(2)[:, :, :down]], dim=2)
    wide = torch.cat([wide, wide.flip(3)[..., :right]], dim=3)
    x = wide
    if kind == "unshuffle":
        x = torch.cat([wide[:, :, y::m, z::m] for y in range(m) for z in range(m)], dim=1)
    with torch.inference_mode():
        for layer in network.body:
            x = layer(x)
        n, _, rows, columns = x.shape
        k = scale * m
        own = x.reshape(n, k, k, rows, columns).permute(0, 3, 1, 4, 2).reshape(n, rows * k, -1)
        plain = lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)[:, 0]
        expected = own[:, : 7 * scale, : 9 * scale] + plain
        assert (own.abs().mean()) > 0.01
        assert_close(network(lr)[:, 0], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("entry", [{}, *ENTRIES], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_entry_is_seen_from_the_layers(entry, channels, tmp_path):
    arguments = {"features": 8, "convolutions": 2, "activation": "prelu", **entry}
    made = build("compact:tiny", scale=2, channels=channels, arguments=arguments).eval()
    torch.save(made.state_dict(), tmp_path / "a.pth")
    loaded = load_model(tmp_path / "a.pth")
    found = {name: loaded.card.arguments[name] for name in ("unshuffle", "strided")}
    assert found == {"unshuffle": 1, "strided": 1, **entry}
    assert (loaded.card.scale, loaded.channels) == (2, channels)
    lr = torch.rand(1, channels, 5, 7)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), made(lr))


def test_a_strided_esrgan_is_seen_from_its_kernel(tmp_path):
    made = build("esrgan:tiny", scale=2, arguments={"strided": 2}).eval()
    torch.save(made.state_dict(), tmp_path / "a.pth")
    card = load_model(tmp_path / "a.pth").card
    assert (card.scale, card.multiple, card.arguments["strided"]) == (2, 2, 2)


@pytest.mark.parametrize("name", ["compact:nano", "esrgan:tiny"])
def test_the_plain_entry_is_silent_in_a_file(name, tmp_path):
    """Files stay the same to the byte, and versions that know no entry read them."""
    card = describe(name, scale=2)
    assert card.arguments["strided"] == 1
    text = card.to_json()
    assert "strided" not in json.loads(text)["arguments"]
    assert parse_card(tmp_path, text) == card


def test_an_entry_is_told_in_a_file(tmp_path):
    network = lively(1, unshuffle=3)
    arguments = {"convolutions": 2, "unshuffle": 3}
    save_model(
        network, describe("compact:nano", scale=1, arguments=arguments), tmp_path / "a.safetensors"
    )
    loaded = load_model(tmp_path / "a.safetensors")
    assert (loaded.card.arguments["unshuffle"], loaded.card.multiple) == (3, 3)
    lr = torch.rand(1, 1, 4, 5)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), network(lr))


def test_the_spread_is_as_large_as_the_picture():
    network = build("compact:x1-tiny", scale=1, head="spread").eval()
    with torch.inference_mode():
        made = network(torch.rand(1, 1, 5, 7))
    assert made["log_scale"].shape == made["sr"].shape == (1, 1, 5, 7)


def test_at_x1_training_begins_at_the_picture_itself():
    torch.manual_seed(0)
    lr = torch.rand(1, 1, 9, 8)
    with torch.no_grad():
        assert_close(build("compact:x1-tiny", scale=1)(lr), lr, atol=1 / 255, rtol=0)
