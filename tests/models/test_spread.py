"""The head "spread": a second output beside the picture, and nothing else changed."""

import copy
import json
import math

import pytest
import torch
from safetensors import safe_open
from tests.offered import scales_of
from torch import nn

from acutance.errors import InputError
from acutance.models import MODELS, build
from acutance.models.building import describe
from acutance.models.card import ModelCard, parse_card, read_card
from acutance.models.checkpoint import load_model, save_model
from acutance.models.spread import FIRST_SPREAD, WithSpread, load_weights

NANO = {"name": "compact:nano", "scale": 2}


def with_and_without(name, scale):
    """The same network from the same seed, and a picture for it."""
    made = []
    for head in ("spread", ""):
        torch.manual_seed(0)
        made.append(build(name, scale=scale, head=head).eval())
    lr = torch.rand(2, made[0].channels, 7, 5)
    return *made, lr


@pytest.mark.parametrize(
    ("name", "scale"), [(name, scale) for name in MODELS.names() for scale in scales_of(name)]
)
def test_every_network_takes_it_and_gives_the_same_picture(name, scale):
    sure, plain, lr = with_and_without(name, scale)
    with torch.inference_mode():
        made, sr = sure(lr), plain(lr)
    assert list(made) == ["sr", "log_scale"]
    assert torch.equal(made["sr"], sr)
    assert made["log_scale"].shape == sr.shape
    assert (made["log_scale"] - math.log(FIRST_SPREAD)).abs().max() < 0.05


@pytest.mark.parametrize("name", MODELS.names())
def test_it_stands_beside_the_layer_that_gives_the_picture(name):
    """What that layer's bias gains, every value of the picture gains."""
    sure, _, lr = with_and_without(name, scales_of(name)[1])
    with torch.no_grad():
        before = sure(lr)["sr"]
        sure.network.get_submodule(sure._last).bias.add_(0.25)
        torch.testing.assert_close(sure(lr)["sr"], before + 0.25)


def test_phases_of_the_spread_are_shuffled_like_those_of_the_picture():
    sure, _, lr = with_and_without("compact:nano", 2)
    with torch.no_grad():
        sure.spread.bias.copy_(torch.arange(4.0))
        log_scale = sure(lr)["log_scale"]
    wanted = torch.tensor([[0.0, 1.0], [2.0, 3.0]]).tile(7, 5).expand_as(log_scale)
    torch.testing.assert_close(log_scale, wanted, atol=0.05, rtol=0)


def test_gradients_of_both_outputs_reach_the_features():
    sure, _, lr = with_and_without("espcn", 2)
    made = sure(lr)
    for name in made:
        (gradient,) = torch.autograd.grad(
            made[name].sum(), sure.network.layers[0].weight, retain_graph=True
        )
        assert gradient.abs().max() > 0


def test_copies_are_whole():
    """The smooth weights are a copy: it must not look at the features of the original."""
    sure, _, lr = with_and_without("compact:nano", 2)
    twin = copy.deepcopy(sure)
    with torch.no_grad():
        for parameter in sure.parameters():
            parameter.zero_()
        assert twin(lr)["log_scale"].abs().max() > 1
        assert (sure(lr)["log_scale"] == 0).all()


def test_nothing_is_kept_after_a_pass():
    sure, _, lr = with_and_without("compact:nano", 2)
    sure(lr)
    held = [m for m in sure.modules() if getattr(m, "features", None) is not None]
    assert not held


def test_compiles_to_one_graph():
    sure, _, lr = with_and_without("compact:nano", 2)
    compiled = torch.compile(sure, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(lr), sure(lr))


def test_channels_last_gives_the_same():
    sure, _, lr = with_and_without("compact:nano", 2)
    expected = sure(lr)
    made = sure.to(memory_format=torch.channels_last)(lr.to(memory_format=torch.channels_last))
    torch.testing.assert_close(made, expected, atol=1e-6, rtol=1e-5)


def test_the_file_says_it_and_loads_again(tmp_path):
    sure, _, lr = with_and_without("compact:nano", 2)
    path = tmp_path / "model.safetensors"
    save_model(sure, describe(**NANO, head="spread"), path)
    loaded = load_model(path)
    assert isinstance(loaded, WithSpread)
    assert read_card(path).head == loaded.card.head == "spread"
    assert (loaded.card.reach, loaded.reach, loaded.channels, loaded.scale) == (8, 8, 1, 2)
    with torch.inference_mode():
        for name, output in sure(lr).items():
            assert torch.equal(loaded(lr)[name], output)


def test_files_of_ordinary_networks_say_nothing_of_heads(tmp_path):
    save_model(build(**NANO), describe(**NANO), tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", framework="numpy") as file:
        assert "head" not in json.loads(file.metadata()["acutance"])


def test_a_card_with_an_unknown_head_is_refused(tmp_path):
    text = ModelCard("compact", 2).to_json().replace("{", '{"head": "hydra", ', 1)
    with pytest.raises(InputError, match="'head' is 'hydra' instead of 'spread' or ''"):
        parse_card(tmp_path / "a", text)


def test_a_file_without_the_head_does_not_fit_a_card_with_it(tmp_path):
    with pytest.raises(InputError, match="its card describes another network"):
        save_model(build(**NANO), describe(**NANO, head="spread"), tmp_path / "a.safetensors")


def test_training_may_begin_from_a_network_without_the_head():
    sure, plain, lr = with_and_without("compact:nano", 2)
    with torch.no_grad():
        plain.body[0].weight.mul_(2)
    load_weights(sure, plain)
    with torch.inference_mode():
        assert torch.equal(sure(lr)["sr"], plain(lr))
    load_weights(build(**NANO, head="spread"), sure)
    with pytest.raises(RuntimeError):
        load_weights(plain, sure)


def test_unknown_heads_and_unfit_networks_are_refused_in_words():
    with pytest.raises(InputError, match=r"Unknown head 'hydra'\. Known: spread\."):
        build(**NANO, head="hydra")

    class Odd(nn.Module):
        scale, channels, reach = 2, 3, 1

        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 7, 3)

    with pytest.raises(InputError, match="'spread' does not fit the network Odd: its last layer"):
        WithSpread(Odd())


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("compact:nano", {"body.14.weight", "body.14.bias"}),
        ("esrgan:tiny", {"conv_up2.weight", "conv_up2.bias"}),
        ("imdn", {"upsampler.0.weight", "upsampler.0.bias"}),
    ],
)
def test_a_network_takes_the_body_of_one_of_another_scale(name, own):
    """Every layer but those that make the scale; the picture's size stays the network's own."""
    double, quadruple = build(name, scale=2), build(name, scale=4)
    before = {key: value.clone() for key, value in quadruple.state_dict().items()}
    load_weights(quadruple, double)
    after, lent = quadruple.state_dict(), double.state_dict()
    assert all(torch.equal(after[k], lent[k]) for k in after.keys() - own)
    assert all(torch.equal(after[k], before[k]) for k in own)
    channels = quadruple.channels
    with torch.no_grad():
        assert quadruple(torch.rand(1, channels, 8, 8)).shape == (1, channels, 32, 32)


def test_a_body_of_another_width_does_not_fit():
    wide = build("compact:nano", scale=2, arguments={"features": 24})
    with pytest.raises(RuntimeError):
        load_weights(build("compact:nano", scale=4), wide)
