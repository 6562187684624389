"""Networks of the package spandrel as networks of ours; skipped where it cannot be imported."""

import dataclasses
import os
import pickle

import pytest
import torch
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.models import MODELS, build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling.community_export import export_community

try:
    import spandrel
    from spandrel.architectures.PLKSR import PLKSR
    from spandrel.architectures.SPAN import SPAN
    from spandrel.architectures.SwinIR import SwinIR
except Exception as error:  # torchvision raises RuntimeError where it was built for another torch
    pytest.skip(f"spandrel is not at hand: {type(error).__name__}", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:.*meshgrid.*:UserWarning", "ignore:.*timm.*")


def plksr():
    return PLKSR(dim=16, n_blocks=2, kernel_size=5, upscaling_factor=2)


def swinir():
    return SwinIR(
        img_size=16, embed_dim=12, depths=[2], num_heads=[2], window_size=4, upscale=2,
        upsampler="pixelshuffle", mlp_ratio=2,
    )  # fmt: skip


MADE = {"PLKSR": plksr, "SwinIR": swinir}


@pytest.fixture(params=MADE)
def made(request, tmp_path):
    torch.manual_seed(0)
    network = MADE[request.param]()
    torch.save({"params": network.state_dict()}, tmp_path / "2x.pth")
    return request.param, network.state_dict(), tmp_path / "2x.pth"


def test_what_spandrel_knows_becomes_a_network_of_ours(made):
    name, state, path = made
    loaded = load_model(path)
    assert (loaded.card.architecture, loaded.card.scale) == (f"spandrel:{name}", 2)
    assert (loaded.card.color, loaded.channels) == ("rgb", 3)
    lr = torch.rand(1, 3, 16, 20)
    with torch.inference_mode():
        expected = spandrel.ModelLoader().load_from_state_dict(dict(state)).model.eval()(lr)
        assert_close(loaded(lr), expected, atol=0, rtol=0)
        assert loaded(torch.rand(1, 3, 5, 3)).shape == (1, 3, 10, 6)


def test_saved_and_loaded_to_the_bit(made, tmp_path):
    loaded = load_model(made[2])
    written = save_model(loaded, loaded.card, tmp_path / "a.safetensors")
    again = load_model(tmp_path / "a.safetensors")
    assert again.card == written == read_card(tmp_path / "a.safetensors")
    lr = torch.rand(1, 3, 16, 20)
    with torch.inference_mode():
        assert torch.equal(again(lr), loaded(lr))


def test_a_reach_is_measured_where_there_is_one(tmp_path):
    torch.save(plksr().state_dict(), tmp_path / "a.pth")
    torch.save(swinir().state_dict(), tmp_path / "b.pth")
    assert load_model(tmp_path / "a.pth").card.reach == 10  # both ends, two blocks of 1 + 2 + 1
    assert load_model(tmp_path / "b.pth").card.reach is None  # windows from the picture's corner


# name, constants, spandrel's name for it, scales; growth 32 is the only one that it knows
OURS = [
    ("compact:tiny", {}, "Compact", (1, 2, 3, 4, 8)),
    ("compact:video", {"convolutions": 3}, "Compact", (4,)),
    ("compact:tiny", {"activation": "relu"}, "Compact", (2,)),
    ("esrgan", {"features": 16, "blocks": 2}, "ESRGAN", (1, 2, 4, 8)),
    ("esrgan", {"features": 16, "blocks": 2, "unshuffle": 2}, "ESRGAN", (2,)),
    ("esrgan", {"features": 16, "blocks": 2, "unshuffle": 4}, "ESRGAN", (1,)),
    ("span:tiny", {}, "SPAN", (2, 4)),
]
CASES = [(name, scale, more, kind) for name, more, kind, scales in OURS for scale in scales]


def lively(name: str, scale: int, arguments) -> torch.nn.Module:
    """A network of which no layer is near nothing, as some begin."""
    if name.partition(":")[0] not in MODELS.names():
        pytest.skip(f"there is no network {name}")
    torch.manual_seed(0)
    network = build(name, scale=scale, channels=3, arguments=arguments).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights += 0.02 * torch.randn_like(weights)
    return network


@pytest.mark.parametrize(("name", "scale", "arguments", "kind"), CASES)
def test_spandrel_reads_what_is_exported_to_the_community(name, scale, arguments, kind, tmp_path):
    network = lively(name, scale, arguments)
    card = describe(name, scale=scale, channels=3, arguments=arguments)
    export_community(network, card, tmp_path / "a.safetensors")
    found = spandrel.ModelLoader().load_from_file(tmp_path / "a.safetensors")
    assert (found.architecture.id, found.scale) == (kind, scale)
    assert (found.input_channels, found.output_channels) == (3, 3)
    lr = torch.rand(1, 3, 12, 16)
    with torch.inference_mode():
        sr = network(lr)
        assert (sr - nearest(lr, scale)).abs().max() > 1e-2  # it does something
        assert_close(found.model.eval()(lr), sr, atol=1e-5, rtol=0)


def nearest(lr: torch.Tensor, scale: int) -> torch.Tensor:
    return lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


def test_an_unknown_layout_is_said(tmp_path):
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="no layout that is known, neither here nor to spandrel"):
        load_model(tmp_path / "a.pth")


class Trap:
    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_spandrel_opens_no_file(tmp_path):
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"params": Trap(tmp_path / "sprung")}))
    with pytest.raises(InputError, match="was not opened"):
        load_model(tmp_path / "a.pth")
    assert not (tmp_path / "sprung").exists()


def test_a_card_of_a_network_that_spandrel_does_not_find_is_refused(tmp_path):
    loaded = build("espcn", scale=2)
    card = dataclasses.replace(describe("espcn", scale=2), architecture="spandrel:HAT")
    save_model(loaded, card, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="neither here nor to spandrel"):
        load_model(tmp_path / "a.safetensors")


@pytest.mark.parametrize("norm", [False, True])
def test_our_span_is_spandrels(norm):
    network = build("span", scale=4, arguments={"features": 8, "norm": norm})
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)  # as after training: nothing hides in zeros
    if norm:
        network.conv_1.sk.weight.data /= 255
        network.conv_1.conv[2].weight.data /= 255
    found = spandrel.ModelLoader().load_from_state_dict(dict(network.state_dict()))
    assert (found.architecture.id, found.scale, found.tags) == ("SPAN", 4, ["8nf"])
    lr = torch.rand(1, 3, 12, 16)
    with torch.inference_mode():
        assert_close(network.eval()(lr), found.model(lr), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", [False, True])
def test_spandrels_span_is_ours(tmp_path, norm):
    made = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2, norm=norm).eval()
    torch.save({"params": made.state_dict()}, tmp_path / "2x.pth")
    loaded = load_model(tmp_path / "2x.pth")
    assert (loaded.card.architecture, loaded.card.scale) == ("span", 2)
    lr = torch.rand(1, 3, 12, 16)
    with torch.inference_mode():
        assert_close(loaded(lr), made(lr), atol=1e-5, rtol=1e-5)
