"""Searches that take seconds, and workers whose trials are made up at once."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.study.tune import search
from acutance.study.tune.question import Tuning, make_tuning
from acutance.study.tune.search import Worker, open_study
from acutance.study.tune.tuning import carry_out
from acutance.training.display import Silent

# Everything that would be timed is given, so that searches differ in nothing but the test.
SMALL = {
    "tune.loss": "l1 + w*mse",
    "tune.ranges": {"w": "0.01..1:log"},
    "tune.objective": ["psnr", "ssim"],
    "tune.trials": 3,
    "tune.steps": 4,
    "tune.rungs": 2,
    "tune.front": 1,
    "tune.again": 2,
    "data.photos": ["procedural:4"],
    "data.patch": 16,
    "data.batch": 2,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "machine.device": "cpu",
    "log.score_every": 100,
}


@pytest.fixture(scope="session")
def val(tmp_path_factory) -> Path:
    """A folder with two pictures of 40 x 40 pixels to judge by."""
    folder = tmp_path_factory.mktemp("val")
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (5, 5, 3), np.uint8)
        large = np.repeat(np.repeat(pixels, 8, axis=0), 8, axis=1)
        write_picture(folder / f"p{number}.png", Picture(large))
    return folder


@pytest.fixture(scope="session")
def small_search(val) -> Callable[..., Tuning]:
    """A search over drawn pictures; settings given to it win."""

    def make(settings: Mapping[str, object] = {}) -> Tuning:
        return make_tuning([("test", {**SMALL, "data.val": [str(val)], **settings})])

    return make


@pytest.fixture(scope="session")
def undisturbed(small_search, tmp_path_factory) -> Path:
    """The folder of the small search from beginning to end. Only to be looked at."""
    folder = tmp_path_factory.mktemp("undisturbed")
    carry_out(small_search(), folder, quiet=True)
    return folder


@pytest.fixture(scope="session")
def words(val) -> Callable[..., list[str]]:
    """The small search as one types it."""

    def command(folder: Path, *more: str) -> list[str]:
        line = "tune procedural:4 --range w=0.01..1:log --objective psnr,ssim --trials 3 --steps 4"
        line += " --rungs 2 --front 1 --again 2 --patch 16 --batch 2 --threads 1 --precision fp32"
        line += f" --device cpu --set log.score_every=100 --val {val} --run {folder}"
        return [*line.split(), "--loss", "l1 + w*mse", *more]

    return command


KILLED = """
import os, signal
from acutance.study.tune import trial
table, calls = trial.Judges.table, []

def killing(self, job):
    calls.append(job)
    if len(calls) == {scoring}:
        os.kill(os.getpid(), signal.SIGKILL)
    return table(self, job)

trial.Judges.table = killing
from acutance.cli import main
main()
"""


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Begin a command in a process of its own, killed at its scoring of that number, if any."""
    begun: list[subprocess.Popen[str]] = []

    def run(command: list[str], *, scoring: int = 0) -> subprocess.Popen[str]:
        line = [sys.executable, "-c", KILLED.format(scoring=scoring), *command]
        pipe = subprocess.PIPE
        begun.append(subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True))
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()


def found_in(folder: Path) -> dict[str, Any]:
    """What results.json says of the trials and the front."""
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {key: found[key] for key in ("start", "trials", "failed", "reference", "front")}


def weight_in(loss: str) -> float:
    """w of a loss such as "l1 + w*mse" with its number in place."""
    found = re.search(r"([\d.e-]+)\*mse", loss)
    return float(found[1]) if found else 1.0


class Workshop:
    """Stands in for trials: notes what was asked for, and makes up the scores.

    By default larger weights are better in everything at every halt.
    """

    def __init__(self) -> None:
        self.losses: list[str] = []
        self.faults: dict[int, Exception] = {}  # by the trial's number
        self.score: Callable[[str, int], list[float]] = lambda loss, _step: [weight_in(loss)] * 2

    def run_trial(self, recipe, folder, *, halts, **_others):
        """As study.tune.trial.run_trial."""
        loss, number = recipe.loss.expression, int(folder.name)
        self.losses.append(loss)
        if number in self.faults:
            raise self.faults[number]
        values: list[float] = []
        for step in halts.stops:
            values = self.score(loss, step)
            if not halts.goes_on(step, values):
                break
        return values


@pytest.fixture
def workshop(monkeypatch) -> Workshop:
    """Trials are not carried out but noted."""
    made = Workshop()
    monkeypatch.setattr(search, "run_trial", made.run_trial)
    return made


class Notes(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        """One line."""
        self.told.append(text)


@pytest.fixture
def worker(small_search, tmp_path) -> Callable[..., Worker]:
    """A worker in one folder, for made-up trials: it has neither pictures nor metrics."""

    def make(settings: Mapping[str, object] = {}, folder: Path = tmp_path / "made") -> Worker:
        tuning = small_search(settings)
        study = open_study(tuning.search, folder)
        return Worker(tuning, folder, study, None, None, Notes())  # pyright: ignore

    return make
