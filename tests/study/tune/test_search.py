"""Workers, with made-up trials: how many, which survive, what fails, and by which sampler."""

import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from threading import Thread

import pytest
from tests.study.tune.conftest import weight_in

from acutance.errors import InputError, RunError
from acutance.study.tune import search
from acutance.study.tune.search import open_study, work

LONG = {"tune.trials": 8, "tune.steps": 8, "tune.rungs": 3, "tune.sampler": "random"}
SAMPLERS = ("tpe", "nsga2", "gp", "qmc", "random")


def trials(worker):
    return worker.study.get_trials()


def halts(trial):
    """Steps at which a trial was scored."""
    return sorted(int(name[3:]) for name in trial.user_attrs if name.startswith("at "))


def test_halts_double_up_to_the_whole(small_search):
    assert small_search({"tune.steps": 300, "tune.rungs": 3}).stops == (75, 150, 300)
    assert small_search({"tune.steps": 3, "tune.rungs": 5}).stops == (1, 3)
    assert small_search({"tune.steps": 7, "tune.rungs": 1}).stops == (7,)


def test_survivors_are_of_the_best_rank_among_those_before_them(worker, workshop):
    """At each halt a trial stands against those that came there before; half of them goes on."""
    made = worker(LONG)
    work(made)
    assert [t.number for t in trials(made)] == list(range(8))
    for trial in trials(made):
        for step in (2, 4):
            rivals = [t for t in trials(made)[: trial.number + 1] if step in halts(t)]
            mine = weight_in(trial.user_attrs["loss"])
            better = sum(weight_in(t.user_attrs["loss"]) > mine for t in rivals)
            if step in halts(trial):
                assert (max(halts(trial)) > step) == (better < 0.5 * len(rivals)), trial.number
    whole = [t for t in trials(made) if max(halts(t)) == 8]
    assert 1 <= len(whole) < 8


def test_trials_that_do_not_beat_each_other_all_go_on(worker, workshop):
    """What is gained in one metric is lost in the other: all are of rank 0."""
    workshop.score = lambda loss, _step: [weight_in(loss), -weight_in(loss)]
    made = worker(LONG)
    work(made)
    assert {max(halts(t)) for t in trials(made)} == {8}


def test_with_keep_1_nothing_is_stopped(worker, workshop):
    made = worker({**LONG, "tune.keep": 1.0})
    work(made)
    assert {max(halts(t)) for t in trials(made)} == {8}


def test_a_stopped_trial_has_the_values_of_its_last_halt(worker, workshop):
    workshop.score = lambda loss, step: [weight_in(loss) + step] * 2
    made = worker(LONG)
    work(made)
    for trial in trials(made):
        assert list(trial.values) == trial.user_attrs[f"at {max(halts(trial))}"]


def test_a_trial_that_fails_is_counted_and_told_and_the_search_goes_on(worker, workshop):
    workshop.faults = {1: RunError("The term 'mse' became nan."), 2: InputError("no such thing")}
    made = worker({**LONG, "tune.trials": 4})
    work(made)
    assert [t.state.name for t in trials(made)] == ["COMPLETE", "FAIL", "FAIL", "COMPLETE"]
    assert trials(made)[1].user_attrs["fault"] == "The term 'mse' became nan."
    loss = trials(made)[1].user_attrs["loss"]
    assert made.display.told[0] == f"trial 1, {loss}, failed: The term 'mse' became nan."
    assert len(made.display.told) == 2
    work(made)
    assert len(trials(made)) == 4  # none is tried again


def test_scores_that_are_no_numbers_are_a_failure(worker, workshop):
    workshop.score = lambda _loss, _step: [float("inf"), 1.0]
    made = worker({"tune.trials": 1, "tune.rungs": 1})
    work(made)
    assert trials(made)[0].user_attrs["fault"] == "its scores are [inf, 1.0]"


def test_more_trials_make_a_search_longer(worker, workshop):
    work(worker({**LONG, "tune.trials": 3}))
    first = list(workshop.losses)
    work(worker({**LONG, "tune.trials": 5}))
    assert workshop.losses[:3] == first
    assert len(set(workshop.losses)) == 5


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_gives_three_different_trials_within_the_ranges(worker, workshop, sampler):
    work(worker({"tune.sampler": sampler}))
    weights = [weight_in(loss) for loss in workshop.losses]
    assert len(set(weights)) == 3
    assert all(0.01 <= weight <= 1 for weight in weights)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_weights_depend_on_what_the_storage_holds_alone(worker, workshop, sampler, tmp_path):
    """One worker for five trials, and five for one each."""
    settings = {"tune.sampler": sampler, "tune.rungs": 1}
    work(worker({**settings, "tune.trials": 5}, tmp_path / "one"))
    at_once, workshop.losses = workshop.losses, []
    for count in range(1, 6):
        work(worker({**settings, "tune.trials": count}, tmp_path / "five"))
    assert workshop.losses == at_once


def test_another_seed_gives_other_weights(worker, workshop, tmp_path):
    for seed in range(2):
        work(worker({"tune.seed": seed, "tune.trials": 1}, tmp_path / str(seed)))
    assert len(set(workshop.losses)) == 2


@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
def test_workers_at_once_make_as_many_trials_as_asked(worker, workshop, sampler):
    """Three threads, each with a connection of its own to one journal."""
    settings = {**LONG, "tune.trials": 9, "tune.sampler": sampler}
    crew = [worker(settings) for _ in range(3)]
    threads = [Thread(target=work, args=[each]) for each in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    made = trials(crew[0])
    assert [(t.number, t.state.name) for t in made] == [(k, "COMPLETE") for k in range(9)]
    assert len({t.user_attrs["loss"] for t in made}) == 9
    assert sorted(workshop.losses) == sorted(t.user_attrs["loss"] for t in made)


def test_a_trial_whose_worker_died_while_asking_is_given_up_and_made_up_for(
    worker, workshop, tmp_path
):
    settings = {"tune.sampler": "random", "tune.rungs": 1}
    work(worker(settings, tmp_path / "undisturbed"))
    expected, workshop.losses = workshop.losses, []
    made = worker(settings)
    made.study.ask()  # as a worker leaves it that is killed here
    work(made)
    assert [t.state.name for t in trials(made)] == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert workshop.losses == expected


def test_no_one_begins_a_trial_too_many_from_another_folder(worker, workshop, monkeypatch):
    """Between counting and asking, others began enough; no lock is shared."""
    made = worker({"tune.trials": 2, "tune.rungs": 1})
    ask = made.study.ask

    def late():
        for _ in range(2):
            begun = ask()
            made.study._storage.set_trial_user_attr(begun._trial_id, "owner", ["far", 1, 9e9])
        monkeypatch.undo()
        return ask()

    monkeypatch.setattr(made.study, "ask", late)
    assert search._ask(made) is None
    assert [t.state.name for t in trials(made)] == ["RUNNING", "RUNNING", "FAIL"]


def test_a_worker_is_dead_when_its_process_is_gone_or_its_number_is_anothers():
    import psutil

    here, began = search.socket.gethostname(), psutil.Process().create_time()
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not search._is_dead(here, gone.pid, 9e9)
    gone.kill()
    while psutil.Process(gone.pid).status() != psutil.STATUS_ZOMBIE:
        search.time.sleep(0.01)
    assert search._is_dead(here, gone.pid, 9e9)
    gone.communicate()
    assert search._is_dead(here, gone.pid, 9e9)
    assert not search._is_dead(here, os.getppid(), 9e9)
    assert search._is_dead(here, os.getppid(), began - 1e8)  # said before that process began
    now = search.time.time()
    assert not search._is_dead("elsewhere", 1, now - 100)
    assert search._is_dead("elsewhere", 1, now - 130)


def test_a_living_worker_says_so_while_it_trains(worker, workshop, monkeypatch):
    monkeypatch.setattr(search, "BEAT_S", 0.02)
    beats = []

    def score(_loss, _step):
        own = made.study.get_trials()[0]
        beats.append(own.user_attrs["owner"][2])
        search.time.sleep(0.2)
        return [1.0, 1.0]

    workshop.score = score
    made = worker({"tune.trials": 1, "tune.steps": 2, "tune.rungs": 2, "tune.keep": 1.0})
    monkeypatch.setattr(search, "_survives", lambda *_: score("", 0) is not None)
    work(made)
    assert beats[0] < beats[1] < beats[2]


NEXT = """
import sys
from pathlib import Path
from acutance.study.tune import search
from acutance.study.tune.question import make_tuning
from acutance.study.tune.search import Worker, open_study
import json
tuning = make_tuning([("test", json.loads(sys.argv[1]))])
folder = Path(sys.argv[2])
worker = Worker(tuning, folder, open_study(tuning.search, folder), None, None, None)
print(search._ask(worker).params["w"].hex())
"""


@pytest.mark.slow
def test_two_fresh_processes_give_the_same_next_weights(worker, workshop, tmp_path):
    import shutil

    settings = {"tune.loss": "l1 + w*mse", "tune.ranges": {"w": "0.01..1:log"}}
    settings |= {"tune.objective": ["psnr", "ssim"], "tune.trials": 20, "tune.rungs": 1}
    settings |= {"data.photos": ["procedural:4"], "tune.steps": 4}
    work(worker({**settings, "tune.trials": 12}, tmp_path / "a"))
    told = []
    for name in ("b", "c"):
        shutil.copytree(tmp_path / "a", tmp_path / name)
        line = [sys.executable, "-c", NEXT, json.dumps(settings), str(tmp_path / name)]
        told.append(subprocess.run(line, capture_output=True, text=True, timeout=120))
    assert told[0].returncode == 0, told[0].stderr
    assert told[0].stdout == told[1].stdout


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "Could not parse"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/none", "onnection refused"),
        ("oracle://me:secret@127.0.0.1/none", "oracledb"),
    ],
)
def test_a_storage_that_cannot_be_used_is_told_without_its_password(
    small_search, tmp_path, url, reason
):
    tuning = small_search({"tune.storage": url})
    with pytest.raises(InputError) as caught:
        open_study(tuning.search, tmp_path)
    text = str(caught.value)
    assert text.startswith(f"The storage '{url.replace('secret', '***')}' cannot be used: ")
    assert reason in text
    assert "secret" not in text
    assert "\n" not in text


def test_a_driver_that_is_missing_names_the_extra(small_search, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    tuning = small_search({"tune.storage": "postgresql+psycopg://127.0.0.1/none"})
    with pytest.raises(InputError, match=r"pip install 'acutance\[postgresql\]'"):
        open_study(tuning.search, tmp_path)


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")  # a command's end does
def test_another_search_of_the_same_name_in_a_database_is_refused(small_search, tmp_path):
    asked = small_search({"tune.storage": f"sqlite:///{tmp_path}/shared.db"}).search
    open_study(asked, tmp_path / "a" / "tune")
    open_study(replace(asked, trials=7), tmp_path / "b" / "tune")  # longer is no other
    with pytest.raises(InputError) as caught:
        open_study(replace(asked, loss="mse + w*l1"), tmp_path / "c" / "tune")
    assert str(caught.value) == (
        "The storage holds another search named acutance-tune:\n"
        "  loss: 'l1 + w*mse' there, 'mse + w*l1' now\n"
        "Give --run another name."
    )
    open_study(replace(asked, loss="mse + w*l1"), tmp_path / "c" / "tune2")
    del caught
    gc.collect()
