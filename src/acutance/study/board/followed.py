"""One run that is followed: its log as curves, its recipe's facts, and what happened to it."""

import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from acutance.study.board.journal import Event, Journal
from acutance.study.board.own import mark_of, text_of
from acutance.study.board.series import Series
from acutance.study.board.state import Signs, pace_s
from acutance.study.board.telling import fault_text, told
from acutance.training.record import run_file

FAILED = "failed.txt"  # what a study writes into the folder of a run that failed
LARGEST = 2**20  # bytes of a recipe
MOST_CURVES, MOST_NOTES, BEATS = 80, 30, 30
LONGEST_NAME = 200
NO_SCORES = {"step", "time"}


@dataclass(frozen=True)
class Facts:
    """Of a recipe and its plan, what a page says; empty where there is none yet."""

    loss: str = ""
    seed: int | None = None
    steps: int = 0
    line_s: float = 0.0  # seconds between two lines of the log


class Followed:
    """A run's folder, read again whenever `look` is called."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.facts = Facts()
        self.version = 0  # grows with every change
        log = folder / "log.jsonl"
        self.left = mark_of(log)[1]  # bytes of it that are still to be read
        self._journal = Journal(log, root)
        self._marks = ((0, 0, 0), (0, 0, 0))
        self._failed = ""
        self._forget()

    def _forget(self) -> None:
        self.signs = Signs()
        self.curves: dict[str, Series] = {}
        self.shares: dict[str, Series] = {}
        self.scores: tuple[str, ...] = ()
        self.notes: deque[tuple[float, str, str]] = deque(maxlen=MOST_NOTES)
        self._beats: deque[tuple[float, int]] = deque(maxlen=BEATS)
        self._spent_s = 0.0  # of training, pauses between sittings left out

    @property
    def pace(self) -> float | None:
        """Seconds of a step, scoring and saving among them."""
        return pace_s(self._beats)

    def look(self) -> None:
        """Take up what has been written since."""
        self._look_beside()
        news = self._journal.news()
        self.left = news.left
        if news.again:
            self._forget()
        for event in news.events:
            self._take(event)
        if news.again or news.events:
            self.version += 1
        facts, failed = self.facts, self._failed
        steps = self.signs.steps or facts.steps
        self.signs = replace(self.signs, steps=steps, line_s=facts.line_s, failed=failed)

    def _look_beside(self) -> None:
        recipe, note = run_file(self.folder), self.folder / FAILED
        marks = mark_of(recipe), mark_of(note)
        if marks == self._marks:
            return
        self._marks = marks
        self.version += 1
        self.facts = facts_of(text_of(recipe, self.root, most=LARGEST))
        lines = text_of(note, self.root, most=4000).strip().splitlines()
        self._failed = lines[-1] if lines else ""  # of a traceback the error itself

    def _take(self, event: Event) -> None:
        name, at, step = event["event"], _number(event.get("time")), _number(event.get("step"))
        if at is None:
            return
        step = int(self.signs.step if step is None else max(0.0, step))
        self._pass_time(name, at)
        steps = _number(event.get("steps"))
        if name in {"start", "rollback"}:
            self._go_back(step)
        self.signs = replace(
            self.signs,
            last=name,
            at=at,
            step=step,
            steps=int(steps) if steps is not None else self.signs.steps,
            reason=fault_text(event) if name == "fault" else str(event.get("reason") or ""),
        )
        if name in {"start", "step", "score"}:
            self._beats.append((at, step))
        if name == "step":
            self._take_terms(step, event)
        elif name in {"score", "end"}:
            self._take_scores(step, event)
        if text := told(event):
            if name == "slow" and self.notes and self.notes[-1][1] == "slow":
                self.notes.pop()  # on a busy machine they would drown the rest
            self.notes.append((at, name, text))

    def _pass_time(self, name: str, at: float) -> None:
        if name == "start" or not self.signs.last:
            self.signs = replace(self.signs, pause_s=0.0)
            return
        pause = max(0.0, at - self.signs.at)
        self._spent_s += pause
        self.signs = replace(self.signs, pause_s=max(self.signs.pause_s, pause))

    def _go_back(self, step: int) -> None:
        """Forget steps that are taken once more, from the snapshot at `step` on."""
        self._beats.clear()
        if step >= self.signs.step:
            return
        for series in (*self.curves.values(), *self.shares.values()):
            series.cut(step)
        ends = [list(series.points())[-1:] for series in self.curves.values()]
        self._spent_s = max((end[0][1] for end in ends if end), default=0.0)

    def _take_terms(self, step: int, event: Event) -> None:
        for key in ("loss", "rate", "step_s"):
            self._add(self.curves, key, step, event.get(key))
        terms = event.get("terms")
        for name, term in terms.items() if isinstance(terms, Mapping) else ():
            if isinstance(term, Mapping):
                self._add(self.shares, name, step, term.get("share"))
                self._add(self.curves, f"term {name}", step, term.get("value"))

    def _take_scores(self, step: int, event: Event) -> None:
        for key in [key for key in event if key not in NO_SCORES]:
            value, known = _number(event[key]), self.curves.get(key)
            if value is None or not self._is_later(known, step):
                continue
            self._add(self.curves, key, step, value)
            if key not in self.scores:
                self.scores = (*self.scores, key)

    def _is_later(self, series: Series | None, step: int) -> bool:
        """Not where the run went back to its best snapshot: its score is known there."""
        ends = list(series.points())[-1:] if series is not None else []
        return not ends or step > ends[0][0]

    def _add(self, curves: dict[str, Series], key: str, step: int, value: object) -> None:
        number = _number(value)
        key = key[:LONGEST_NAME]
        if number is None or (key not in curves and len(curves) >= MOST_CURVES):
            return
        curves.setdefault(key, Series()).add(step, self._spent_s, number)


def facts_of(text: str) -> Facts:
    """What run.toml says. Nothing where it cannot be read, or is none of ours."""
    try:
        tables: dict[str, Any] = tomllib.loads(text)
        recipe, plan = tables["recipe"], tables["plan"]
        seed, steps = recipe["seed"], int(plan["steps"])
        line_s = float(plan["log_every"]) * float(plan["step_s"])
        loss = str(recipe["loss"]["expression"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Facts()
    return Facts(loss, seed if isinstance(seed, int) else None, steps, line_s)


def _number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None
