"""Carry out the runs of a study on a cluster, each as one task; the results are those of here."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from acutance.cluster import Executor, Task, spread
from acutance.errors import InputError, RunError
from acutance.storage import write_atomically
from acutance.study.claims import claim
from acutance.study.compare.ground import Ground
from acutance.study.compare.question import RECORD, Study
from acutance.study.compare.runs import FAILED, Run, attempt, show
from acutance.study.nodes import needs_of, pictures_on_node, told
from acutance.study.store import Mirror, Store, clear
from acutance.training.display import Display, Silent


@dataclass(frozen=True)
class Desk:
    """Where the nodes find a study: in its folder, which all see, or in a store."""

    folder: Path
    store: str = ""  # fsspec URL

    def name_of(self, run: Run) -> str:
        """Of a run in the store."""
        return run.folder.relative_to(self.folder).as_posix()


def carry_out_placed(
    ground: Ground, runs: Sequence[Run], desk: Desk, executor: Executor, display: Display
) -> None:
    """Train and score on the cluster every run that is not; a run that fails is left."""
    question = ground.study.question
    store = Store(desk.store) if desk.store else None
    if store is not None:
        for run in runs:
            _join(store, run, desk.name_of(run), is_done=run.is_done(question))
    left = [run for run in runs if not run.is_done(question)]
    needs = needs_of(ground.study.recipe)
    if left and not executor.room(needs):
        display.note(f"no node has {told(needs)} now: waiting for one")
    tasks = [Task(work_on, (ground.study, run, desk), name=run, needs=needs) for run in left]
    show(runs, display)
    for task, found in spread(executor, tasks, look=lambda: show(runs, display)):
        run = task.name
        assert isinstance(run, Run)
        if store is not None:
            clear(run.folder)
            store.get(desk.name_of(run), run.folder)
        fault = _fault(run, found)
        display.note(f"{run.name} failed: {fault}" if fault else f"{run.name} done")


def _join(store: Store, run: Run, name: str, *, is_done: bool) -> None:
    """What an earlier command left of a run in the store, here or there, is where both look."""
    if not store.has(name):
        store.put(run.folder, name)
    elif not is_done:
        clear(run.folder)
        store.get(name, run.folder)


def work_on(study: Study, run: Run, desk: Desk) -> str:
    """On a node: train and score one run, from where it was left; what went wrong, or nothing."""
    if desk.store:
        return _in_own_folder(study, run, desk)
    if not (desk.folder / RECORD).exists():
        raise InputError(
            f"{desk.folder}, the folder of the study, is not seen here. Put it where all nodes see "
            "it under this name, or name a place that all reach by --store URL."
        )
    with claim(run.folder, wait=True):  # a node that is only slow may still be at it
        if run.is_done(study.question):
            return ""
        return attempt(study, run, pictures_on_node(study.recipe, desk.folder), Silent())


def _in_own_folder(study: Study, run: Run, desk: Desk) -> str:
    place = Path(tempfile.gettempdir()) / f"acutance-{_mark(desk)}"
    own = replace(run, folder=place / run.folder.relative_to(desk.folder))
    store, name = Store(desk.store), desk.name_of(run)
    with claim(own.folder, wait=True):
        clear(own.folder)  # of an earlier try here: another node may have gone further
        store.get(name, own.folder)
        if own.is_done(study.question):
            return ""
        pictures = pictures_on_node(study.recipe, place)
        fault = attempt(study, own, pictures, Mirror(store, own.folder, name))
        store.put(own.folder, name)
        clear(own.folder)
    return fault


def _mark(desk: Desk) -> str:
    return sha256(f"{desk.store} {desk.folder}".encode()).hexdigest()[:12]


def _fault(run: Run, found: object) -> str:
    """What went wrong, written into the folder where no node could do it; or nothing."""
    if not isinstance(found, InputError | RunError):
        return str(found)
    write_atomically(run.folder / FAILED, f"{found}\n")
    return str(found)
