"""A run that was killed ends as one that was not: the same weights, bit for bit."""

import json

import pytest
from safetensors.torch import load_file
from torch import equal

from acutance.errors import InputError
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.optimisers import RATES
from acutance.training.record import read_log
from acutance.training.snapshots import newest_snapshot

WAYS = {
    "prefetch": {"data__prefetch": True},
    "no prefetch": {"data__prefetch": False},
    "accumulation": {"optim__accumulate": 2, "loss__expression": "0.8*l1 + 0.2*mse"},
    "shares": {"loss__expression": "80% l1 + 20% ssim"},
    "the smooth weights as a guide": {"loss__expression": "l1 + 0.1*ema_consistency"},
    "schedule free": {"optim__name": "schedule_free"},
    "batch norm": {
        "network__name": "srresnet:tiny",
        "network__color": "rgb",
        "network__arguments": {"norm": "batch", "blocks": 1},
    },
    "sgd with milestones": {"optim__name": "sgd", "optim__schedule": "multi_step"},
}


FAST = ("shares",)  # the others take a kill and two runs each


@pytest.mark.parametrize(
    "way", [way if way in FAST else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]
)
def test_a_killed_run_ends_as_one_that_was_not(way, small_recipe, killed_run, tmp_path):
    """200 steps at once, and 110 + kill -9 + the same again: every tensor is equal."""
    recipe = small_recipe(stop__steps=200, **WAYS[way])
    train(recipe, tmp_path / "whole", Silent())
    killed = killed_run(recipe, tmp_path / "broken", step=110)
    assert killed.returncode == -9, killed.stderr
    assert newest_snapshot(tmp_path / "broken").name == "step-00000100.safetensors"
    train(recipe, tmp_path / "broken", Silent())
    for name in ("state/step-00000200.safetensors", "model.safetensors"):
        whole, broken = load_file(tmp_path / "whole" / name), load_file(tmp_path / "broken" / name)
        assert whole.keys() == broken.keys()
        different = [key for key in whole if not equal(whole[key], broken[key])]
        assert different == []


def test_ctrl_c_saves_and_says_how_to_go_on(small_recipe, killed_run, tmp_path):
    recipe = small_recipe(stop__steps=200)
    stopped = killed_run(recipe, tmp_path / "a", step=57, signal="SIGINT")
    assert "KeyboardInterrupt" in stopped.stderr
    assert newest_snapshot(tmp_path / "a").name == "step-00000057.safetensors"
    assert [e["event"] for e in read_log(tmp_path / "a")][-1] == "interrupted"


def test_a_finished_run_given_again_stays_as_it_is(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=20)
    first = train(recipe, tmp_path / "a", Silent())
    weights = load_file(first.model)
    again = train(recipe, tmp_path / "a", Silent())
    assert again.steps == 20
    assert all(equal(weights[key], value) for key, value in load_file(again.model).items())


def test_another_recipe_in_the_same_folder_is_refused(small_recipe, tmp_path):
    train(small_recipe(stop__steps=5), tmp_path / "a", Silent())
    with pytest.raises(InputError) as caught:
        train(small_recipe(stop__steps=5, loss__expression="mse"), tmp_path / "a", Silent())
    assert "loss.expression: 'l1' there, 'mse' now" in str(caught.value)


def test_a_run_older_than_a_setting_goes_on_by_its_default(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=5)
    train(recipe, tmp_path / "a", Silent())
    path = tmp_path / "a" / "run.toml"
    lines = path.read_text().splitlines(keepends=True)
    older = [line for line in lines if not line.startswith("hold_out_seed")]
    assert len(older) == len(lines) - 1
    path.write_text("".join(older))
    assert train(recipe, tmp_path / "a", Silent()).steps == 5
    with pytest.raises(InputError, match=r"data\.hold_out_seed: 'auto' there, 3 now"):
        train(small_recipe(stop__steps=5, data__hold_out_seed=3), tmp_path / "a", Silent())


def test_changed_pictures_are_refused(small_recipe, tmp_path, photo_folder):
    import shutil

    copy = tmp_path / "photos"
    shutil.copytree(photo_folder, copy)
    recipe = small_recipe(stop__steps=5, data__photos=[str(copy)], data__val=[str(photo_folder)])
    train(recipe, tmp_path / "a", Silent())
    (copy / "drawn3.png").unlink()
    with pytest.raises(InputError, match=r"pictures .* have changed"):
        train(recipe, tmp_path / "a", Silent())


def test_a_damaged_snapshot_is_named(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=50)
    train(recipe, tmp_path / "a", Silent())
    newest = newest_snapshot(tmp_path / "a")
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"step-00000050.safetensors is damaged"):
        train(recipe, tmp_path / "a", Silent())
    newest.unlink()
    assert train(recipe, tmp_path / "a", Silent()).steps == 50  # from the snapshot before
    assert [e["step"] for e in read_log(tmp_path / "a") if e["event"] == "start"] == [0, 40]


def test_half_a_log_line_left_by_a_kill_is_passed_over(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=20)
    train(recipe, tmp_path / "a", Silent())
    newest_snapshot(tmp_path / "a").unlink()
    with (tmp_path / "a" / "log.jsonl").open("a") as log:
        log.write('{"event": "st')
    train(recipe, tmp_path / "a", Silent())
    told = [e["event"] for e in read_log(tmp_path / "a") if e["event"] in {"start", "end"}]
    assert told == ["start", "end"] * 2  # nothing of the second sitting is lost to the half line


def test_run_toml_tells_all(small_recipe, tmp_path):
    import tomllib

    train(small_recipe(stop__steps=5), tmp_path / "a", Silent())
    tables = tomllib.loads((tmp_path / "a" / "run.toml").read_text())
    assert tables["plan"]["threads"] == 1
    assert tables["recipe"]["optim"]["rate"] == "auto"
    assert tables["plan"]["rate"] == RATES["compact"]  # what "auto" became
    assert tables["recipe"]["optim"]["beta2"] == 0.99
    assert tables["versions"]["torch"]
    scores = json.loads((tmp_path / "a" / "scores.json").read_text())
    assert scores["protocol"] == "y@1"


def test_snapshots_of_an_unknown_run_are_not_taken_up(small_recipe, tmp_path):
    """A folder that lost its run.toml would end at once, as the run it does not say it is."""
    train(small_recipe(stop__steps=3), tmp_path, Silent())
    (tmp_path / "run.toml").unlink()
    with pytest.raises(InputError, match=r"snapshots, but not the run.toml"):
        train(small_recipe(stop__steps=2), tmp_path, Silent())
