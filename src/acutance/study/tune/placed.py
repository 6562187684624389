"""Carry out the trials of a search on a cluster, each as one task; the storage joins them."""

import time
from pathlib import Path

from acutance.cluster import Executor, Needs, Task, spread
from acutance.errors import InputError, RunError
from acutance.evaluation.judging import open_metrics
from acutance.evaluation.protocols import find_protocol
from acutance.study.nodes import needs_of, pictures_on_node, told
from acutance.study.tune.found import Tried
from acutance.study.tune.outcome import chosen_of, fresh, fresh_seeds, whole_and_front
from acutance.study.tune.question import RECORD, Tuning
from acutance.study.tune.search import POLL_S, Worker, open_study, open_trials, try_one
from acutance.study.tune.trial import Judges
from acutance.study.tune.tuning import read_record
from acutance.training.display import Silent


def work_placed(worker: Worker, executor: Executor) -> None:
    """Carry out trials on nodes until there are as many as were asked for.

    A task asks the storage for weights itself, so that other workers, on nodes or not, may join. A
    lost node's trial is taken up from its last snapshot by the next task.
    """
    needs = _needs(worker)
    if not executor.room(needs):
        worker.display.note(f"no node has {told(needs)} now: waiting for one")
    while left := open_trials(worker):
        one = Task(try_on_node, (worker.tuning, worker.folder), needs=needs)
        begun = False
        for _, found in spread(executor, [one] * left, look=lambda: _show(worker)):
            if isinstance(found, InputError | RunError):
                raise found
            begun = begun or found
        if not begun:  # other workers are at the last ones, or died without a word till now
            time.sleep(POLL_S)


def run_again(worker: Worker, executor: Executor) -> None:
    """Run what is to be run again of the front on nodes; the conclusion finds it made."""
    _, front = whole_and_front(worker)
    _, chosen = chosen_of(front, worker.tuning.search)
    needs = _needs(worker)
    tasks = [
        Task(again_on_node, (worker.tuning, worker.folder, front[k], seed), needs=needs)
        for k in chosen
        for seed in fresh_seeds(worker.tuning)
    ]
    for count, (_, found) in enumerate(spread(executor, tasks), start=1):
        if isinstance(found, InputError | RunError):
            raise found
        worker.display.phase("runs again", count, len(tasks))


def try_on_node(tuning: Tuning, folder: Path) -> bool:
    """On a node: carry out one trial; whether there was one to be had."""
    return try_one(_worker(tuning, folder))


def again_on_node(tuning: Tuning, folder: Path, trial: Tried, seed: int) -> None:
    """On a node: run one member of the front with a fresh seed."""
    fresh(_worker(tuning, folder), trial, seed)


def _needs(worker: Worker) -> Needs:
    record = read_record(worker.folder)
    assert record is not None, "a search is settled before it is handed out"
    return needs_of(worker.tuning.recipe, record["plan"])


def _worker(tuning: Tuning, folder: Path) -> Worker:
    if not (folder / RECORD).exists():
        raise InputError(
            f"{folder}, the folder of the search, is not seen here. Put it where all nodes see it "
            "under this name."
        )
    rule = find_protocol(tuning.search.protocol)
    return Worker(
        tuning,
        folder,
        open_study(tuning.search, folder),
        pictures_on_node(tuning.recipe, folder),
        Judges(open_metrics(tuning.search.objective, rule), rule),
        Silent(),
    )


def _show(worker: Worker) -> None:
    open_trials(worker)
