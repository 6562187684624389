"""A trial that halts is the run that does not, and what was scored is not scored again."""

from contextlib import closing

import numpy as np
import pytest
from safetensors.torch import load_file
from torch import equal

from acutance.evaluation.judging import open_metrics
from acutance.evaluation.protocols import find_protocol
from acutance.study.tune.trial import Halts, Judges, run_trial
from acutance.training.display import Silent
from acutance.training.loop import stages, train
from acutance.training.pictures import gather
from acutance.training.record import read_log

WHOLE = "state/step-00000008.safetensors"


@pytest.fixture(scope="module")
def recipe(small_search):
    """A run of eight steps that saves its state at its end only."""
    tuning = small_search({"log.save_every": 100})
    return tuning.recipe_of("l1 + 0.1*mse", seed=0, steps=8)


@pytest.fixture(scope="module")
def pictures(recipe, tmp_path_factory):
    return gather(recipe, tmp_path_factory.mktemp("pictures"), Silent())


@pytest.fixture(scope="module")
def whole(recipe, pictures, tmp_path_factory):
    """Its state without one halt."""
    folder = tmp_path_factory.mktemp("whole")
    train(recipe, folder, Silent(), pictures=pictures)
    return load_file(folder / WHOLE)


def halt(recipe, pictures, folder, *stops):
    """Go as far as the last of `stops` and stop asking."""
    with closing(stages(recipe, folder, Silent(), stops=[*stops, 8], pictures=pictures)) as run:
        for stop in stops:
            assert next(run).progress.step == stop


def different(folder, whole):
    found = load_file(folder / WHOLE)
    assert found.keys() == whole.keys()
    return [key for key in whole if not equal(whole[key], found[key])]


def test_a_run_that_halted_is_the_run_that_did_not(recipe, pictures, whole, tmp_path):
    halt(recipe, pictures, tmp_path, 3, 6, 8)
    assert different(tmp_path, whole) == []


def test_a_run_taken_up_after_each_halt_is_the_same(recipe, pictures, whole, tmp_path):
    halt(recipe, pictures, tmp_path, 3)
    halt(recipe, pictures, tmp_path, 6)
    halt(recipe, pictures, tmp_path, 8)
    assert different(tmp_path, whole) == []
    starts = [e["step"] for e in read_log(tmp_path) if e["event"] == "start"]
    assert starts == [0, 3, 6]


def test_a_run_killed_between_halts_is_the_same(recipe, pictures, whole, tmp_path, monkeypatch):
    """What a kill leaves: the state of the last halt, and lines of steps after it."""
    from acutance.training import loop

    update, steps = loop.update, []

    def dying(job, batch):
        steps.append(job.progress.step)
        if len(steps) == 6:
            raise SystemExit
        return update(job, batch)

    monkeypatch.setattr(loop, "update", dying)
    with pytest.raises(SystemExit):
        halt(recipe, pictures, tmp_path, 3, 6)
    monkeypatch.undo()
    halt(recipe, pictures, tmp_path, 6, 8)
    assert different(tmp_path, whole) == []
    assert [e["step"] for e in read_log(tmp_path) if e["event"] == "start"] == [0, 3]


class Counting(Judges):
    """Notes at which step it is asked."""

    asked: list[int]

    def table(self, job):
        """Two pictures, one metric: the step, and the step and two."""
        type(self).asked.append(job.progress.step)
        return np.array([[float(job.progress.step)], [job.progress.step + 2.0]])


@pytest.fixture
def judge():
    Counting.asked = []
    return Counting((), None)  # pyright: ignore


def test_values_are_means_over_pictures(recipe, pictures, judge, tmp_path):
    halts = Halts([4, 8], {}, lambda _step, _values: True)
    found = run_trial(recipe, tmp_path, pictures=pictures, judge=judge, halts=halts)
    assert found == [9.0]
    assert judge.asked == [4, 8]


def test_what_was_scored_before_a_kill_is_not_scored_again(recipe, pictures, judge, tmp_path):
    let = []
    halts = Halts([2, 4, 8], {2: [1.0], 4: [2.0]}, lambda step, _values: bool(let.append(step)))
    found = run_trial(recipe, tmp_path, pictures=pictures, judge=judge, halts=halts)
    assert (found, let, judge.asked) == ([2.0], [4], [])  # it had passed the halt at 2


def test_a_trial_that_is_not_let_go_on_stops_there(recipe, pictures, judge, tmp_path):
    halts = Halts([2, 4, 8], {}, lambda step, _values: step < 4)
    found = run_trial(recipe, tmp_path, pictures=pictures, judge=judge, halts=halts)
    assert (found, judge.asked) == ([5.0], [2, 4])
    assert not (tmp_path / WHOLE).exists()


@pytest.mark.parametrize("protocol", ["y@1", "grey@1"])
def test_a_trial_on_degraded_y_is_judged_on_y(small_search, tmp_path, protocol):
    """The first weights are next to nothing: the network gives what it is given."""
    tuning = small_search(
        {
            "network.name": "compact:nano",
            "network.scale": 1,
            "data.degrade": "noise(sigma=20) | unrounded",
            "tune.objective": ["psnr"],
        }
    )
    recipe = tuning.recipe_of("l1 + 0.1*mse", seed=0, steps=1)
    pictures = gather(recipe, tmp_path, Silent())
    rule = find_protocol(protocol)
    judge = Judges(open_metrics(["psnr"], rule), rule)
    begun = judge.start(recipe, pictures)
    # noise of 20 levels, somewhat less where it is cut; y@1 sees a grey picture in 16..235
    noisy = 20 * np.log10(255 / 20) + (20 * np.log10(255 / 219) if protocol == "y@1" else 0)
    assert begun.shape == (2, 1)
    assert np.all(np.abs(begun - noisy) < 0.7)
    with closing(stages(recipe, tmp_path, Silent(), stops=[1], pictures=pictures)) as run:
        assert np.abs(judge.table(next(run)) - begun).max() < 0.5
