"""The board as an application of the loopback server: addresses to answers."""

import hashlib
import re
from pathlib import Path

from acutance.study.board.samples import read_sample
from acutance.study.board.watching import Board
from acutance.study.loopback.page import Sheet, assemble
from acutance.study.loopback.server import HTML, NOT_FOUND, Answer, Request, as_json

SCRIPTS = ("draw.js", "chart.js", "curves.js", "table.js", "detail.js", "board.js")
SHEET = Sheet(Path(__file__).parent / "page", "board.html", "board.css", SCRIPTS)
PICTURE = "image/png"
_KEY = re.compile(r"[0-9a-f]{12}")


class Site:
    """Answers about a board. Parts of an address are words and numbers of ours, never names."""

    def __init__(self, board: Board) -> None:
        self._board = board
        text, _ = assemble(SHEET, {"served": True})
        self._edition = hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
        self._page, self._policy = assemble(SHEET, {"served": True, "edition": self._edition})

    def __call__(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(b"Only reading is possible here.", status=405)
        match request.parts:
            case ():
                return Answer(self._page.encode("utf-8"), HTML, policy=self._policy)
            case ("state",):
                return as_json({"edition": self._edition, **self._board.state()})
            case ("curve",):
                key, axis = request.query.get("key", ""), request.query.get("axis", "step")
                return as_json(self._board.curve(key, axis))
            case ("run", key) if _KEY.fullmatch(key):
                found = self._board.run(key)
                return NOT_FOUND if found is None else as_json(found)
            case ("sample", key, number, step) if _KEY.fullmatch(key):
                return self._sample(key, number, step)
        return NOT_FOUND

    def _sample(self, key: str, number: str, step: str) -> Answer:
        found = self._board.folder(key)
        numbers = [int(word) for word in (number, step) if _is_number(word)]
        if found is None or len(numbers) < 2:
            return NOT_FOUND
        picture = read_sample(found.folder, found.root, *numbers)
        return NOT_FOUND if picture is None else Answer(picture, PICTURE)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 13
