"""The search: workers ask for weights and tell what they gave, on a storage that they share."""

import os
import re
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from acutance.errors import InputError, MissingPackageError, RunError
from acutance.study.claims import claim
from acutance.study.tune.front import higher_is_better, ranks
from acutance.study.tune.question import Search, Tuning
from acutance.study.tune.trial import Halts, Judges, run_trial
from acutance.training.display import Display
from acutance.training.pictures import Pictures
from acutance.training.record import differences

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

NAME = "acutance"  # of the study in a storage
JOURNAL = "trials.journal"
BEAT_S = 20.0  # a living worker says so as often
DEAD_S = 120.0  # without a word for so long, a worker elsewhere counts as dead
POLL_S = 1.0
SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {  # the class in Optuna, and what we set of it
    "tpe": (
        "TPESampler",
        {"multivariate": True, "n_startup_trials": 10, "constant_liar": True},
    ),
    "nsga2": ("NSGAIISampler", {"population_size": 20}),
    "gp": ("GPSampler", {"n_startup_trials": 10}),
    "qmc": ("QMCSampler", {"qmc_type": "sobol", "scramble": True}),
    "random": ("RandomSampler", {}),
}


@dataclass(frozen=True)
class Worker:
    """What one process searches with."""

    tuning: Tuning
    folder: Path
    study: "Study"
    pictures: Pictures
    judge: Judges
    display: Display

    def place(self, number: int) -> Path:
        """The run folder of a trial."""
        return self.folder / "trials" / f"{number:04d}"


def open_study(search: Search, folder: Path) -> "Study":
    """The shared study: a journal file in `folder`, or what the URL of `storage` names.

    Raises InputError for a storage that cannot be used, and for one that holds another search.
    """
    optuna = _optuna()
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions = ["maximize" if up else "minimize" for up in higher_is_better(search.objective)]
    name = NAME if not search.storage else f"{NAME}-{folder.resolve().name}"
    try:
        study = optuna.create_study(
            storage=_storage(search, folder),
            study_name=name,
            directions=directions,
            load_if_exists=True,
        )
        old = study.user_attrs.get("asked")
    except (ValueError, ImportError, KeyError, SQLAlchemyError, optuna.exceptions.OptunaError) as e:
        where = _without_password(search.storage) or str(folder / JOURNAL)
        raise InputError(f"The storage '{where}' cannot be used: {_reason(e)}") from e
    lines = differences(old, search.lasting()) if old is not None else []
    if lines:
        raise InputError(
            f"The storage holds another search named {name}:\n"
            + "\n".join(lines)
            + "\nGive --run another name."
        )
    study.set_user_attr("asked", search.lasting())
    return study


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def _reason(error: Exception) -> str:
    """What a database or its driver says, on one line."""
    if isinstance(error.__cause__, ImportError):
        package = str(error.__cause__.name)
        wanted = "acutance[postgresql]" if package == "psycopg" else package
        return f"{package} is not installed. Install it by: pip install '{wanted}'"
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _storage(search: Search, folder: Path) -> Any:
    if search.storage:
        return search.storage
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / JOURNAL)
    # Optuna's own choice is a symbolic link, which Windows lets few people make
    lock = JournalFileOpenLock(path) if os.name == "nt" else None
    return JournalStorage(JournalFileBackend(path, lock_obj=lock))


def work(worker: Worker) -> None:
    """Carry out trials until there are as many as asked for; dead workers' trials are taken up."""
    while open_trials(worker):
        if not try_one(worker):
            time.sleep(POLL_S)


def open_trials(worker: Worker) -> int:
    """How many of the trials that were asked for are not over."""
    asked = worker.tuning.search.trials
    live = _live(worker.study.get_trials(deepcopy=False))
    done = sum(trial.state.is_finished() for trial in live)
    worker.display.phase("trials", done, asked)
    return max(0, asked - done)


def try_one(worker: Worker) -> bool:
    """Carry out one trial, a dead worker's first; whether there was one to be had."""
    live = _live(worker.study.get_trials(deepcopy=False))
    if _take_up(worker, [t for t in live if not t.state.is_finished()]):
        return True
    if len(live) < worker.tuning.search.trials:
        _begin(worker)
        return True
    return False


def _live(trials: Sequence["FrozenTrial"]) -> list["FrozenTrial"]:
    """Those that count: without the ones that were given up before they began."""
    return [t for t in trials if t.state.name != "FAIL" or "fault" in t.user_attrs]


def _begin(worker: Worker) -> None:
    """Ask for the next weights and try them."""
    with claim(worker.folder / "trials", wait=True):  # in one folder one worker asks at a time
        live = _live(worker.study.get_trials(deepcopy=False))
        trial = _ask(worker) if len(live) < worker.tuning.search.trials else None
    if trial is not None:
        with claim(worker.place(trial.number)) as mine:
            if mine:
                _carry_out(worker, trial)


def _ask(worker: Worker) -> "FrozenTrial | None":
    """A new trial with its weights and our name on it; None where others have begun enough.

    The sampler is made afresh from the seed and the number of trials before, so that what it
    gives depends on what is in the storage alone, and not on how long this process has lived.
    """
    optuna, study, tuning = _optuna(), worker.study, worker.tuning
    begun = study.ask()
    before = len(_live(study.get_trials(deepcopy=False)[: begun.number]))
    if before >= tuning.search.trials:
        _tell(worker, begun.number, None)
        return None
    study.sampler = make_sampler(tuning, before)
    trial = optuna.Trial(study, begun._trial_id)  # anew, for this sampler
    for knob in tuning.space.knobs:
        trial.suggest_float(knob.name, knob.low, knob.high, log=knob.log)
    _noter(worker, begun._trial_id)("loss", tuning.space.loss_at(trial.params))
    return study.get_trials(deepcopy=False)[trial.number]


def _take_up(worker: Worker, running: Sequence["FrozenTrial"]) -> bool:
    """Go on with a trial whose worker is dead, if there is one."""
    for trial in running:
        if "owner" not in trial.user_attrs:
            if _give_up(worker, trial.number):
                return True
        elif _is_dead(*trial.user_attrs["owner"]):
            with claim(worker.place(trial.number)) as mine:
                now = worker.study.get_trials(deepcopy=False)[trial.number]
                if mine and not now.state.is_finished():
                    _carry_out(worker, now)
                    return True
    return False


def _give_up(worker: Worker, number: int) -> bool:
    """End a trial whose worker died while it asked for weights; whether it was so.

    In one folder the claim says whether somebody still asks; elsewhere only silence does.
    """
    with claim(worker.folder / "trials") as mine:
        trial = worker.study.get_trials(deepcopy=False)[number]
        if not mine or trial.state.is_finished() or "owner" in trial.user_attrs:
            return False
        start = trial.datetime_start
        silent_s = time.time() - start.timestamp() if start is not None else DEAD_S
        if worker.tuning.search.storage and silent_s < DEAD_S:
            return False
        _tell(worker, number, None)
        return True


def _is_dead(host: str, pid: int, beat: float) -> bool:
    """Whether nobody works on it: its process is gone, or one elsewhere has long been silent."""
    if host != socket.gethostname():
        return time.time() - beat > DEAD_S
    import psutil

    try:
        process = psutil.Process(pid)
        killed = process.status() == psutil.STATUS_ZOMBIE  # and its parent has not looked yet
        return killed or pid == os.getpid() or process.create_time() > beat  # or is another one
    except psutil.NoSuchProcess:
        return True


def _carry_out(worker: Worker, trial: "FrozenTrial") -> None:
    """Train and score one trial, and tell the storage."""
    tuning, number = worker.tuning, trial.number
    note = _noter(worker, trial._trial_id)
    note("owner", _owner())
    known = {int(k[3:]): v for k, v in trial.user_attrs.items() if k.startswith("at ")}

    def goes_on(step: int, values: list[float]) -> bool:
        if step not in known:
            note(f"at {step}", values)
        return step == tuning.stops[-1] or _survives(worker, number, step, values)

    values: list[float] | None = None
    fault = ""
    loss = trial.user_attrs["loss"]
    try:
        with _beating(note):
            values = run_trial(
                tuning.recipe_of(loss, seed=tuning.recipe.seed, steps=tuning.search.steps),
                worker.place(number),
                pictures=worker.pictures,
                judge=worker.judge,
                halts=Halts(tuning.stops, known, goes_on),
            )
    except (InputError, RunError) as error:
        fault = str(error)
    if values is not None and not np.isfinite(values).all():
        values, fault = None, f"its scores are {values}"
    if fault:
        note("fault", fault)
        worker.display.note(f"trial {number}, {loss}, failed: {fault}")
    _tell(worker, number, values)


@contextmanager
def _beating(note: Callable[[str, Any], None]) -> Iterator[None]:
    """Say every 20 s that this process lives, for workers that cannot see it."""
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT_S):
            note("owner", _owner())

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _owner() -> list[Any]:
    return [socket.gethostname(), os.getpid(), time.time()]


def _noter(worker: Worker, trial_id: int) -> Callable[[str, Any], None]:
    """Write something of a trial into the storage, and with it that this process lives."""
    from optuna.exceptions import UpdateFinishedTrialError

    def note(name: str, value: Any) -> None:
        with suppress(UpdateFinishedTrialError):  # another worker took us for dead and ended it
            for key, said in {name: value, "owner": _owner()}.items():
                worker.study._storage.set_trial_user_attr(trial_id, key, said)

    return note


def _survives(worker: Worker, number: int, step: int, values: list[float]) -> bool:
    """Whether a trial is among the best at this halt, by non-domination rank.

    Of the trials that came to this halt before it, and itself, the better share of `keep` goes
    on; equal ranks stand by their order. Source: Li et al.: ASHA (MLSys 2020), with the rank of
    several objectives in place of one.
    """
    search = worker.tuning.search
    others = [
        trial.user_attrs[f"at {step}"]
        for trial in worker.study.get_trials(deepcopy=False)
        if trial.number < number and f"at {step}" in trial.user_attrs
    ]
    table = np.array([*others, values])
    rank = ranks(table, search.objective)
    better = int((rank < rank[-1]).sum())
    return better < search.keep * len(table)


def _tell(worker: Worker, number: int, values: list[float] | None) -> None:
    """Finish a trial; another worker may have done so."""
    from optuna.trial import TrialState

    state = TrialState.FAIL if values is None else TrialState.COMPLETE
    worker.study.tell(number, values, state=state, skip_if_finished=True)


def make_sampler(tuning: Tuning, index: int) -> "BaseSampler":
    """The sampler of the trial that has `index` trials before it."""
    optuna, kind = _optuna(), tuning.search.sampler
    name, settings = SAMPLERS[kind]
    own = tuning.search.seed * 100_003 + index
    if kind != "qmc":
        return getattr(optuna.samplers, name)(seed=own, **settings)
    beside = optuna.samplers.RandomSampler(seed=own)  # for trials that are begun at once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.QMCSampler(
            seed=tuning.search.seed, independent_sampler=beside, **settings
        )


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingPackageError("optuna", "tune", "Searching for weights") from error
    return optuna
