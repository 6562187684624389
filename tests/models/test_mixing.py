"""Weights between models of one origin: the sum is exact, all else is refused by name."""

from fractions import Fraction

import pytest
import torch

from acutance.errors import InputError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.checkpoint import load_model, save_model
from acutance.models.mixing import members_for, mixed, parse_mixture


def saved(folder, name, *, seed=0, nudge=0.0, **card):
    """A compact:nano x2 whose weights are those of `seed`, moved a little."""
    torch.manual_seed(seed)
    network = build("compact:nano", scale=2)
    with torch.no_grad():
        for weights in network.parameters():
            weights += nudge * weights.std(correction=0) * torch.randn_like(weights)
    from dataclasses import replace

    path = folder / f"{name}.safetensors"
    save_model(network, replace(describe("compact:nano", scale=2), name=name, **card), path)
    return str(path)


def test_the_weights_are_the_weighted_sum(tmp_path):
    a, b = saved(tmp_path, "a"), saved(tmp_path, "b", nudge=0.2)
    found = mixed({a: 0.7, b: 0.3}).state_dict()
    one, other = load_model(a).state_dict(), load_model(b).state_dict()
    for name, tensor in found.items():
        expected = 0.7 * one[name].double() + 0.3 * other[name].double()
        torch.testing.assert_close(tensor, expected.float(), atol=0, rtol=2e-7)


def test_the_ends_are_the_models_to_the_bit(tmp_path):
    a, b = saved(tmp_path, "a"), saved(tmp_path, "b", nudge=0.2)
    lr = torch.rand(1, 1, 9, 8)
    with torch.inference_mode():
        assert torch.equal(mixed({a: 1.0, b: 0.0})(lr), load_model(a)(lr))
        assert torch.equal(mixed({a: 0.0, b: 1.0})(lr), load_model(b)(lr))


def test_the_card_says_so(tmp_path):
    a = saved(tmp_path, "a", loss="l1", licence="MIT", steps=3, scores={"protocol": "y@1"})
    b = saved(tmp_path, "b", nudge=0.2, loss="mse", licence="MIT", steps=9)
    card = mixed({a: 0.7, b: 0.3}).card
    assert (card.name, card.loss, card.licence) == ("0.7 a + 0.3 b", "l1 + mse", "MIT")
    assert (card.scores, card.steps) == (None, 9)


def test_the_card_says_nothing_that_is_true_of_one_alone(tmp_path):
    told = {"data_terms": "Research.", "seeds": (0,), "int8": {"loss_db": 0.1}, "bad_at": "text"}
    a = saved(tmp_path, "a", **told)
    b = saved(tmp_path, "b", nudge=0.2, **{**told, "data_terms": "Free.", "seeds": (1,)})
    card = mixed({a: 0.7, b: 0.3}).card
    assert (card.seeds, card.int8, card.scores) == ((), None, None)
    assert (card.data_terms, card.bad_at) == ("Research. + Free.", "text")


def test_the_digest_of_a_mixture_is_its_own(tmp_path):
    a, b = saved(tmp_path, "a"), saved(tmp_path, "b", nudge=0.2)
    card = mixed({a: 0.7, b: 0.3}).card
    digests = {load_model(a).card.weights, load_model(b).card.weights, ""}
    assert card.weights not in digests


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (None, "small-x2:0.7,small-sharp-x2:.3"),
        (4, "small-x4:0.7,small-sharp-x4:.3"),
        (Fraction(3), "small-x4:0.7,small-sharp-x4:.3"),  # which both have
    ],
)
def test_bundled_families_are_mixed_at_one_scale(shelf, scale, expected):
    shelf("small-x2", "small-x3", "small-x4", "small-sharp-x2", "small-sharp-x4", "nano-x3")
    assert members_for("small:0.7,small-sharp:.3", scale) == expected
    assert members_for("small-x2:0.5,a/b.pth:0.5", scale) == "small-x2:0.5,a/b.pth:0.5"
    assert members_for("small-sharp:0.5,nano:0.5", scale) == "small-sharp:0.5,nano:0.5"
    assert members_for("small", scale) == "small"


def refusal(call, *given) -> str:
    with pytest.raises(InputError) as error:
        call(*given)
    return str(error.value)


def test_models_trained_apart_are_refused(tmp_path):
    a, b = saved(tmp_path, "a"), saved(tmp_path, "b", seed=1)
    message = refusal(mixed, {a: 0.5, b: 0.5}).replace(str(tmp_path), "DIR")
    assert message.startswith(
        "DIR/a.safetensors and DIR/b.safetensors cannot be mixed: their weights have little in "
        "common (cosine "
    )
    assert message.endswith(
        "), so they were trained apart. Mix a model with one that was trained on from it."
    )


@pytest.mark.parametrize(
    ("name", "options", "difference"),
    [
        ("compact:nano", {"scale": 3}, "scale is 2 in the one and 3 in the other"),
        ("compact:small", {"scale": 2}, "features is 16 in the one and 32 in the other"),
        ("espcn", {"scale": 2}, "architecture is 'compact' in the one and 'espcn' in the other"),
        (
            "compact:nano",
            {"scale": 2, "head": "spread"},
            "head is '' in the one and 'spread' in the other",
        ),
    ],
)
def test_other_networks_are_refused_with_the_difference(tmp_path, name, options, difference):
    a, b = saved(tmp_path, "a"), tmp_path / "b.safetensors"
    save_model(build(name, **options), describe(name, **options), b)
    message = refusal(mixed, {a: 0.5, str(b): 0.5}).replace(str(tmp_path), "DIR")
    assert message == (
        f"DIR/a.safetensors and DIR/b.safetensors cannot be mixed: {difference}. "
        "Only models of one network, with the same constants, have weights in common."
    )


MIXTURES = [
    ("a:0.7,b:0.3", {"a": 0.7, "b": 0.3}),
    ("a:1.5,b:-.5", {"a": 1.5, "b": -0.5}),
    (r"C:\m\a.safetensors:0.7,D:\b:0.3", {r"C:\m\a.safetensors": 0.7, r"D:\b": 0.3}),
    ("x,y.safetensors:0.5,z:0.5", {"x,y.safetensors": 0.5, "z": 0.5}),
    ("a:0.2,b:0.3,c:0.5", {"a": 0.2, "b": 0.3, "c": 0.5}),
    ("a:1", {"a": 1.0}),
    ("runs/a", "runs/a"),
    (r"C:\m\a.safetensors", r"C:\m\a.safetensors"),
    ("nano-x2", "nano-x2"),
]


@pytest.mark.parametrize(("text", "parsed"), MIXTURES)
def test_a_mixture_is_read_from_text(text, parsed):
    assert parse_mixture(text) == parsed


def test_a_file_of_that_name_goes_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:0.7,b:0.3").write_bytes(b"")
    assert parse_mixture("a:0.7,b:0.3") == "a:0.7,b:0.3"


REFUSED = [
    (
        "a:0.7,b",
        "The models 'a:0.7,b' cannot be mixed: 'b' has no weight. "
        "Give each its own, as in a:0.7,b:0.3",
    ),
    ("a:0.5,a:0.5", "The models 'a:0.5,a:0.5' name 'a' twice. Add up its weights."),
    (
        "a:2,b:3",
        "The weights of a mixture must sum to 1, not 5. In these proportions: a:0.4,b:0.6",
    ),
    ("a:0,b:0", "The weights of a mixture must sum to 1, not 0."),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_cannot_be_mixed_is_said(text, message):
    assert refusal(parse_mixture, text) == message
