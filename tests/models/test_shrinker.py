"""The learned F: at first it is bicubic, it sees no further than it says, and its file is it."""

from dataclasses import replace

import pytest
import torch
from torch import equal

from acutance.errors import InputError, RunError
from acutance.imaging.operators import resize
from acutance.models import MODELS
from acutance.models.building import describe, instantiate
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model, save_model
from acutance.models.rescaling import (
    Rescaler,
    card_of,
    load_shrinker,
    rounded,
    save_shrinker,
)
from acutance.models.shrinker import SCALES, SIZES, Shrinker, make_shrinker


def drawn(shrinker: Shrinker) -> Shrinker:
    """With a last layer that does something."""
    torch.manual_seed(1)
    torch.nn.init.normal_(shrinker.body[-1].weight, std=0.2)
    return shrinker


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("preset", SIZES)
def test_begins_as_matlabs_bicubic(scale, preset):
    hr = torch.rand(2, 3, 4 * scale, 5 * scale)
    lr = make_shrinker(preset, scale=scale, channels=3)(hr)
    assert (lr - resize(hr, size=(4, 5))).abs().max() < 1e-5


def test_a_picture_of_one_lr_pixel_is_mirrored_as_often_as_is_needed():
    hr = torch.rand(1, 1, 4, 4)
    assert torch.allclose(Shrinker(scale=4)(hr), resize(hr, size=(1, 1)), atol=1e-6)


def test_tiny_costs_a_third_of_the_network_that_it_is_trained_with():
    """Multiply-adds for an lr pixel: each weight of a convolution is used once."""
    tiny = make_shrinker("tiny", scale=2, channels=1)
    cost = sum(p.numel() for p in tiny.parameters() if p.ndim == 4)
    compact = instantiate(describe("compact:tiny", scale=2, channels=1))
    assert cost == 4 * 24 * 9 + 2 * 24 * 24 * 9 + 24 * 9 == 11_448
    assert cost < 0.4 * sum(p.numel() for p in compact.parameters() if p.ndim == 4)


@pytest.mark.parametrize("scale", [2, 3])
def test_no_hr_pixel_beyond_the_reach_matters(scale):
    shrinker = drawn(Shrinker(scale=scale))
    side = 2 * shrinker.reach + 5 * scale
    hr = torch.rand(1, 1, side, side, requires_grad=True)
    place = side // scale // 2
    shrinker(hr)[0, 0, place, place].backward()
    seen = hr.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    below = place * scale - int(seen.min())
    beyond = int(seen.max()) - (place * scale + scale - 1)
    assert (below, beyond) == (shrinker.reach, shrinker.reach)


def test_the_gradient_passes_the_rounding():
    values = torch.tensor([[-0.2, 0.1, 0.5012, 1.3]]).requires_grad_()
    made = rounded(values[None, None])
    assert torch.equal((made * 255).round() / 255, made)
    assert made.flatten().tolist() == pytest.approx([0, 26 / 255, 128 / 255, 1])
    (made * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert values.grad.tolist() == [[1.0, 2.0, 3.0, 4.0]]


def test_f_learns_through_the_network_that_enlarges():
    generator = instantiate(describe("compact:nano", scale=2, channels=1))
    network = Rescaler(drawn(Shrinker(scale=2)), generator)
    made = network(torch.rand(1, 1, 16, 16))
    assert {name: tuple(t.shape[2:]) for name, t in made.items()} == {
        "sr": (16, 16),
        "small": (8, 8),
    }
    made["sr"].square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.shrinker.parameters())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_gives_back_the_same_f(channels, tmp_path):
    shrinker = drawn(make_shrinker("small", scale=3, channels=channels))
    card = card_of(shrinker, name="mine", steps=7)
    save_shrinker(shrinker, card, tmp_path / "shrink.safetensors")
    again, read = load_shrinker(tmp_path)
    assert read == card
    assert (read.steps, read.color, read.reach) == (7, {1: "luma", 3: "rgb"}[channels], 18)
    hr = torch.rand(1, channels, 21, 27)
    with torch.inference_mode():
        assert equal(again(hr), shrinker(hr))


def test_what_enlarges_and_what_reduces_are_not_taken_for_each_other(tmp_path):
    file, model = tmp_path / "shrink.safetensors", tmp_path / "model.safetensors"
    shrinker = Shrinker(scale=2)
    save_shrinker(shrinker, card_of(shrinker), file)
    for read in (read_card, load_model):
        with pytest.raises(InputError, match=r"makes pictures small. Use it by: acutance shrink"):
            read(file)
    card = describe("compact:nano", scale=2)
    save_model(instantiate(card), replace(card, shrunk_by="ab"), model)
    assert read_card(model).shrunk_by == "ab"
    with pytest.raises(InputError, match="holds compact, which enlarges"):
        load_shrinker(model)
    assert "shrinker" not in MODELS.names()


def test_a_card_of_no_learned_f_does_not_speak_of_one():
    assert "shrunk_by" not in describe("compact:nano", scale=2).to_json()


def test_what_cannot_be_used_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"no learned F 'tinny'.*'tiny'"):
        make_shrinker("tinny", scale=2, channels=1)
    with pytest.raises(InputError, match="for the scales 2, 3, 4, 8, not for 5"):
        Shrinker(scale=5)
    with pytest.raises(InputError, match=r"There is no learned F at .*network.shrink"):
        load_shrinker(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no shrink\.safetensors"):
        load_shrinker(tmp_path)
    shrinker = Shrinker(scale=2)
    wrong = replace(card_of(shrinker), arguments={"features": 10**9, "convolutions": 2})
    save_shrinker(shrinker, wrong, tmp_path / "wrong.safetensors")
    with pytest.raises(InputError, match="'features' is 1000000000"):
        load_shrinker(tmp_path / "wrong.safetensors")
    other = replace(card_of(shrinker), arguments={"features": 24, "convolutions": 3})
    save_shrinker(shrinker, other, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="does not fit its card"):
        load_shrinker(tmp_path / "other.safetensors")
    shrinker.body[0].weight.data[0] = torch.nan
    with pytest.raises(RunError, match="not finite"):
        save_shrinker(shrinker, card_of(shrinker), tmp_path / "nan.safetensors")
    assert not (tmp_path / "nan.safetensors").exists()
