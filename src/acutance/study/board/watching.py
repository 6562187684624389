"""All runs of a board, followed: what a page is told about them."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acutance.study.board.bands import banded, share_of
from acutance.study.board.finding import Found, find, titles
from acutance.study.board.followed import Followed
from acutance.study.board.machine import Machine
from acutance.study.board.samples import sample_steps
from acutance.study.board.state import State, left_s, state_of

SCAN_S = 3.0  # between two looks for new folders
READ_S = 0.5  # of reading logs at a time: a page is answered, however long they are
MOST_SHARES = 150  # points of each term's share
AXES = ("step", "time")


@dataclass(frozen=True)
class Shown:
    """A run as it is now."""

    found: Found
    run: Followed
    state: State
    left_s: float | None


class Board:
    """What is under `roots`, resolved folders. Its methods may be called from several threads."""

    def __init__(self, roots: Sequence[Path], clock: Callable[[], float] = time.time) -> None:
        self._roots, self._clock = roots, clock
        self._machine = Machine()
        self._turn = threading.Lock()
        self._found: list[Found] = []
        self._followed: dict[Path, Followed] = {}
        self._more = 0
        self._next_scan = float("-inf")
        self._first = 0  # of the runs, where the next reading begins

    def state(self) -> dict[str, Any]:
        """The machine and every run in short."""
        with self._turn:
            self._look()
            runs = [self._shown(found) for found in self._found]
            curves = {key for one in runs for key in one.run.curves}
            return {
                "now": self._clock(),
                "title": ", ".join(titles(self._roots)),
                "unread": sum(one.run.left for one in runs),
                "more": self._more,
                "left_s": whole_left_s(runs),
                "machine": self._machine.load(self._roots),
                "curves": sorted(curves, key=_rank),
                "arms": list(dict.fromkeys(one.found.arm for one in runs)),
                "runs": [_row(one) for one in runs],
            }

    def curve(self, key: str, axis: str) -> dict[str, Any]:
        """The arms' curves of one value over steps or seconds: x, mean, lowest, highest, seeds."""
        place = AXES.index(axis) if axis in AXES else 0
        with self._turn:
            arms: dict[str, list[list[tuple[float, float]]]] = {}
            for found in self._found:
                series = self._followed[found.folder].curves.get(key)
                if series is not None:
                    points = [(point[place], point[2]) for point in series.points()]
                    arms.setdefault(found.arm, []).append(points)
        most = share_of(len(arms))
        lines = [
            {"arm": arm, "seeds": len(seeds), "points": _short(banded(seeds, most))}
            for arm, seeds in arms.items()
        ]
        return {"key": key, "axis": AXES[place], "lines": lines}

    def run(self, key: str) -> dict[str, Any] | None:
        """One run in full: shares of its terms, samples, and what happened to it."""
        with self._turn:
            found = self._named(key)
            if found is None:
                return None
            run = self._followed[found.folder]
            shares = {
                name: _short(banded([[(s, v) for s, _, v in series.points()]], MOST_SHARES))
                for name, series in run.shares.items()
            }
            notes = [{"time": at, "name": name, "text": text} for at, name, text in run.notes]
        return {
            "id": key,
            "name": found.name,
            "shares": [{"term": term, "points": rows} for term, rows in shares.items()],
            "samples": sample_steps(found.folder, found.root),
            "notes": notes[::-1],
        }

    def folder(self, key: str) -> Found | None:
        """Where the run of this key is."""
        with self._turn:
            return self._named(key)

    def read_all(self) -> None:
        """Read every log to its end."""
        while self.state()["unread"]:
            pass

    def _named(self, key: str) -> Found | None:
        return next((found for found in self._found if found.key == key), None)

    def _look(self) -> None:
        """Find runs, and read their logs for a while; the next look goes on with the others."""
        now = time.monotonic()
        if now >= self._next_scan:
            self._found, self._more = find(self._roots)
            old = self._followed
            self._followed = {
                found.folder: old.get(found.folder) or Followed(found.folder, found.root)
                for found in self._found
            }
            self._next_scan = time.monotonic() + SCAN_S
        runs = list(self._followed.values())
        begin = self._first % max(1, len(runs))
        for place, run in enumerate(runs[begin:] + runs[:begin]):
            run.look()
            self._first = begin + place + 1
            if time.monotonic() > now + READ_S:
                break

    def _shown(self, found: Found) -> Shown:
        run, now = self._followed[found.folder], self._clock()
        signs = replace(run.signs, is_trial=found.is_trial)
        state = state_of(signs, now)
        left = left_s(signs, run.pace, now) if state.name == "running" else None
        return Shown(found, run, state, left)


def whole_left_s(runs: Sequence[Shown]) -> float | None:
    """Until all are done, those that wait by the pace of the others; None where nothing is known.

    As many as run now are taken to run at once.
    """
    running = [one for one in runs if one.state.name == "running"]
    paces = [one.run.pace for one in runs if one.run.pace is not None]
    if not running or any(one.left_s is None for one in running):
        return None
    usual = sum(paces) / len(paces)
    waiting = [one for one in runs if one.state.name == "waiting"]
    work = sum(one.left_s or 0.0 for one in running)
    work += sum((one.found.steps or one.run.facts.steps) * usual for one in waiting)
    return max(work / len(running), *(one.left_s or 0.0 for one in running))


def _row(one: Shown) -> dict[str, Any]:
    found, run = one.found, one.run
    facts, signs = run.facts, run.signs
    values = {key: run.curves[key].last for key in ("loss", *run.scores) if key in run.curves}
    return {
        "id": found.key,
        "name": found.name,
        "arm": found.arm,
        "loss": facts.loss or found.loss,
        "seed": found.seed if facts.seed is None else facts.seed,
        "state": one.state.name,
        "why": one.state.why,
        "since": signs.at or None,
        "step": signs.step,
        "steps": signs.steps or found.steps,
        "pace": run.pace,
        "left_s": one.left_s,
        "values": values,
        "version": run.version,
    }


def _rank(key: str) -> tuple[int, str]:
    """Scores first, then the loss and what it is made of, and what is looked at seldom."""
    order = {"psnr": 0, "ssim": 1, "lpips": 2, "loss": 4, "rate": 6, "step_s": 7}
    return order.get(key, 5 if key.startswith("term ") else 3), key


def _short(rows: Sequence[tuple[float, ...]]) -> list[list[float]]:
    """Numbers with as many digits as a picture shows."""
    return [[float(f"{value:.6g}") for value in row] for row in rows]
