"""Studies that take seconds, and studies that are over as runs leave them, made up at once."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import drawn_picture

from acutance.evaluation.scoring import Score, Scores
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.study.compare.answers import Answers, answer
from acutance.study.compare.question import Question, Study, make_study
from acutance.study.compare.runs import SCORES, Run, list_runs
from acutance.study.compare.study import Outcome, carry_out
from acutance.training.recipe import make_recipe
from acutance.training.record import Log

# Everything that would be timed is given, so that studies differ in nothing but the test.
SMALL = {
    "study.losses": ["l1", "mse"],
    "study.steps": [6],
    "study.seeds": 2,
    "data.photos": ["procedural:6"],
    "data.patch": 16,
    "data.batch": 2,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "machine.device": "cpu",
    "log.every": 1,
    "log.score_every": 100,
    "log.save_every": 2,
}


@pytest.fixture(scope="session")
def thumbs(tmp_path_factory) -> Path:
    """A folder for each name with two pictures of 40 x 40 pixels."""
    root = tmp_path_factory.mktemp("sets")
    for place, name in enumerate(("one", "two", "val")):
        (root / name).mkdir()
        for number in range(2):
            pixels = np.random.default_rng((place, number)).integers(0, 255, (5, 5, 3), np.uint8)
            large = np.repeat(np.repeat(pixels, 8, axis=0), 8, axis=1)
            write_picture(root / name / f"p{number}.png", Picture(large))
    return root


@pytest.fixture(scope="session")
def small_study(thumbs) -> Callable[[Mapping[str, object]], Study]:
    """A study over drawn pictures; settings given to it win."""

    def make(settings: Mapping[str, object] = {}) -> Study:
        own = {"study.test": [str(thumbs / "one")], "data.val": [str(thumbs / "val")]}
        return make_study([("test", {**SMALL, **own, **settings})])

    return make


@pytest.fixture(scope="session")
def undisturbed(small_study, tmp_path_factory) -> Outcome:
    """The small study from beginning to end. Only to be looked at."""
    return carry_out(small_study(), tmp_path_factory.mktemp("undisturbed"), quiet=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from acutance.study.compare import study
from acutance.training.display import Silent

class Killer(Silent):
    def phase(self, name, done, total):
        if name == "steps of all runs" and done == {steps}:
            os.kill(os.getpid(), signal.{signal})

study.make_display = lambda quiet: Killer()
from acutance.cli import main
main()
"""


@pytest.fixture
def killed_command(thumbs):
    """`acutance compare` in a process of its own that gets a signal after so many steps of all."""

    def run(folder: Path, *, steps: int, signal: str) -> subprocess.CompletedProcess[str]:
        code = KILLED.format(steps=steps, signal=signal)
        command = [sys.executable, "-c", code, *arguments(folder, thumbs)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run


def arguments(folder: Path, thumbs: Path) -> list[str]:
    """The small study as one types it."""
    words = ["compare", "procedural:6", "--loss", "l1", "--loss", "mse", "--steps", "6"]
    words += ["--seeds", "2", "--patch", "16", "--batch", "2", "--threads", "1"]
    words += ["--precision", "fp32", "--device", "cpu", "--test", str(thumbs / "one")]
    words += ["--val", str(thumbs / "val"), "--run", str(folder)]
    for key in ("log.every=1", "log.score_every=100", "log.save_every=2"):
        words += ["--set", key]
    return words


@pytest.fixture
def command(thumbs) -> Callable[[Path], list[str]]:
    """The words of the small study's command."""
    return lambda folder: arguments(folder, thumbs)


@pytest.fixture
def found_of() -> Callable[[Path], object]:
    """What a study's results.json says, without the question that was asked."""

    def read(folder: Path) -> object:
        found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return {key: found[key] for key in ("verdicts", "means", "differences", "missing")}

    return read


class Workshop:
    """Stands in for training and scoring: notes what it was asked for and leaves made-up scores.

    A score is that of its loss, seed and picture alone, so that differences are known.
    """

    def __init__(self) -> None:
        self.trained: list[tuple[str, int, int]] = []  # loss, steps, seed
        self.scored: list[tuple[str, tuple[str, ...]]] = []  # set, metrics
        self.made_by: list[
            tuple[str, Path | str]
        ] = []  # what made lr of a set: a chain, an F's run
        self.faults: dict[str, Exception] = {}  # of a loss

    def train(self, recipe, folder, _display, *, pictures):
        """As training.loop.train."""
        assert len(pictures.pool)  # which all runs share
        loss = recipe.loss.expression
        self.trained.append((loss, recipe.stop.steps, recipe.seed))
        folder.mkdir(parents=True, exist_ok=True)
        if loss in self.faults:
            raise self.faults[loss]
        (folder / "model.safetensors").touch()
        with Log(folder) as log:
            log.write("end", {"step": recipe.stop.steps})

    def evaluate(self, run, data, *, protocol, metrics, degrade, shrink):
        """As study.score.evaluate."""
        place = Path(data)
        self.made_by.append((degrade, shrink))
        self.scored.append((place.name, tuple(metrics)))
        rows = [
            Score(place.name, path.stem, metric, self.value(Path(run), path.stem), protocol)
            for path in sorted(place.glob("*.png"))
            for metric in metrics
        ]
        return Scores("made up", 2, protocol, tuple(rows))

    def value(self, run: Path, picture: str) -> float:
        """30 dB, and more by the picture, the seed, and the arm."""
        seed, arm = int(run.name.removeprefix("seed-")), run.parent.parent.name
        return 30 + len(picture) + seed**2 / 10 + (0.5 + seed / 100 if arm == "mse" else 0.0)


@pytest.fixture
def workshop(monkeypatch) -> Workshop:
    """Runs are not carried out but noted; without logs and models there is no page of them."""
    from acutance.study.compare import ground, page, runs

    made = Workshop()
    monkeypatch.setattr(runs, "train", made.train)
    monkeypatch.setattr(runs, "evaluate", made.evaluate)
    monkeypatch.setattr(ground, "time_run", lambda *_: 0.01)
    monkeypatch.setattr(page, "write_page", lambda *_: None)
    return made


LEVELS = {"psnr": 32.0, "ssim": 0.9, "lpips": 0.2}
NOISES = {"psnr": 0.03, "ssim": 0.0006, "lpips": 0.002}
# of the k-th arm: better, a little better, none, worse, far off in perception, all by PSNR in dB
GAINS = (0.0, 0.12, 0.03, -0.02, -0.3, 0.2)


@dataclass(frozen=True)
class Made:
    """A study that is over, without one step of training."""

    study: Study
    answers: Answers
    runs: list[Run]
    record: dict[str, Any]
    page: Path  # where its page belongs


@pytest.fixture
def made_study(tmp_path):
    """Make a study of `losses`; those in `unfinished` (loss, seed) left nothing."""

    def make(
        losses: tuple[str, ...],
        *,
        steps: tuple[int, ...] = (2000,),
        metrics: tuple[str, ...] = ("psnr", "ssim"),
        unfinished: tuple[tuple[str, int], ...] = (),
        models: bool = False,
    ) -> Made:
        sets = _sets(tmp_path / "sets")
        asked = Question(losses, steps, seeds=4, test=sets, metrics=metrics)
        recipe, _ = make_recipe([("test", {"data.photos": ["procedural:8"], **NETWORK})])
        study = Study(asked, recipe)
        runs = list_runs(study, {loss: {s: s for s in steps} for loss in losses}, tmp_path)
        for run in runs:
            if (run.loss, run.seed) not in unfinished:
                _leave(run, asked)
                if models:
                    _leave_model(run, losses.index(run.loss))
        return Made(study, answer(asked, runs), runs, RECORD, tmp_path / "report.html")

    return make


NETWORK = {"network.name": "compact:nano", "network.scale": 2}
RECORD = {
    "command": "acutance compare --photos photos --loss l1 --loss mse --test Set5",
    "plan": {"fingerprint": "f00d", "threads": 2, "precision": "fp32", "device": "cpu"},
    "versions": {"acutance": "0.1.0", "torch": "2.13.0"},
}


def _sets(folder: Path) -> tuple[str, ...]:
    for k, name in enumerate(("Set5", "Set14", "B100")):
        for seed in range(8):
            pixels = drawn_picture(10 * k + seed, 144, 176)
            write_picture(folder / name / f"p{seed}.png", Picture(pixels, None))
    return tuple(str(folder / name) for name in ("Set5", "Set14", "B100"))


def _leave(run: Run, asked: Question) -> None:
    """log.jsonl and test.json."""
    run.folder.mkdir(parents=True)
    arm = asked.losses.index(run.loss)
    generator = np.random.default_rng([arm, run.budget, run.seed])
    gain = GAINS[arm % len(GAINS)] * (1 + 0.5 * np.log10(run.budget / asked.steps[0]))
    luck = generator.normal(0, 1)
    rows = [
        Score(name, f"p{k}", metric, _value(metric, gain + 0.02 * k, generator, luck), "y@1")
        for name in ("Set5", "Set14", "B100")
        for k in range(8)
        for metric in asked.metrics
    ]
    text = json.dumps(Scores("nano", 2, "y@1", tuple(rows)).to_json())
    (run.folder / SCORES).write_text(text, encoding="utf-8")
    lines = "".join(json.dumps(event) + "\n" for event in _events(run, arm, generator))
    (run.folder / "log.jsonl").write_text(lines, encoding="utf-8")


def _value(metric: str, gain: float, generator: np.random.Generator, luck: float) -> float:
    spread = NOISES[metric] * (luck + 0.3 * generator.normal())
    size = {"psnr": gain, "ssim": 0.005 * gain, "lpips": 0.05 * gain}[metric]
    return LEVELS[metric] + size + spread


def _events(run: Run, arm: int, generator: np.random.Generator) -> list[dict[str, Any]]:
    names = run.loss.split(" + ")
    events: list[dict[str, Any]] = []
    for step in range(run.steps // 20, run.steps + 1, run.steps // 20):
        share = 0.5 + 0.3 * np.exp(-step / run.steps) + generator.normal(0, 0.02)
        others = len(names) - 1
        shares = [share, *[(1 - share) / others] * others] if others else [1.0]
        terms = {
            name: {"value": 0.1, "norm": 1.0, "weight": 1.0, "share": s}
            for name, s in zip(names, shares, strict=True)
        }
        cosines = {f"{names[0]}, {names[1]}": 0.4} if len(names) > 1 else {}
        pace = round(0.02 * (1 + 0.2 * arm) + generator.normal(0, 0.0005), 5)
        told = {"terms": terms, "step_s": pace, **({"cosines": cosines} if cosines else {})}
        events.append({"event": "step", "time": 1.75e9 + step, "step": step, **told})
        psnr = 33 - 4 * np.exp(-4 * step / run.steps) + 0.1 * arm + generator.normal(0, 0.05)
        event = "end" if step == run.steps else "score"
        if step % (run.steps // 10) == 0:
            scored = {"step": step, "psnr": psnr, "ssim": 0.9}
            events.append({"event": event, "time": 1.75e9 + step, **scored})
    return events


def _leave_model(run: Run, arm: int) -> None:
    """First weights, spoilt a little and by each arm differently."""
    import torch

    from acutance.models.building import describe, instantiate
    from acutance.models.checkpoint import save_model

    card = describe("compact:nano", scale=2)
    torch.manual_seed(arm)
    network = instantiate(card)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    save_model(network, card, run.folder / "model.safetensors")
