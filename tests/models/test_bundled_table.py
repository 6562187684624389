"""The maker of the bundled models: its table can be carried out, and nothing too large gets in."""

import json
import shlex
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import tomli_w

from acutance.errors import InputError, RunError
from acutance.losses.expression import parse_loss
from acutance.models.building import describe, skeleton

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BEGUN = {  # from a model that must have been made before
    **{f"nano-x{scale}": "nano-x2" for scale in (3, 4)},
    **dict.fromkeys(("small-x2", "small-middle-x3"), "small-draft-x2"),
    "small-middle-x4": "small-draft-x4",
    "small-x3": "small-middle-x3",
    "small-late-x4": "small-middle-x4",
    "small-even-x4": "small-late-x4",
    "small-x4": "small-even-x4",
    **{
        f"small-{name}-x{scale}": f"small-x{scale}"
        for name in ("balanced", "sharp")
        for scale in (2, 4)
    },
    "photo-early-x2": "photo-draft-x2",
    "photo-draft-x4": "photo-early-x2",
    "photo-x2": "photo-early-x2",
    "photo-x4": "photo-draft-x4",
    "small-draft-x4": "small-draft-x2",
}


@pytest.fixture
def maker(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("ACUTANCE_DATA", str(tmp_path))
    yield __import__("bundled_models")
    for name in ("bundled_models", "bundled_plans"):
        sys.modules.pop(name, None)


def test_every_model_of_the_table_can_be_made(maker, shelf, tmp_path):
    shelf("nano-x2", *(f"small-x{scale}" for scale in (2, 4)))
    with pytest.raises(InputError, match="make small-middle-x3 first"):
        maker.read_plan("small-x3", runs=tmp_path)
    families = tomllib.loads((BENCHMARKS / "bundled_models.toml").read_text())["family"]
    drafts = [n for n in maker.names() if families[n.rpartition("-x")[0]].get("draft")]
    for draft in (tmp_path / name for name in drafts):
        draft.mkdir()
        (draft / "model.safetensors").write_bytes(b"")
    for name in maker.names():
        plan = maker.read_plan(name, runs=tmp_path)
        choice = plan.recipe.network
        assert choice.scale == int(name[-1])
        color = {"luma": 1, "rgb": 3}[choice.color]
        card = describe(choice.name, scale=choice.scale, channels=color, arguments=choice.arguments)
        count = sum(p.numel() for p in skeleton(card).parameters())
        assert count <= plan.told["most_parameters"]
        assert parse_loss(plan.recipe.loss.expression)
        assert plan.recipe.stop.steps > 0
        assert plan.told["data_terms"]
        assert plan.told["bad_at"]
        begun = BEGUN.get(name)
        assert plan.loss.endswith(f", from {begun}") == bool(begun)
        assert Path(plan.recipe.network.start).stem == (begun or "")


def test_settings_go_before_the_table_and_names_are_checked(maker, shelf):
    shelf("nano-x2")
    plan = maker.read_plan("nano-x3", {"stop.steps": 7})
    assert (plan.recipe.stop.steps, plan.recipe.network.scale) == (7, 3)
    assert plan.pictures == "T91, BSDS200"
    with pytest.raises(InputError, match=r"has no model 'nano-x5'. Did you mean 'nano-x"):
        maker.read_plan("nano-x5")


def test_the_card_tells_what_was_really_done(maker, shelf, tmp_path):
    shelf("small-x2")
    given = {"stop.steps": 7, "loss.expression": "mse"}
    plan = maker.read_plan("nano-x2", given)
    assert plan.command == (
        "python benchmarks/bundled_models.py make nano-x2 --set stop.steps=7 "
        """--set 'loss.expression="mse"'"""
    )
    assert dict(maker.read_assignment(word) for word in shlex.split(plan.command)[5::2]) == given
    with pytest.raises(InputError, match=r"The card tells data.photos by bundled_models.toml"):
        maker.read_plan("nano-x2", {"data.photos": ["/elsewhere"]})
    taught = replace(plan, told={**plan.told, "teacher": "small"})
    assert taught.loss == "mse, taught by small-x2"
    (tmp_path / "model.safetensors").write_bytes(b"")
    old = replace(plan.recipe, data=replace(plan.recipe.data, photos=("/other",)))
    (tmp_path / "run.toml").write_text(
        tomli_w.dumps({"recipe": json.loads(json.dumps(asdict(old)))})
    )
    assert maker.train(plan, tmp_path, 0), "the same pictures in another folder"
    with pytest.raises(InputError, match=r"another recipe:\n  stop.steps: 7 there, 8 now\n"):
        maker.train(maker.read_plan("nano-x2", {**given, "stop.steps": 8}), tmp_path, 0)


def test_nothing_too_large_gets_in(maker, tmp_path, monkeypatch):
    monkeypatch.setattr(maker, "MOST_BYTES", 10)
    monkeypatch.setattr(maker, "MOST_TOGETHER", 25)
    into = tmp_path / "bundled"
    into.mkdir()
    (into / "a-x2.onnx").write_bytes(b"." * 10)
    (into / "b-x2.onnx").write_bytes(b"." * 9)  # its place is taken by the new one
    new = [tmp_path / f"b-x2{ending}" for ending in (".onnx", ".safetensors")]
    for size, reason in ((11, r"b-x2.onnx has 11 bytes"), (8, r"All bundled files have 26 bytes")):
        for path in new:
            path.write_bytes(b"!" * size)
        with pytest.raises(RunError, match=reason):
            maker.put_in_place(new, into)
        assert {path.read_bytes()[:1] for path in into.iterdir()} == {b"."}
    new[0].write_bytes(b"!" * 7)
    maker.put_in_place(new, into)
    assert sorted((p.name, p.stat().st_size) for p in into.iterdir()) == [
        ("a-x2.onnx", 10),
        ("b-x2.onnx", 7),
        ("b-x2.safetensors", 8),
    ]


def test_the_newest_snapshot_is_kept_and_taken_up(maker, tmp_path):
    run, wip, elsewhere = (tmp_path / name for name in ("run", "wip", "elsewhere"))
    assert not maker.keep(run, wip)
    (run / "first" / "state").mkdir(parents=True)
    (run / "first" / "state" / "step-00000009.safetensors").write_bytes(b"s")
    assert maker.keep(run, wip)
    assert (wip / "first" / "state" / "step-00000009.safetensors").is_file()
    for step in (1, 2):  # the second stage has begun
        (run / "state").mkdir(parents=True, exist_ok=True)
        (run / "state" / f"step-0000000{step}.safetensors").write_bytes(b"s")
        (run / "run.toml").write_text("r")
        (run / "samples.png").write_bytes(b"p")
        assert maker.keep(run, wip)
    maker.take_up(wip, elsewhere)
    found = {str(p.relative_to(elsewhere)) for p in elsewhere.rglob("*") if p.is_file()}
    assert found == {"run.toml", "state/step-00000002.safetensors"}
    (elsewhere / "run.toml").write_text("mine")
    maker.take_up(wip, elsewhere)
    assert (elsewhere / "run.toml").read_text() == "mine"
