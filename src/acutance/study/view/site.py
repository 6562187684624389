"""The viewer as an application of the loopback server: addresses to answers."""

from typing import Any

from acutance.errors import InputError
from acutance.study.loopback.server import HTML, NOT_FOUND, Answer, Request, as_json
from acutance.study.view.maps import Asked
from acutance.study.view.page import page
from acutance.study.view.shown import Shown
from acutance.study.view.tiles import Place


class Site:
    """Answers for pages of `shown`. All parts of an address are numbers or short words of ours."""

    def __init__(self, shown: Shown, *, loss: str = "") -> None:
        self._shown = shown
        shown.ahead(0)  # while the browser starts
        self._page, self._policy = page({**described(shown), "served": True, "loss": loss})

    def __call__(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(b"Only reading is possible here.", status=405)
        match request.parts:
            case ():
                return Answer(self._page.encode("utf-8"), HTML, policy=self._policy)
            case ("info", item):
                return self._info(self._item(item))
            case ("scores", item):
                return as_json(self._shown.scores(self._item(item)))
            case ("loss", item, side):
                return as_json(self._map(self._item(item), whole(side), request))
            case ("tile", item, layer, level, x, y):
                place = Place(whole(level), whole(x), whole(y))
                return self._tile(self._item(item), layer, place, request)
        return NOT_FOUND

    def _item(self, word: str) -> int:
        number = whole(word)
        if number >= len(self._shown.exhibition.items):
            raise InputError(f"There is no picture {number} here.")
        return number

    def _info(self, item: int) -> Answer:
        found = as_json(self._shown.info(item))
        self._shown.ahead(item + 1)
        return found

    def _map(self, item: int, side: int, request: Request) -> dict[str, Any]:
        centre = whole(request.query.get("x", "0")), whole(request.query.get("y", "0"))
        return self._shown.map_loss(item, side, Asked(request.query.get("loss", ""), 1, centre))

    def _tile(self, item: int, layer: str, place: Place, request: Request) -> Answer:
        gain = whole(request.query.get("gain", "1"))
        return as_tile(self._shown.piece(item, layer, place, gain))


def described(shown: Shown) -> dict[str, Any]:
    """What a page is told at once: names and which pictures there are; nothing is read for it."""
    exhibition = shown.exhibition
    return {
        "names": list(exhibition.names),
        "hasReference": exhibition.has_reference,
        "items": [
            {"name": item.name, "layers": shown.layers(k)}
            for k, item in enumerate(exhibition.items)
        ],
    }


def as_tile(made: tuple[bytes, str] | None) -> Answer:
    """A piece as an answer."""
    return NOT_FOUND if made is None else Answer(made[0], made[1])


def whole(word: str) -> int:
    """A number of an address. Raises InputError for anything else."""
    if not (word.isascii() and word.isdecimal() and len(word) < 10):
        raise InputError(f"{word!r} is not a number.")
    return int(word)
