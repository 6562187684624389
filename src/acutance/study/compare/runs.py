"""Carry out the runs of a study, by any number of processes, each run by one of them."""

import json
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from acutance.errors import InputError, RunError
from acutance.evaluation.scoring import Score, Scores
from acutance.evaluation.sets import find_set
from acutance.storage import write_atomically
from acutance.study.claims import claim
from acutance.study.compare.question import Question, Study, folder_name
from acutance.study.score import evaluate
from acutance.training.display import Display
from acutance.training.loop import train
from acutance.training.pictures import Pictures
from acutance.training.record import read_log

SCORES = "test.json"  # of a run, beside what every run leaves
FAILED = "failed.txt"
PHASE = "steps of all runs"
POLL_S = 1.0  # between two looks at runs that another process is busy with
LOOK_S = 5.0  # between two looks at their logs, for the bar


@dataclass(frozen=True)
class Run:
    """One arm at one budget under one seed. Its folder is a run folder as `train` leaves it."""

    loss: str
    budget: int
    steps: int  # the budget, or what fits into the first loss's time
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.loss}, {self.budget:,} steps, seed {self.seed}"

    @property
    def is_trained(self) -> bool:
        """Whether it came to its end and left its model."""
        ended = any(event["event"] == "end" for event in read_log(self.folder)[-1:])
        return ended and (self.folder / "model.safetensors").exists()

    def is_done(self, question: Question) -> bool:
        """Whether it was trained, and scored on all that the question names."""
        return not self.unscored(question)

    def unscored(self, question: Question) -> dict[str, list[str]]:
        """Of each test folder the metrics that do not have exactly its pictures of today."""
        scored: dict[tuple[str, str], set[str]] = {}
        for row in self.rows(question):
            scored.setdefault((row.set, row.metric), set()).add(row.picture)
        missing: dict[str, list[str]] = {}
        for folder in question.test:
            found = find_set(Path(folder))
            names = {path.stem for path in found.pictures}
            for metric in question.metrics:
                if scored.get((found.name, metric)) != names:
                    missing.setdefault(folder, []).append(metric)
        return missing

    def rows(self, question: Question) -> tuple[Score, ...]:
        """Scores that count: those of the question's protocol."""
        scores = self.scores()
        return scores.rows if scores and scores.protocol == question.protocol else ()

    def scores(self) -> Scores | None:
        """What the test sets said, if they were asked. Raises InputError for a damaged file."""
        path = self.folder / SCORES
        if not path.exists():
            return None
        try:
            return Scores.from_json(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:  # no text, no JSON, or no scores
            raise InputError(f"{path} is damaged. Delete it and give the same command.") from error

    @property
    def step(self) -> int:
        """The last step that its log tells of."""
        return max((e["step"] for e in read_log(self.folder) if e["event"] == "step"), default=0)


def list_runs(study: Study, steps: dict[str, dict[int, int]], folder: Path) -> list[Run]:
    """All runs, seed by seed, so that an unfinished study has whole pairs.

    `steps` gives each loss's steps for each budget.
    """
    question = study.question
    return [
        Run(
            loss,
            budget,
            steps[loss][budget],
            seed,
            folder / "arms" / folder_name(loss) / f"steps-{budget}" / f"seed-{seed}",
        )
        for budget in question.steps
        for seed in range(question.seeds)
        for loss in question.losses
    ]


def carry_out(study: Study, runs: Sequence[Run], pictures: Pictures, display: Display) -> None:
    """Train and score every run that is not; what another process works on is waited for.

    A run that fails is written down and left; the others go on.
    """
    question, failed = study.question, set[Path]()
    while open_runs := _open(question, runs, failed):
        busy = True
        for run in open_runs:
            with claim(run.folder) as mine:
                if not mine or run.is_done(question):
                    continue
                busy = False
                show(runs, display)
                fault = attempt(study, run, pictures, _told(run, runs, display))
            if fault:
                failed.add(run.folder)
                display.note(f"{run.name} failed: {fault}")
            else:
                display.note(f"{run.name} done")
        if busy:
            show(runs, display)
            time.sleep(POLL_S)


def attempt(study: Study, run: Run, pictures: Pictures, display: Display) -> str:
    """Train and score one run; what went wrong, or nothing."""
    note = run.folder / FAILED
    note.unlink(missing_ok=True)
    try:
        recipe = study.recipe_of(run.loss, run.steps, run.seed)
        if not run.is_trained:
            train(recipe, run.folder, display, pictures=pictures)
        score_run(study, run)
    except Exception as error:  # of a loss of another package: anything; the other arms go on
        told = isinstance(error, InputError | RunError)
        why = str(error) if told else f"{type(error).__name__}: {error}"
        write_atomically(note, f"{why if told else traceback.format_exc().rstrip()}\n")
        return why
    return ""


def score_run(study: Study, run: Run) -> None:
    """Score a trained run by what is missing, and write all its scores into its folder."""
    question = study.question
    rows = run.rows(question)
    for folder, metrics in run.unscored(question).items():
        shrink = run.folder if study.recipe.network.shrink else ""  # each by its own F
        found = evaluate(
            run.folder,
            folder,
            protocol=question.protocol,
            metrics=metrics,
            degrade=study.recipe.data.degrade,
            shrink=shrink,
        )
        fresh = {(row.set, row.metric) for row in found.rows}
        rows = (*(row for row in rows if (row.set, row.metric) not in fresh), *found.rows)
        scores = replace(found, rows=rows)
        write_atomically(run.folder / SCORES, json.dumps(scores.to_json(), indent=1) + "\n")


def _open(question: Question, runs: Sequence[Run], failed: set[Path]) -> list[Run]:
    return [run for run in runs if run.folder not in failed and not run.is_done(question)]


def _taken(runs: Sequence[Run]) -> int:
    """Steps that the runs have taken, as far as their logs tell."""
    return sum(min(run.step, run.steps) for run in runs)


def show(runs: Sequence[Run], display: Display) -> None:
    display.phase(PHASE, _taken(runs), sum(run.steps for run in runs))


def _told(run: Run, runs: Sequence[Run], display: Display) -> "_Told":
    others = [other for other in runs if other is not run]
    return _Told(display, others, sum(r.steps for r in runs))


class _Told:
    """What a run tells, as a part of the study's one bar; its notes are in its own log."""

    def __init__(self, display: Display, others: Sequence[Run], total: int) -> None:
        self._display, self._others, self._total = display, others, total
        self._done, self._next = 0, 0.0

    def phase(self, name: str, done: int, total: int) -> None:
        """Move the study's bar: by this run's steps, and now and then by other processes' too."""
        if name != "training":
            return
        if time.monotonic() >= self._next:
            self._done, self._next = _taken(self._others), time.monotonic() + LOOK_S
        self._display.phase(PHASE, self._done + min(done, total), self._total)

    def note(self, text: str) -> None:
        """Nothing: thirty runs would drown what matters."""

    def close(self) -> None:
        """Nothing to take away."""
