"""The run's folder: the recipe as carried out, one log line an event, and what may be shared."""

import json
import os
import platform
import shlex
import sys
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomli_w

from acutance.errors import InputError, RunError
from acutance.storage import write_atomically
from acutance.training.recipe import Recipe, plain_settings

MOVABLE = ("machine.devices", "machine.nodes")  # a run goes on with another number of them
PACKAGES = ("acutance", "torch", "numpy", "pillow", "lightning-fabric", "schedulefree")


@dataclass(frozen=True)
class Plan:
    """What "auto" became. Written into run.toml and used again by every continuation."""

    steps: int
    threads: int
    precision: str
    device: str
    rate: float
    schedule: str
    ema: float
    patch: int
    log_every: int
    score_every: int
    save_every: int
    step_s: float  # seconds a step took in the trial; 0 where none was needed
    fingerprint: str  # of the training pictures
    teacher: str = ""  # SHA-256 of the teacher's file, where there is one
    perceptual: str = ""  # the metric beside PSNR of a run until it is settled
    warmup_steps: int = 0  # of a run without length; else optim.warmup is a share of `steps`


def run_file(folder: Path) -> Path:
    """Where a run keeps its recipe."""
    return folder / "run.toml"


def read_plan(folder: Path, recipe: Recipe) -> Plan | None:
    """The plan of a run that `folder` holds already, or None for a new one.

    Raises InputError with the differences if the folder holds a run of another recipe.
    """
    path = run_file(folder)
    if not path.exists():
        return None
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        old, plan = plain_settings(tables["recipe"]), Plan(**tables["plan"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a run's recipe ({error}). Choose another --run."
        ) from error
    new = plain_settings(asdict(recipe))
    for key in MOVABLE:
        new[key] = old[key]
    different = differences(old, new)
    if different:
        raise InputError(
            f"{folder} holds a run of another recipe:\n"
            + "\n".join(different)
            + "\nGive the same command to continue it, or another --run for a new one."
        )
    return plan


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """What differs between the settings that a folder holds and those of today, for people."""
    return [
        f"  {key}: {old.get(key)!r} there, {new.get(key)!r} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def write_plan(folder: Path, recipe: Recipe, plan: Plan) -> None:
    """Write run.toml: recipe with every default, plan, versions, command."""
    tables = {
        "command": shlex.join(["acutance", *sys.argv[1:]]),
        "recipe": json.loads(json.dumps(asdict(recipe))),
        "plan": asdict(plan),
        "versions": {**versions(), "python": platform.python_version()},
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
    }
    write_atomically(run_file(folder), tomli_w.dumps(tables))


def versions() -> dict[str, str]:
    """Of the packages that a result may depend on, where they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


class Log:
    """log.jsonl: one event per line, appended and flushed at once; lines are never rewritten."""

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        self.path = folder / "log.jsonl"
        self._file = None
        if writes:  # of several processes one does
            folder.mkdir(parents=True, exist_ok=True)
            _end_last_line(self.path)
            self._file = self.path.open("a", encoding="utf-8")

    def write(self, event: str, values: Mapping[str, Any]) -> None:
        """Append one event. Raises RunError if the disk is full."""
        if self._file is None:
            return
        line = json.dumps({"event": event, "time": round(time.time(), 3), **values})
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise RunError(f"Cannot write {self.path}: {error.strerror}. Make room.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what could not be flushed has been reported by write
            if self._file is not None:
                self._file.close()


def _end_last_line(path: Path) -> None:
    """A kill may have left half a line; end it, so that the next one stands alone."""
    if path.exists() and path.stat().st_size:
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")


def read_log(folder: Path) -> list[dict[str, Any]]:
    """All events of a run in order; half a line left by a kill is passed over."""
    path = folder / "log.jsonl"
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return events


def write_scores(folder: Path, scores: Mapping[str, Any]) -> None:
    """Write scores.json."""
    write_atomically(folder / "scores.json", json.dumps(scores, indent=2) + "\n")
