"""Networks that grow octave by octave, and what is cut from them."""

from dataclasses import replace

import pytest
import torch

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import at_level, level_file, read_card
from acutance.models.checkpoint import load_model, save_model
from acutance.models.levels import cut, growing_networks, levels_of, octaves
from acutance.models.reach import measured_reach

KINDS = [
    ("lapsrn:tiny", {}),
    ("lapsrn:tiny", {"taps": 4}),
    ("progressive:tiny", {"at": "lr"}),
    ("progressive:tiny", {"at": "octave"}),
]


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    return request.param


def made(kind, scale, **card):
    name, arguments = kind
    torch.manual_seed(0)
    network = build(name, scale=scale, arguments=arguments)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.05 * torch.randn_like(p))  # the exits begin near zero

    return network, replace(describe(name, scale=scale, arguments=arguments), **card)


def test_levels_are_the_powers_of_two():
    assert [octaves(scale) for scale in (2, 4, 8)] == [(2,), (2, 4), (2, 4, 8)]
    assert levels_of(build("lapsrn:tiny", scale=4)) == (2, 4)
    assert levels_of(build("espcn", scale=4)) == ()
    assert growing_networks() == ("lapsrn", "progressive")


def test_a_network_in_training_shows_all_its_levels(kind):
    network, _ = made(kind, 8)
    lr = torch.rand(2, 1, 5, 6)
    shown = network(lr)
    assert {name: tuple(x.shape[2:]) for name, x in shown.items()} == {
        "sr": (40, 48), "x2": (10, 12), "x4": (20, 24)
    }  # fmt: skip
    assert set(network(lr, upto=4)) == {"sr", "x2"}
    assert torch.equal(network(lr, upto=4)["sr"], shown["x4"])
    assert torch.equal(network(lr, upto=2), shown["x2"])
    with torch.inference_mode():
        assert torch.equal(network.eval()(lr), shown["sr"])
        assert torch.equal(network(lr, upto=4), shown["x4"])


def test_a_level_that_it_does_not_have_is_refused(kind):
    network, _ = made(kind, 4)
    with pytest.raises(InputError, match=r"scale 4 has no level 3. Known: 2, 4"):
        network(torch.rand(1, 1, 4, 4), upto=3)


@pytest.mark.parametrize("scale", [2, 4])
def test_what_is_cut_is_the_level(kind, scale, tmp_path):
    network, card = made(kind, 8, levels=(2, 4), name="a_x8")
    lr = torch.rand(1, 1, 7, 5)
    measured = replace(card, scores={"protocol": "y@1"}, int8={"loss_db": 0.1})
    small, own = cut(network, measured, scale)
    assert (own.scores, own.int8) == (None, None)
    assert (own.scale, own.name, own.levels) == (scale, f"a_x{scale}", octaves(scale)[:-1])
    save_model(small, own, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), network(lr)[f"x{scale}"])
    with torch.no_grad():
        next(small.parameters()).zero_()  # a copy: the network that it came from stays
        assert not torch.equal(small(lr), network(lr)[f"x{scale}"])


def test_what_cannot_be_cut_is_refused():
    network, card = made(KINDS[0], 4)
    with pytest.raises(
        InputError, match=r"not trained for scale 2\..*levels it was trained for: n"
    ):
        cut(network, card, 2)
    espcn = build("espcn", scale=4)
    with pytest.raises(InputError, match=r"'espcn' has one scale, 4.*lapsrn, progressive\."):
        cut(espcn, describe("espcn", scale=4), 2)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("progressive", {"at": "hr"}, "The constant 'at' is no 'hr'. Did you mean 'lr'?"),
        ("lapsrn", {"taps": 5}, "The constant 'taps' of lapsrn is 3 or 4, not 5."),
    ],
)
def test_wrong_constants_are_refused(name, arguments, message):
    with pytest.raises(InputError) as error:
        build(name, scale=2, arguments=arguments)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("scale", [2, 8])
def test_the_reach_is_what_is_measured(kind, scale):
    network, _ = made(kind, scale)
    assert network.reach == measured_reach(network)


def test_the_picture_of_lapsrn_begins_as_its_bilinear_enlargement():
    """Half-pixel centres, edge repeated: torch's own interpolation."""
    network = build("lapsrn:tiny", scale=2, channels=3)
    with torch.no_grad():
        network.levels[0].correct.weight.zero_()
    lr = torch.rand(1, 3, 6, 5)
    expected = torch.nn.functional.interpolate(lr, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(network(lr), expected)


def test_a_level_is_found_beside_its_model(tmp_path):
    network, card = made(KINDS[2], 4, levels=(2,))
    file = tmp_path / "model.safetensors"
    save_model(network, card, file)
    assert at_level(tmp_path, 2) == tmp_path  # not left there: the model itself
    save_model(*cut(network, card, 2), level_file(file, 2))
    assert at_level(tmp_path, 2) == tmp_path / "model-x2.safetensors"
    assert read_card(tmp_path / "model-x2.safetensors").scale == 2
    for scale in (None, 4, 1.5):
        assert at_level(tmp_path, scale) == tmp_path
    assert at_level("bicubic", 2) == "bicubic"


@pytest.mark.parametrize("name", ["lapsrn:tiny", "progressive:tiny"])
def test_bf16_does_not_round_the_picture_that_is_corrected(name):
    """bf16 has 8 bits: 1/3 would be off by 7e-4."""
    network = build(name, scale=4).eval()
    with torch.no_grad():
        for key, p in network.named_parameters():
            if "exit" in key or "correct" in key:
                p.zero_()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        made = network(torch.full((1, 1, 12, 12), 1 / 3))
    assert made.dtype == torch.float32
    assert (made[..., 20:28, 20:28] - 1 / 3).abs().max() < 1e-6
