"""Fidelity first, perception from there: two runs by one command, each with its own folder."""

import shutil
import tomllib
from dataclasses import replace

import pytest
from safetensors.torch import load_file
from torch import equal

from acutance.errors import InputError
from acutance.models.mixing import mixed
from acutance.training.display import Silent
from acutance.training.dry_run import rehearse
from acutance.training.loop import train
from acutance.training.recipe import LossChoice, make_recipe
from acutance.training.record import read_log
from acutance.training.snapshots import newest_snapshot
from acutance.training.two_stages import first_stage, main_stage

TWO = {"stop__steps": 16, "loss__expression": "mse", "first__loss": "l1", "first__share": 0.25}
SHORT = {
    "data__patch": 32,
    "data__batch": 2,
    "machine__threads": 1,
    "machine__precision": "fp32",
    "machine__device": "cpu",
    "log__every": 10,
    "log__score_every": 100,
    "log__save_every": 2,
    "log__samples": 0,
    "log__tensorboard": "off",
}
NAMES = ("model.safetensors", "first/model.safetensors")


def settled(**settings):
    named = {key.replace("__", "."): value for key, value in settings.items()}
    return make_recipe([("test", named)])[0]


def tensors(folder, name="model.safetensors"):
    return load_file(folder / name)


def same(one, other):
    return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module", autouse=True)
def no_twins():
    """Runs here write no ONNX twin, which takes longer than the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("acutance.training.finish.export_onnx", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def whole(photo_folder, tmp_path_factory):
    """The recipe carried out at once. Nothing is changed in its folder."""
    recipe = settled(**TWO, **SHORT, data__photos=[str(photo_folder)])
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(recipe, folder, Silent())
    return recipe, folder


class CrashError(Exception):
    """Stands for a kill: nothing is saved on the way out."""


class Crashing(Silent):
    """Crashes after so many steps of a stage."""

    def __init__(self, step):
        self.step = step

    def phase(self, name, done, _total):
        if name == "training" and done == self.step:
            raise CrashError


def test_the_second_stage_begins_with_the_model_of_the_first(whole, photo_folder, tmp_path):
    """The same by hand: a run of the first stage's loss, and one from its model."""
    _, folder = whole
    plain = {**SHORT, "data__photos": [str(photo_folder)]}
    train(settled(**plain, stop__steps=4), tmp_path / "l1", Silent())
    assert same(tensors(tmp_path / "l1"), tensors(folder / "first"))
    start = str(tmp_path / "l1")
    second = settled(**plain, stop__steps=12, loss__expression="mse", network__start=start)
    train(second, tmp_path / "mse", Silent())
    assert same(tensors(tmp_path / "mse"), tensors(folder))
    assert not same(tensors(folder / "first"), tensors(folder))


def test_each_folder_says_what_happened_in_it(whole):
    recipe, folder = whole
    told = {}
    for place in (folder, folder / "first"):
        tables = tomllib.loads((place / "run.toml").read_text(encoding="utf-8"))
        log = read_log(place)
        assert log[-1]["event"] == "end"
        assert log[-1]["step"] == tables["plan"]["steps"]
        told[place] = (tables["recipe"]["loss"]["expression"], tables["plan"]["steps"])
        assert tables["recipe"]["network"]["start"] == ""
    assert told == {folder: ("mse", 12), folder / "first": ("l1", 4)}
    tables = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
    assert tables["recipe"]["first"]["loss"] == "l1"
    assert tables["recipe"]["stop"]["steps"] == recipe.stop.steps == 16  # as it was asked


@pytest.mark.parametrize("step", [3, 9])  # in the first stage, and in the second
def test_a_crash_in_either_stage_costs_nothing(step, whole, tmp_path):
    recipe, folder = whole
    with pytest.raises(CrashError):
        train(recipe, tmp_path / "a", Crashing(step))
    assert (newest_snapshot(tmp_path / "a") is None) == (step == 3)
    if step == 3:
        other = replace(recipe, first=replace(recipe.first, loss="mse"))
        with pytest.raises(InputError, match=r"first\.loss: 'l1' there, 'mse' now"):
            train(other, tmp_path / "a", Silent())
    train(recipe, tmp_path / "a", Silent())
    for name in NAMES:
        assert same(tensors(tmp_path / "a", name), tensors(folder, name))


@pytest.mark.slow
@pytest.mark.parametrize("step", [3, 9])
def test_so_does_a_kill(step, whole, killed_run, tmp_path):
    recipe, folder = whole
    assert killed_run(recipe, tmp_path / "a", step=step).returncode == -9
    train(recipe, tmp_path / "a", Silent())
    for name in NAMES:
        assert same(tensors(tmp_path / "a", name), tensors(folder, name))


def test_a_begun_second_stage_no_longer_needs_the_first(whole, tmp_path):
    recipe, folder = whole
    with pytest.raises(CrashError):
        train(recipe, tmp_path / "a", Crashing(9))
    shutil.rmtree(tmp_path / "a" / "first")
    train(recipe, tmp_path / "a", Silent())
    assert same(tensors(tmp_path / "a"), tensors(folder))
    assert not (tmp_path / "a" / "first").exists()


def test_a_model_to_begin_from_takes_the_place_of_the_first_stage(whole, tmp_path):
    asked, folder = whole
    recipe = replace(asked, network=replace(asked.network, start=str(folder / "first")))
    assert train(recipe, tmp_path / "from", Silent()).steps == 16
    assert not (tmp_path / "from" / "first").exists()


def test_what_is_wrong_with_the_second_stage_is_said_before_the_first(whole, tmp_path):
    recipe = replace(whole[0], loss=LossChoice("l1 + 0.1*output_distillation"))
    with pytest.raises(InputError, match="teacher"):
        train(recipe, tmp_path / "a", Silent())
    assert not (tmp_path / "a").exists()


def test_what_is_wrong_with_the_first_stage_leaves_no_run_behind(whole, tmp_path):
    """A run.toml of it would refuse the command put right as one of another recipe."""
    recipe = replace(whole[0], first=replace(whole[0].first, loss="l11"))
    message = "^The first stage, 'l11', cannot be trained: Unknown loss 'l11'"
    with pytest.raises(InputError, match=message):
        train(recipe, tmp_path / "a", Silent())
    assert not (tmp_path / "a").exists()
    with pytest.raises(InputError, match=message):
        rehearse(recipe, quiet=True)


def test_the_models_of_both_stages_can_be_mixed(whole):
    _, folder = whole
    weights = {str(folder / "first"): 0.75, str(folder): 0.25}
    found = mixed(weights).state_dict()
    for key, value in tensors(folder).items():
        expected = 0.75 * tensors(folder, NAMES[1])[key].double() + 0.25 * value.double()
        assert equal(found[key], expected.float())


def test_the_length_is_shared():
    steps = settled(**TWO)
    assert (first_stage(steps).stop.steps, main_stage(steps).stop.steps) == (4, 12)
    minutes = settled(stop__minutes=4.0, first__loss="l1", first__share=0.75)
    assert (first_stage(minutes).stop.minutes, main_stage(minutes).stop.minutes) == (3.0, 1.0)
    unsaid = settled(first__loss="l1", first__share=0.2)
    assert (first_stage(unsaid).stop.minutes, main_stage(unsaid).stop.minutes) == (1.0, 4.0)
    few = settled(stop__steps=2, first__loss="l1", first__share=0.01)
    assert (first_stage(few).stop.steps, main_stage(few).stop.steps) == (1, 1)
    with pytest.raises(InputError, match="cannot be shared by two stages"):
        settled(stop__steps=1, first__loss="l1")
    endless = settled(stop__until="converged", first__loss="l1")
    assert (first_stage(endless).stop, main_stage(endless).stop) == (endless.stop, endless.stop)


def test_the_first_stage_has_a_rate_and_milestones_of_its_own_if_asked():
    recipe = settled(first__loss="l1", first__rate=1e-3, optim__rate=1e-4)
    assert (first_stage(recipe).optim.rate, main_stage(recipe).optim.rate) == (1e-3, 1e-4)
    assert first_stage(recipe).optim.milestones == recipe.optim.milestones
    recipe = settled(first__loss="l1", first__milestones=[0.9])
    assert first_stage(recipe).optim.milestones == (0.9,)
    assert first_stage(recipe).loss.balance == ""
    assert first_stage(recipe).first.loss == ""
