"""Weights made elsewhere: recognised by layout, and never executed."""

import os
import pickle
import sys

import pytest
import torch
from safetensors.torch import save_file

from acutance.errors import InputError
from acutance.models import build
from acutance.models.checkpoint import load_model


@pytest.fixture
def general():
    torch.manual_seed(0)
    arguments = {"features": 8, "convolutions": 3, "activation": "prelu", "skip": "nearest"}
    return build("compact", scale=4, channels=3, arguments=arguments).eval()


def same(loaded, made) -> bool:
    lr = torch.rand(1, made.channels, 6, 5)
    with torch.inference_mode():
        return torch.equal(loaded(lr), made(lr))


def test_community_files_are_recognised(general, tmp_path):
    """The layout as the community's programs save it: smooth weights under params_ema."""
    torch.save({"params_ema": general.state_dict()}, tmp_path / "4x_Name.pth")
    loaded = load_model(tmp_path / "4x_Name.pth")
    assert same(loaded, general)
    card = loaded.card
    assert (card.architecture, card.scale, card.color, card.reach) == ("compact", 4, "rgb", 5)
    assert card.arguments == {
        "channels": 3,
        "features": 8,
        "convolutions": 3,
        "activation": "prelu",
        "skip": "nearest",
        "unshuffle": 1,
        "strided": 1,
    }


def test_layer_names_are_those_of_the_community(general):
    """By hand from the published definition: conv, act, (conv, act) x n, conv."""
    kinds = ("weight", "bias")
    convs = [f"body.{n}.{kind}" for n in (0, 2, 4, 6, 8) for kind in kinds]
    slopes = [f"body.{n}.weight" for n in (1, 3, 5, 7)]
    assert sorted(general.state_dict()) == sorted(convs + slopes)


def plain_twin(weights, lr, scale: int):
    """The community's forward pass, written from its description and not from ours."""
    x = lr
    last = max(int(name.split(".")[1]) for name in weights)
    for n in range(0, last + 1, 2):
        x = torch.conv2d(x, weights[f"body.{n}.weight"], weights[f"body.{n}.bias"], padding=1)
        if n < last:
            slope = weights[f"body.{n + 1}.weight"].reshape(1, -1, 1, 1)
            x = x.clamp(min=0) + slope * x.clamp(max=0)
    x = torch.pixel_shuffle(x, scale)
    return x + lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


def test_computes_what_the_community_computes(general):
    with torch.no_grad():
        for weights in general.parameters():
            weights.add_(0.01 * torch.randn_like(weights))  # away from the tiny start
        lr = torch.rand(1, 3, 7, 6)
        expected = plain_twin(general.state_dict(), lr, 4)
        torch.testing.assert_close(general(lr), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("places", [("params_ema", "params"), ("params",), ("state_dict",), ()])
def test_smooth_weights_come_first(general, tmp_path, places):
    wrong = {name: torch.zeros_like(t) for name, t in general.state_dict().items()}
    content = dict.fromkeys(places[1:], wrong) | dict.fromkeys(places[:1], general.state_dict())
    torch.save(content or general.state_dict(), tmp_path / "a.pth")
    assert same(load_model(tmp_path / "a.pth"), general)


def test_the_prefix_of_distributed_training_is_taken_off(general, tmp_path):
    prefixed = {f"module.{name}": t for name, t in general.state_dict().items()}
    torch.save(prefixed, tmp_path / "a.pth")
    assert same(load_model(tmp_path / "a.pth"), general)


def test_safetensors_without_a_card_are_recognised_too(general, tmp_path):
    save_file(general.state_dict(), tmp_path / "a.safetensors")
    assert same(load_model(tmp_path / "a.safetensors"), general)


def test_an_architecture_can_be_named(tmp_path):
    made = build("edsr", scale=3).eval()
    torch.save(made.state_dict(), tmp_path / "a.pth")
    assert same(load_model(tmp_path / "a.pth", architecture="edsr:baseline@3"), made)
    assert load_model(tmp_path / "a.pth", architecture="edsr").card.scale == 3  # the one that fits


def refusal(path, **options) -> str:
    with pytest.raises(InputError) as error:
        load_model(path, **options)
    return str(error.value).replace(str(path), "FILE")


def test_a_scale_that_cannot_be_seen_is_asked_for(tmp_path):
    torch.save(build("vdsr", scale=2).state_dict(), tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth", architecture="vdsr") == (
        "FILE fits 'vdsr' at several scales. Say which, as in 'vdsr@2'."
    )
    assert load_model(tmp_path / "a.pth", architecture="vdsr@3").card.scale == 3


def test_a_wrong_name_says_what_does_not_fit(general, tmp_path):
    torch.save(general.state_dict(), tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth", architecture="compact:video@4") == (
        "FILE does not fit 'compact:video@4': 'body.0.weight' has the shape (8, 3, 3, 3) instead "
        "of (64, 3, 3, 3). Name it, as in architecture='compact:general@4' (network:preset@scale)."
    )
    assert refusal(tmp_path / "a.pth", architecture="compact:vidio@4") == (
        "The network 'compact' has no preset 'vidio'. Did you mean 'video'?"
    )
    assert refusal(tmp_path / "a.pth", architecture="compact@x4") == (
        "'compact@x4' names no scale behind '@'. Write, for x2, 'compact@2'."
    )


def test_an_unknown_layout_asks_for_its_name(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)  # as if it were not installed
    torch.save({"conv_1.weight": torch.zeros(1)}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == (
        "FILE has no card, and its layers (conv_1.weight ...) are of no known layout. "
        "Name it, as in architecture='compact:general@4' (network:preset@scale). "
        "The extra 'community' knows many more: pip install 'acutance[community]'."
    )


class Trap:
    """Unpickled without care, it makes a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def write_zip(content, path):
    torch.save(content, path)


def write_old(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def write_pickle(content, path):
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("write", [write_zip, write_old, write_pickle])
@pytest.mark.parametrize("place", ["params", "body.0.weight"])
def test_a_program_in_a_pickle_is_not_run(tmp_path, write, place):
    trap = tmp_path / "sprung"
    write({place: Trap(trap)}, tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth") == (
        "FILE holds more than tensors, or is damaged, and was not opened: such a file can run "
        "programs. Ask its author for .safetensors, or for the weights alone."
    )
    assert not trap.exists()


def test_the_trap_would_spring(tmp_path):
    """So that the test above proves something."""
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").is_dir()


@pytest.mark.parametrize(
    "pickled",
    [b"\x80\x020.", b"\x80\x02(}}d.", b"\x80\x02J\x01."],
    ids=["takes from nothing", "a table as a key", "half a number"],
)
def test_a_pickle_that_makes_no_sense_is_refused(pickled, tmp_path):
    (tmp_path / "a.pth").write_bytes(pickled)
    assert refusal(tmp_path / "a.pth").startswith("FILE ")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_not_run(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.zeros(1)), tmp_path / "a.pt")
    assert "can run programs" in refusal(tmp_path / "a.pt")


def test_a_pth_that_is_cut_short_is_refused(general, tmp_path):
    torch.save(general.state_dict(), tmp_path / "a.pth")
    whole = (tmp_path / "a.pth").read_bytes()
    for kept in (0, len(whole) // 2):
        (tmp_path / "a.pth").write_bytes(whole[:kept])
        assert refusal(tmp_path / "a.pth") == (
            "FILE cannot be read as a model: it is not a whole file of torch.save. "
            "It is damaged or incomplete. Copy it again or train it again."
        )


@pytest.mark.parametrize("content", [[1, 2], {}, {"params": {"a": 1}}, torch.zeros(2)], ids=str)
def test_other_content_is_no_model(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    assert "holds no table of weights" in refusal(tmp_path / "a.pth")
