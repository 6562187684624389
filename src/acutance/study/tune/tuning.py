"""The public verb: search for weights, and train with what was found."""

import json
import shlex
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from acutance.cluster import open_cluster
from acutance.errors import InputError, MissingPackageError
from acutance.storage import write_atomically
from acutance.study.claims import claim
from acutance.study.settings import QUIET
from acutance.study.tune.question import FREE_TO_CHANGE, RECORD, Tuning, make_tuning, read_tuning
from acutance.training.recipe import absolute, plain_settings
from acutance.training.record import Plan, versions
from acutance.training.record import differences as recipe_differences
from acutance.training.start import require_training

if TYPE_CHECKING:
    from acutance.study.tune.found import Found
    from acutance.study.tune.search import Worker
    from acutance.training.display import Display
    from acutance.training.finish import Outcome
    from acutance.training.pictures import Pictures

NEEDED = ("optuna", "moocore", "scipy", "filelock")


def tune(
    photos: Sequence[str | Path],
    loss: str,
    run: str | Path,
    *,
    ranges: Mapping[str, str],
    settings: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> "Found":
    """Search for the free weights of `loss`, such as "l1 + w*fft", within `ranges`.

    ranges: {"w": "0.01..1:log"}. settings: anything else by its name, of the search
    ("tune.trials": 40, "tune.objective": ["psnr", "lpips"]) or of the trials ("network.start":
    "runs/a"). The same call continues a search that was cut short. Raises InputError for wrong
    input, before anything is trained.
    """
    named = {
        "tune.loss": loss,
        "tune.ranges": dict(ranges),
        "data.photos": [absolute(str(photo)) for photo in photos],
    }
    tuning = make_tuning([("arguments", named), ("settings", settings or {})])
    return carry_out(tuning, Path(run), quiet=quiet)


def carry_out(tuning: Tuning, folder: Path, *, quiet: bool = False, cluster: str = "") -> "Found":
    """Carry out a search in `folder`, with whoever else gives the same command, and conclude.

    cluster: "auto" or "ray://HOST:PORT", to put each trial on a node of that Ray cluster; all its
    nodes see `folder`.
    """
    folder = folder.resolve() if cluster else folder
    require_tuning()
    from acutance.study.tune.outcome import conclude, write_found
    from acutance.training.display import make_display

    with closing(make_display(quiet)) as display:
        worker = _placed(tuning, folder, display, cluster) if cluster else None
        found = conclude(worker or search(tuning, folder, display))
        write_found(folder, found, read_record(folder) or {})
        return found


def _placed(tuning: Tuning, folder: Path, display: "Display", cluster: str) -> "Worker":
    """All trials, and the runs again of their front, on a cluster."""
    from acutance.study.tune.placed import run_again, work_placed

    with open_cluster(cluster) as executor:
        worker = open_worker(tuning, folder, display)
        work_placed(worker, executor)
        run_again(worker, executor)
    return worker


def search(tuning: Tuning, folder: Path, display: "Display") -> "Worker":
    """Carry out all trials, and nothing beyond; the worker knows what they gave."""
    from acutance.study.tune.search import work

    worker = open_worker(tuning, folder, display)
    work(worker)
    return worker


def open_worker(tuning: Tuning, folder: Path, display: "Display") -> "Worker":
    """Settle what is open, and make ready to search."""
    from acutance.evaluation.judging import open_metrics
    from acutance.evaluation.protocols import find_protocol
    from acutance.study.tune.search import Worker, open_study
    from acutance.study.tune.trial import Judges

    rule = find_protocol(tuning.search.protocol)
    judge = Judges(open_metrics(tuning.search.objective, rule), rule)
    with claim(folder, wait=True):  # of processes that begin at once, one settles
        settled, pictures = _settle(tuning, folder, display)
        study = open_study(settled.search, folder)
    return Worker(settled, folder, study, pictures, judge, display)


def require_tuning() -> None:
    """Raise MissingPackageError if what searches is not installed."""
    require_training()
    for package in NEEDED:
        try:
            import_module(package)
        except ImportError as error:
            raise MissingPackageError(package, "tune", "Searching for weights") from error


def _settle(tuning: Tuning, folder: Path, display: "Display") -> "tuple[Tuning, Pictures]":
    """Threads and precision as they were settled when the search began, or by timing now."""
    from acutance.training.display import Silent
    from acutance.training.pictures import gather
    from acutance.training.plan import make_plan
    from acutance.training.setup import build_job

    old = read_record(folder)
    if old is not None:
        _check_same(old, tuning, folder)
    pictures = gather(tuning.recipe, folder, display)
    middle = {knob.name: knob.at(0.5) for knob in tuning.space.knobs}
    first = tuning.recipe_of(tuning.space.loss_at(middle), seed=0, steps=tuning.search.steps)
    plan = _known_plan(old, pictures) or make_plan(
        first, pictures, began=time.monotonic(), display=Silent()
    )
    build_job(first, plan, pictures, folder=Path())  # what cannot be built is told now
    if old is None:
        command = shlex.join(["acutance", *sys.argv[1:]])
        record = {"command": command, **tuning.to_tables(), "plan": asdict(plan)}
        write_atomically(folder / RECORD, tomli_w.dumps({**record, "versions": versions()}))
    machine = replace(tuning.recipe.machine, threads=plan.threads, precision=plan.precision)
    return Tuning(tuning.search, replace(tuning.recipe, machine=machine)), pictures


def _known_plan(old: Mapping[str, Any] | None, pictures: "Pictures") -> Plan | None:
    if old is None:
        return None
    plan = Plan(**old["plan"])
    if plan.fingerprint != pictures.fingerprint():
        raise InputError(
            "The training pictures have changed since the search began. Put them back to "
            "continue it, or give another --run to begin anew."
        )
    return plan


def read_record(folder: Path) -> dict[str, Any] | None:
    """The file of the search in `folder`, or None for a new one."""
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
        Plan(**record["plan"])
        for table in ("tune", "recipe"):
            if not isinstance(record[table], dict):
                raise TypeError(f"{table} is no table")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}). Choose another --run.") from error
    return record


def _check_same(old: Mapping[str, Any], tuning: Tuning, folder: Path) -> None:
    new = tuning.to_tables()
    lines = recipe_differences(plain_settings(old["recipe"]), plain_settings(new["recipe"]))
    asked = [
        {k: v for k, v in tables["tune"].items() if k not in FREE_TO_CHANGE}
        for tables in (old, new)
    ]
    lines += recipe_differences(*asked)
    if lines:
        raise InputError(
            f"{folder} holds another search:\n"
            + "\n".join(lines)
            + "\nGive the same command to continue it, or another --run for a new one."
        )


def apply(folder: Path, pick: str, run: Path, *, minutes: float, quiet: bool = False) -> "Outcome":
    """Train in full, in the folder `run`, with what the search in `folder` found under `pick`.

    pick: "most faithful", "balanced", "sharpest", or a trial's number. Raises InputError for a
    folder without results and for an unknown pick.
    """
    from acutance.training.start import carry_out as train

    loss = loss_of(folder, pick)
    from acutance.training.recipe import make_recipe

    settings = read_tuning(folder / RECORD)
    unseen = QUIET.keys() - {"data.hold_out_seed"}  # what trials leave out for nobody to look at
    shared = {k: v for k, v in settings.items() if k not in unseen and not k.startswith("tune.")}
    full = {"loss.expression": loss, "stop.minutes": minutes}
    recipe, _ = make_recipe([(str(folder), shared), ("command line", full)])
    return train(recipe, run, quiet=quiet)


def loss_of(folder: Path, pick: str) -> str:
    """The loss of a named pick, or of a trial by its number."""
    path = folder / "results.json"
    if not path.exists():
        raise InputError(f"{folder} has no results yet. Finish it by its own command.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {name: m["trial"]["loss"] for m in found["front"] for name in m["names"]}
        known |= {str(trial["number"]): trial["loss"] for trial in found["trials"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged. Give the search's own command again.") from error
    name = pick.replace("-", " ")
    if name not in known:
        names = ", ".join(f"'{n}'" for n in known if not n.isdigit())
        raise InputError(f"{folder} has no pick '{pick}'. It has {names}, and trials by number.")
    return known[name]
