"""What a search found: the front, run again with fresh seeds, its area, and named picks."""

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from acutance.errors import RunError
from acutance.storage import write_atomically
from acutance.study.claims import claim
from acutance.study.statistics import PairedResult, compare_paired
from acutance.study.tune.found import REPORT, Found, Member, Tried
from acutance.study.tune.front import (
    higher_is_better,
    hypervolume,
    picks,
    ranks,
    spread_along,
)
from acutance.study.tune.page import write_page
from acutance.study.tune.question import Search, Tuning
from acutance.study.tune.search import Worker
from acutance.study.tune.trial import run_trial_table

RESULTS = "results.json"


def tried(worker: Worker) -> tuple[list[Tried], list[int]]:
    """Finished trials by their number, and the numbers of those that failed."""
    done: list[Tried] = []
    failed: list[int] = []
    for trial in worker.study.get_trials(deepcopy=False):
        attrs = trial.user_attrs
        if trial.state.name == "COMPLETE":
            halts = [int(name[3:]) for name in attrs if name.startswith("at ")]
            done.append(
                Tried(trial.number, attrs["loss"], trial.params, tuple(trial.values), max(halts))
            )
        elif "fault" in attrs:
            failed.append(trial.number)
    return done, failed


def conclude(worker: Worker) -> Found:
    """Take the front of all trials, run its members again, and name the picks."""
    tuning = worker.tuning
    objective = tuning.search.objective
    trials, failed = tried(worker)
    whole, front = whole_and_front(worker)
    table = np.array([t.values for t in whole])
    start = worker.judge.start(tuning.recipe, worker.pictures)
    reference = _worst(table, objective)
    return Found(
        tuning,
        tuple(start.mean(axis=0).tolist()),
        tuple(trials),
        tuple(failed),
        tuple(reference.tolist()),
        tuple(_areas(trials, tuning, reference)),
        _importance(worker),
        tuple(_members(worker, front, start)),
    )


def whole_and_front(worker: Worker) -> tuple[list[Tried], list[Tried]]:
    """Trials that came to their end, and those of them that no other beats, by their values."""
    trials, failed = tried(worker)
    whole = [t for t in trials if t.steps == worker.tuning.stops[-1]]
    if not whole:
        raise RunError(
            f"No trial of {worker.folder} came to its end; {len(failed)} failed. The logs in "
            "trials/ say why."
        )
    place = ranks(np.array([t.values for t in whole]), worker.tuning.search.objective)
    front = [trial for trial, rank in zip(whole, place, strict=True) if rank == 0]
    return whole, sorted(front, key=lambda trial: trial.values)


def chosen_of(front: Sequence[Tried], search: Search) -> tuple[dict[str, int], list[int]]:
    """The named picks, and which members of the front are run again, by their places on it."""
    values = np.array([trial.values for trial in front])
    named = picks(values, search.objective)
    return named, list(spread_along(values, search.front, tuple(named.values())))


def _worst(table: np.ndarray, objective: Sequence[str]) -> np.ndarray:
    up = np.array(higher_is_better(objective))
    return np.where(up, table.min(axis=0), table.max(axis=0))


def _areas(trials: Sequence[Tried], tuning: Tuning, reference: np.ndarray) -> list[float]:
    """The hypervolume of the whole trials among the first 1, 2, 3 ... of all."""
    rows: list[tuple[float, ...]] = []
    areas = []
    for trial in trials:
        if trial.steps == tuning.stops[-1]:
            rows.append(trial.values)
        areas.append(hypervolume(np.array(rows), reference, tuning.search.objective))
    return areas


def _importance(worker: Worker) -> dict[str, dict[str, float]]:
    """How much each knob decides whether a metric is good; {} where too few trials can tell.

    PED-ANOVA looks at what leads to low values, so what should be high is turned round. Source:
    Watanabe, Bansal, Hutter: PED-ANOVA (IJCAI 2023).
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    objective = worker.tuning.search.objective
    found: dict[str, dict[str, float]] = {}
    for k, (metric, up) in enumerate(zip(objective, higher_is_better(objective), strict=True)):
        sign = -1.0 if up else 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that low values are what it looks at
            try:
                shares = get_param_importances(
                    worker.study,
                    evaluator=PedAnovaImportanceEvaluator(),
                    target=lambda trial, k=k, sign=sign: sign * trial.values[k],
                )
            except (ValueError, RuntimeError):
                shares = {}
        found[metric] = {name: float(share) for name, share in shares.items()}
    return found


def _members(worker: Worker, front: Sequence[Tried], start: np.ndarray) -> list[Member]:
    """The front from end to end; some of it with the means of fresh seeds."""
    search = worker.tuning.search
    named, chosen = chosen_of(front, search)
    again = {k: _again(worker, front[k]) for k in chosen}
    means = np.array([again[k].mean(axis=(0, 1)) for k in chosen])
    holds = dict(zip(chosen, ranks(means, search.objective) == 0, strict=True))
    return [
        Member(
            trial,
            tuple(name for name, member in named.items() if member == k),
            tuple(_gains(again[k], start)) if k in again else (),
            tuple(again[k].mean(axis=(0, 1)).tolist()) if k in again else (),
            bool(holds.get(k, False)),
        )
        for k, trial in enumerate(front)
    ]


def _gains(table: np.ndarray, start: np.ndarray) -> list[PairedResult]:
    """Each metric of (seeds, pictures, metrics) less that of the start (pictures, metrics)."""
    return [
        compare_paired(table[:, :, k] - start[None, :, k], seed=0) for k in range(table.shape[2])
    ]


def _again(worker: Worker, trial: Tried) -> np.ndarray:
    """(seeds, pictures, metrics) of a member of the front under seeds that it was not chosen by."""
    tuning = worker.tuning
    tables = []
    for count, seed in enumerate(fresh_seeds(tuning)):
        worker.display.phase(f"trial {trial.number} again", count, tuning.search.again)
        tables.append(fresh(worker, trial, seed))
    return np.array(tables)


def fresh_seeds(tuning: Tuning) -> range:
    """Seeds that no trial was trained with."""
    return range(tuning.recipe.seed + 1, tuning.recipe.seed + 1 + tuning.search.again)


def fresh(worker: Worker, trial: Tried, seed: int) -> np.ndarray:
    """(pictures, metrics) of one fresh run; kept, and read back where it was made before."""
    loss, folder = trial.loss, worker.folder / "again" / f"{trial.number:04d}" / f"seed-{seed}"
    kept = folder / "scores.json"
    while not kept.exists():
        with claim(folder) as mine:
            if mine and not kept.exists():
                recipe = worker.tuning.recipe_of(loss, seed=seed, steps=worker.tuning.search.steps)
                table = run_trial_table(
                    recipe, folder / "run", pictures=worker.pictures, judge=worker.judge
                )
                write_atomically(kept, json.dumps(table.tolist()) + "\n")
        if not kept.exists():
            time.sleep(1.0)  # another process is at it
    return np.array(json.loads(kept.read_text(encoding="utf-8")))


def to_json(found: Found) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        **found.tuning.to_tables(),
        "space": [asdict(knob) for knob in found.tuning.space.knobs],
        "start": found.start,
        "trials": [asdict(trial) for trial in found.trials],
        "failed": found.failed,
        "reference": found.reference,
        "hypervolume": found.area,
        "importance": found.importance,
        "front": [asdict(member) for member in found.front],
    }


def write_found(folder: Path, found: Found, record: Mapping[str, Any]) -> None:
    """Write results.json and report.html. `record` is what was settled when the search began."""
    write_atomically(folder / RESULTS, json.dumps(to_json(found), indent=1) + "\n")
    write_page(folder / REPORT, found, record)
