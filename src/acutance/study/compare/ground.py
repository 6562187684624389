"""What a study settles before its first run, once, and keeps: pictures, pace, and the steps."""

import os
import shlex
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from acutance.data.degradations.chain import degrade
from acutance.data.degradations.expression import Chain
from acutance.data.folders import photo_paths
from acutance.errors import InputError
from acutance.evaluation.degraded import Degraded, degraded_by
from acutance.evaluation.protocols import find_protocol
from acutance.evaluation.scoring import check_sets
from acutance.evaluation.sets import find_sets
from acutance.storage import write_atomically
from acutance.study.claims import claim
from acutance.study.compare.question import (
    RECORD,
    Study,
    differences,
    make_study,
    read_study,
)
from acutance.study.compare.runs import Run, list_runs
from acutance.training.display import Display, Silent
from acutance.training.pictures import Pictures, gather
from acutance.training.plan import make_plan, time_run
from acutance.training.recipe import Recipe
from acutance.training.record import Plan, versions
from acutance.training.setup import build_job, channels_of


@dataclass(frozen=True)
class Ground:
    """What all runs stand on."""

    asked: Study
    study: Study  # the same with threads and precision as they were settled
    pictures: Pictures
    steps: dict[str, dict[int, int]]  # of each loss for each budget
    step_s: dict[str, float]  # seconds of a step of each loss, as timed before the first run


def settle(study: Study, folder: Path, *, jobs: int, display: Display) -> Ground:
    """Check everything that can be checked before training, and settle what is open.

    Raises InputError for a test set that cannot be read, an arm that cannot be trained, or a
    folder that holds another study.
    """
    old = read_record(folder)
    if old is not None:
        _check_same(old, study, folder)
    _check_sets(study, old)
    pictures = gather(study.recipe, folder, display)
    with claim(folder, wait=True):  # of processes that begin at once, one settles
        return _settled(study, folder, pictures, jobs=jobs)


def _settled(study: Study, folder: Path, pictures: Pictures, *, jobs: int) -> Ground:
    """Plan, pace and steps: those of the study's file, and what it does not have yet."""
    old = read_record(folder)
    if old is not None:
        _check_same(old, study, folder)
    plan = _plan(study, pictures, old, jobs=jobs)
    recipe = study.recipe
    machine = replace(recipe.machine, threads=plan.threads, precision=plan.precision)
    settled = Study(study.question, replace(recipe, machine=machine))
    _check_arms(settled, plan, pictures)
    step_s: dict[str, float] = dict(old["step_s"]) if old is not None else {}
    for loss in study.question.losses:
        if loss not in step_s:
            trial = settled.recipe_of(loss, study.question.steps[0], 0)
            step_s[loss] = time_run(trial, plan, pictures)
    ground = Ground(study, settled, pictures, _steps(study, step_s), step_s)
    _write_record(folder, plan, ground, old)
    return ground


def read_record(folder: Path) -> dict[str, Any] | None:
    """The file of the study in `folder`: what it asks and what was settled; None for a new one."""
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}. Choose another --run.") from error
    tables = ("study", "recipe", "plan", "step_s", "versions")
    missing = [name for name in tables if not isinstance(record.get(name), dict)]
    if missing:
        raise InputError(
            f"{path} is not a study that was begun there: it has no [{'], ['.join(missing)}]. "
            "Choose another --run."
        )
    try:
        Plan(**record["plan"])
        _ = [record["step_s"][loss] for loss in record["study"]["losses"]]
    except (TypeError, KeyError) as error:
        raise InputError(f"{path} is damaged ({error}). Choose another --run.") from error
    return record


def recorded(folder: Path) -> tuple[Study, list[Run]]:
    """The study that `folder` holds, and its runs. Raises InputError where there is none."""
    record = read_record(folder)
    if record is None:
        raise InputError(f"{folder} holds no study: it has no {RECORD}.")
    study = make_study([(str(folder / RECORD), read_study(folder / RECORD))])
    return study, list_runs(study, _steps(study, record["step_s"]), folder)


def _check_sets(study: Study, old: Mapping[str, Any] | None) -> None:
    """Test pictures are several, new to the networks, and such that every metric can be had."""
    question, recipe = study.question, study.recipe
    folders = [Path(folder) for folder in question.test]
    pictures = [path for found in find_sets(folders) for path in found.pictures]
    trained = {path.resolve() for path in photo_paths(recipe.data.photos)}
    for path in pictures:
        if path.resolve() in trained:
            raise InputError(
                f"{path} is both a test picture and one to learn from, so it would tell what was "
                "learned by heart. Leave it out of one of the two."
            )
    if len(pictures) < 2:
        raise InputError(
            "One test picture says nothing about others. Name --test folders with more; Set5, "
            "Set14 and B100 are what papers use."
        )
    if recipe.network.scale == 1 and not recipe.data.degrade:
        raise InputError(
            "At x1 the test pictures are degraded before they are shown, and with data.lr it is "
            "not known how. Say it by --set data.degrade=..., in place of data.lr."
        )
    keys = ("test", "metrics", "protocol")
    asked = study.to_tables()["study"]
    if old is None or any(old["study"].get(key) != asked[key] for key in keys):
        check_sets(
            folders,
            scale=recipe.network.scale,
            protocol=question.protocol,
            metrics=question.metrics,
            degraded=_degraded(recipe),
        )


def _degraded(recipe: Recipe) -> Degraded | None:
    """What makes lr of the test pictures: a chain, or, till one has learned, bicubic for an F."""
    if recipe.network.shrink:
        return Degraded("an F that learns", partial(degrade, chain=Chain(())))
    return degraded_by(recipe.data.degrade) if recipe.data.degrade else None


def _check_same(old: Mapping[str, Any], study: Study, folder: Path) -> None:
    lines = differences(old, study.to_tables())
    if lines:
        raise InputError(
            f"{folder} holds a study of other runs:\n"
            + "\n".join(lines)
            + "\nGive the same command to continue it, or another --run for a new one."
        )


def _plan(study: Study, pictures: Pictures, old: Mapping[str, Any] | None, *, jobs: int) -> Plan:
    """Threads, precision and the rest, by timing the first loss; or as they were settled."""
    if old is not None:
        plan = Plan(**old["plan"])
        if plan.fingerprint != pictures.fingerprint():
            raise InputError(
                "The training pictures have changed since the study began. Put them back to "
                "continue it, or give another --run to begin anew."
            )
        return plan
    recipe = study.recipe_of(study.question.losses[0], study.question.steps[0], 0)
    machine = recipe.machine
    if jobs > 1 and machine.threads == "auto":
        machine = replace(machine, threads=max(1, (os.cpu_count() or 1) // jobs))
    recipe = replace(recipe, machine=machine)
    return make_plan(recipe, pictures, began=time.monotonic(), display=Silent())


def _check_arms(study: Study, plan: Plan, pictures: Pictures) -> None:
    """Build every arm once: what cannot be built is told before anything is trained."""
    for number, loss in enumerate(study.question.losses, start=1):
        try:
            job = build_job(study.recipe_of(loss, 1, 0), plan, pictures, folder=Path())
        except InputError as error:
            raise InputError(f"Arm {number}, '{loss}', cannot be trained: {error}") from error
        protocol = study.question.protocol
        luma_alone = find_protocol(protocol).enlarges_luma
        if luma_alone and study.recipe.network.shrink:
            raise InputError(f"{protocol} is of lr by bicubic, not by an F that learns. Use y@1.")
        if luma_alone and channels_of(job.bare) > 1:
            raise InputError(
                f"{protocol} enlarges luma alone, which {study.recipe.network.name} cannot. "
                "Use --protocol y@1, or --set network.color=luma."
            )


def _steps(study: Study, step_s: Mapping[str, float]) -> dict[str, dict[int, int]]:
    question = study.question
    first = step_s[question.losses[0]]
    slower = {
        loss: step_s[loss] / first if question.equal == "time" else 1.0 for loss in question.losses
    }
    return {
        loss: {budget: max(1, round(budget / slower[loss])) for budget in question.steps}
        for loss in question.losses
    }


def _write_record(folder: Path, plan: Plan, ground: Ground, old: Mapping[str, Any] | None) -> None:
    """Write study.toml; a process that joins a study as it is leaves it as it is."""
    found = {**ground.asked.to_tables(), "plan": asdict(plan), "step_s": ground.step_s}
    if old is not None and all(old[key] == value for key, value in found.items()):
        return
    command = shlex.join(["acutance", *sys.argv[1:]])
    record = {"command": command, **found, "versions": versions()}
    write_atomically(folder / RECORD, tomli_w.dumps(record))
