"""Model files: what is written comes back, and nothing else is taken for a model."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from acutance.errors import InputError, RunError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import ModelCard, find_model, parse_card, read_card
from acutance.models.checkpoint import halve, load_model, save_model, stamped
from acutance.upscaling.export import export_onnx


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build("compact:nano", scale=2)


@pytest.fixture
def card():
    return describe("compact:nano", scale=2)


@pytest.fixture
def model(network, card, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(network, card, path)
    return path


def test_the_file_alone_says_what_it_holds(network, tmp_path):
    """The fields of the design, under the metadata key `acutance`, as JSON."""
    card = ModelCard(
        architecture="compact:nano",
        scale=2,
        color="luma",
        name="a",
        loss="0.9*l1 + 0.1*mse",
        steps=12,
        data="T91, BSDS200",
        scores={"protocol": "y@1", "sets": {"Set5": {"psnr": 36.9}}},
        licence="CC0-1.0",
    )
    save_model(network, card, tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", framework="numpy") as file:
        found = json.loads(file.metadata()["acutance"])
    assert len(found.pop("weights")) == 64
    assert found == {
        "format": 1,
        "architecture": "compact",
        "arguments": {
            "channels": 1,
            "features": 16,
            "convolutions": 6,
            "activation": "leaky_relu",
            "skip": "bicubic",
        },
        "scale": 2,
        "color": "luma",
        "reach": 8,
        "input_range": [0.0, 1.0],
        "name": "a",
        "loss": "0.9*l1 + 0.1*mse",
        "steps": 12,
        "data": "T91, BSDS200",
        "scores": {"protocol": "y@1", "sets": {"Set5": {"psnr": 36.9}}},
        "licence": "CC0-1.0",
    }
    assert load_model(tmp_path / "a.safetensors").card == read_card(tmp_path / "a.safetensors")


def test_constants_come_back(tmp_path):
    arguments = {"skip": "bicubic", "activation": "relu", "features": 8}
    card = describe("compact:small", scale=3, channels=3, arguments=arguments)
    made = build("compact:small", scale=3, channels=3, arguments=arguments)
    save_model(made, card, tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors")
    lr = torch.rand(1, 3, 5, 4)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), made(lr))


def test_the_same_network_gives_the_same_bytes(network, card, tmp_path):
    for name in ("a", "b"):
        save_model(network, card, tmp_path / f"{name}.safetensors")
    first, second = ((tmp_path / f"{name}.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_the_digest_knows_other_weights(network, card):
    before = stamped(card, network).weights
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] += 1e-6
    assert stamped(card, network).weights != before


def test_loading_draws_no_random_numbers(model):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    load_model(model)
    assert torch.rand(1) == expected


def test_a_run_folder_is_a_model(model):
    assert find_model(model.parent) == model
    assert load_model(str(model.parent)).card.architecture == "compact"


def test_channels_last_weights_are_saved_as_they_are(network, card, model, tmp_path):
    network.to(memory_format=torch.channels_last)
    save_model(network, card, tmp_path / "b.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == model.read_bytes()


def test_weights_that_are_not_finite_are_not_saved(network, card, tmp_path):
    with torch.no_grad():
        network.body[2].bias[3] = float("nan")
    with pytest.raises(RunError, match=r"'body\.2\.bias' hold numbers that are not finite"):
        save_model(network, card, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_card_of_another_network_is_not_written(network, tmp_path):
    wrong = describe("compact:small", scale=2)
    with pytest.raises(InputError, match=r"its card describes another network: 'body\.0\.weight'"):
        save_model(network, wrong, tmp_path / "a.safetensors")


def test_models_are_saved_in_one_form(network, card, tmp_path):
    with pytest.raises(InputError, match=r"a\.pth must end in \.safetensors"):
        save_model(network, card, tmp_path / "a.pth")


def refusal(path, **options) -> str:
    with pytest.raises(InputError) as error:
        load_model(path, **options)
    return str(error.value).replace(str(path), "FILE")


def test_what_few_cards_say_is_silent_in_the_others(card):
    told = {"data_terms": "CC0", "seeds": (0, 1), "int8": {"loss_db": 0.1}, "bad_at": "text"}
    assert not told.keys() & json.loads(card.to_json()).keys()
    full = replace(card, **told)
    assert told.keys() <= json.loads(full.to_json()).keys()
    assert parse_card(Path("a"), full.to_json()) == full
    with pytest.raises(InputError, match=r"'seeds' is .* instead of a list of numbers"):
        parse_card(Path("a"), json.dumps({**json.loads(full.to_json()), "seeds": ["0"]}))


def test_half_the_bytes_and_the_same_network(network, card, tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(InputError, match=r"'body.0.weight' does not fit into 16 bits"):
        save_model(network, card, path, half=True)
    halve(network)
    full = save_model(network, card, path, half=True)
    whole = save_model(network, card, tmp_path / "b.safetensors")
    assert full == whole == export_onnx(network, card, tmp_path / "a.onnx", half=True)
    assert read_card(tmp_path / "a.onnx") == read_card(path) == full
    export_onnx(network, card, tmp_path / "b.onnx")
    for ending in ("safetensors", "onnx"):
        small, large = ((tmp_path / f"{n}.{ending}").stat().st_size for n in "ab")
        assert large - small > 0.95 * 2 * 14_660
    own = network.state_dict()
    for name, tensor in load_model(path).state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, own[name])


def test_a_file_that_is_cut_short_is_refused(model):
    model.write_bytes(model.read_bytes()[:-100])
    assert refusal(model) == (
        "FILE cannot be read as a model: Error while deserializing header: incomplete metadata, "
        "file not fully covered. It is damaged or incomplete. Copy it again or train it again."
    )


def test_a_missing_model_is_named(shelf, tmp_path):
    shelf("nano-x2", "small-x2", "small-x4")
    assert refusal(tmp_path / "no.safetensors") == (
        "There is no model at FILE. Give a run folder, a model file, or the name of a bundled "
        "model. Known: nano, small."
    )


def test_a_folder_without_a_model_is_named(tmp_path):
    assert refusal(tmp_path) == (
        "FILE holds no model.safetensors. It is not a run folder, or its run has not finished: "
        "repeat the training command to finish it."
    )


def test_a_file_without_a_card_is_named(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)  # as if it were not installed
    save_file(network.state_dict(), tmp_path / "a.safetensors")  # no slopes: not recognisable
    assert refusal(tmp_path / "a.safetensors") == (
        "FILE has no card, and its layers (body.0.bias, body.0.weight, body.10.bias ...) are of "
        "no known layout. Name it, as in architecture='compact:general@4' (network:preset@scale). "
        "The extra 'community' knows many more: pip install 'acutance[community]'."
    )


def test_another_kind_of_file_is_named(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"")
    assert refusal(tmp_path / "a.onnx") == (
        "FILE is not a model that can be loaded: its name must end in .safetensors or .pth."
    )


def rewrite(path, network, **changes):
    """The same weights under a card with other entries; None takes an entry out."""
    with safe_open(path, framework="numpy") as file:
        card = json.loads(file.metadata()["acutance"])
    card = {name: value for name, value in {**card, **changes}.items() if value is not None}
    save_file(network.state_dict(), path, metadata={"acutance": json.dumps(card)})


REFUSED_CARDS = [
    ({"architecture": "compakt"}, "Unknown network 'compakt'. Did you mean 'compact'?"),
    (
        {"format": 2},
        "The card of FILE has format 2; this version reads 1. Install a newer acutance.",
    ),
    (
        {"scale": "two"},
        "The card of FILE is wrong: 'scale' is 'two' instead of a whole number from 1 to 16. "
        "Train or export the model again.",
    ),
    (
        {"scale": None},
        "The card of FILE is wrong: 'scale' is missing. Train or export the model again.",
    ),
    (
        {"scale": 7},
        "The network 'compact' is not made for scale 7. Known: 1, 2, 3, 4, 8.",
    ),
    (
        {"color": "rgb"},
        "The card says color 'rgb', but the network has 1 channels. "
        "Train or export the model again.",
    ),
    (
        {"arguments": {"channels": 1, "featurs": 16}},
        "The network 'compact' has no constant 'featurs'. Did you mean 'features'?",
    ),
    (
        {"arguments": {"channels": 1, "features": 10**9}},
        "The constant 'features' must lie between 1 and 4096, not be 1000000000.",
    ),
    (
        {"arguments": {"channels": 1, "features": "many"}},
        "The constant 'features' must be like 64, not 'many'.",
    ),
    (
        {"arguments": {"channels": 1, "features": 32, "convolutions": 6}},
        "FILE does not fit the network compact x2: 'body.0.weight' has the shape (16, 1, 3, 3) "
        "instead of (32, 1, 3, 3). The file is damaged, or it holds another network.",
    ),
    (
        {"arguments": {"channels": 1, "features": 16, "convolutions": 7}},
        "FILE does not fit the network compact x2: 'body.14.weight' has the shape (4, 16, 3, 3) "
        "instead of (16, 16, 3, 3). The file is damaged, or it holds another network.",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED_CARDS, ids=lambda v: str(v)[:40])
def test_a_wrong_card_is_refused(model, network, changes, message):
    rewrite(model, network, **changes)
    assert refusal(model) == message


@pytest.mark.parametrize("text", ["", "[1]", "{", "null"])
def test_a_card_that_is_no_json_object_is_refused(model, network, text):
    save_file(network.state_dict(), model, metadata={"acutance": text})
    assert refusal(model).startswith("The card of FILE is wrong: it is not ")


def test_a_card_may_say_more_than_we_know(model, network):
    rewrite(model, network, mood="cheerful")
    assert load_model(model).card.architecture == "compact"


def test_whole_numbers_are_no_weights(model, network):
    with safe_open(model, framework="numpy") as file:
        metadata = file.metadata()
    tensors = {name: t.to(torch.int32) for name, t in network.state_dict().items()}
    save_file(tensors, model, metadata=metadata)
    assert "'body.0.weight' is torch.int32, not floating point" in refusal(model)


def test_half_precision_files_become_float32(model, network):
    with safe_open(model, framework="numpy") as file:
        metadata = file.metadata()
    tensors = {name: t.half() for name, t in network.state_dict().items()}
    save_file(tensors, model, metadata=metadata)
    assert {p.dtype for p in load_model(model).parameters()} == {torch.float32}


def test_read_card_needs_a_file_that_carries_one(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"")
    with pytest.raises(InputError, match=re.escape("acutance export FILE --output NAME")):
        read_card(tmp_path / "a.pth")


def test_a_file_from_before_a_network_was_renamed_is_still_read(tmp_path):
    arguments = {"features": 8, "growth": 8, "blocks": 1}
    esrgan = build("esrgan", scale=2, arguments=arguments).eval()
    card = replace(describe("esrgan", scale=2, arguments=arguments), architecture="rrdb")
    metadata = {"acutance": card.to_json()}
    save_file(esrgan.state_dict(), tmp_path / "model.safetensors", metadata=metadata)
    assert read_card(tmp_path).architecture == "esrgan"
    lr = torch.rand(1, 3, 6, 5)
    with torch.inference_mode():
        assert torch.equal(load_model(tmp_path)(lr), esrgan(lr))
