"""A blind test as an application of the loopback server: pairs without names, choices written."""

import json
import threading
from pathlib import Path
from typing import Any

from acutance.errors import InputError
from acutance.study.loopback.server import HTML, NOT_FOUND, Answer, Request, as_json
from acutance.study.view.page import page
from acutance.study.view.shown import REFERENCE, Shown
from acutance.study.view.site import as_tile, whole
from acutance.study.view.tiles import Place
from acutance.study.view.trials import (
    CHOICES,
    Choice,
    Test,
    Trial,
    add,
    begin,
    read_answers,
    trials,
)
from acutance.study.view.verdict import RANK_HEAD, judge, notes, rank_rows


class BlindTest:
    """One person's test; nothing that a page is told says which side is which before the end."""

    def __init__(self, shown: Shown, test: Test, path: Path) -> None:
        self._shown, self._test, self._path = shown, test, path
        self._trials = trials(test)
        self.done = begin(path, test)
        self._turn = threading.Lock()
        self._ahead(self.done)

    @property
    def is_over(self) -> bool:
        """Whether every pair is judged."""
        return self.done >= len(self._trials)

    def __call__(self, request: Request) -> Answer:
        match request.method, request.parts:
            case "GET", ():
                text, policy = page(self._described())
                return Answer(text.encode("utf-8"), HTML, policy=policy)
            case "GET", ("info", trial):
                return as_json(self._info(self._trial(trial)))
            case "GET", ("tile", trial, layer, level, x, y):
                place = Place(whole(level), whole(x), whole(y))
                return self._tile(self._trial(trial), layer, place)
            case "POST", ("choice",):
                return as_json({"next": self._choose(request.body)})
            case "GET", ("ranking",):
                return as_json(self._ranking())
        return NOT_FOUND

    def _described(self) -> dict[str, Any]:
        return {
            "served": True, "blind": True, "trials": len(self._trials), "done": self.done,
            "hasReference": self._shown.exhibition.has_reference,
        }  # fmt: skip

    def _trial(self, word: str) -> Trial:
        """The pair of that number; only the one whose turn it is, and those before it."""
        number = whole(word)
        if number > self.done or number >= len(self._trials):
            raise InputError(f"Pair {number} is not to be looked at yet.")
        return self._trials[number]

    def _layers(self, trial: Trial) -> dict[str, str]:
        found = {"left": f"s{trial.left}", "right": f"s{trial.right}"}
        if self._shown.exhibition.items[trial.picture].reference is not None:
            found["original"] = REFERENCE
        return found

    def _info(self, trial: Trial) -> dict[str, Any]:
        layers = self._layers(trial)
        sizes = {
            name: self._shown.levels(trial.picture, layer).size for name, layer in layers.items()
        }
        return {"sizes": sizes, "frame": sizes.get("original", sizes["left"])}

    def _tile(self, trial: Trial, name: str, place: Place) -> Answer:
        layers = self._layers(trial)
        if name not in layers:
            return NOT_FOUND
        return as_tile(self._shown.piece(trial.picture, layers[name], place))

    def _choose(self, body: bytes) -> int:
        """Write a choice down; the number of the next pair. A second answer changes nothing."""
        try:
            asked = json.loads(body)
            number, choice, seconds = asked["trial"], asked["choice"], float(asked["seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"This is no choice: {error}.") from error
        if choice not in CHOICES or not isinstance(number, int) or not 0 <= seconds < 1e7:
            raise InputError("A choice is left, tie or right, of a pair by its number.")
        with self._turn:
            if number == self.done and not self.is_over:
                trial = self._trials[number]
                names = self._shown.exhibition.names
                picture = self._test.pictures[trial.picture]
                made = Choice(
                    number, picture, names[trial.left], names[trial.right], choice, seconds
                )  # fmt: skip
                add(self._path, made)
                self.done += 1
                self._ahead(self.done + 1)
            return self.done

    def _ahead(self, number: int) -> None:
        if number < len(self._trials):
            self._shown.ahead(self._trials[number].picture)

    def _ranking(self) -> dict[str, Any]:
        if not self.is_over:
            raise InputError("The ranking is shown when every pair is judged.")
        verdict = judge([read_answers(self._path)])
        return {"head": RANK_HEAD, "rows": rank_rows(verdict), "notes": notes(verdict)}
