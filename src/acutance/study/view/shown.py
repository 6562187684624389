"""What a page can ask of an exhibition: sizes, pieces, scores, maps; kept while they fit."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from acutance.errors import InputError
from acutance.study.view.ahead import Ahead
from acutance.study.view.exhibits import Exhibition, Read
from acutance.study.view.kept import Kept
from acutance.study.view.maps import Asked, LossMap, difference, error, loss_map
from acutance.study.view.scoring import Judging, heads, values_of
from acutance.study.view.tiles import Levels, Place, levels_of, tile

PICTURES_BYTES = 768 * 2**20  # decoded pictures with their halvings: about 15 of 12 megapixels
TILES_BYTES = 96 * 2**20
MOST_GAIN = 255
AT_ONCE = 4  # pictures of one item that are read at the same time
REFERENCE = "r"


class Shown:
    """An exhibition with its caches. Layers of an item are named by short words:

    "s0", "s1" ... the sides, "r" the reference, "d0-1" the difference of two (sides by number, or
    "r"), "e0" the error of a side, "g0-..." a map of a loss that `map_loss` has made.
    """

    def __init__(self, exhibition: Exhibition, judging: Judging | None) -> None:
        self.exhibition, self.judging = exhibition, judging
        self._levels: Kept[Levels] = Kept(PICTURES_BYTES, lambda levels: levels.bytes_held)
        self._tiles: Kept[tuple[bytes, str]] = Kept(TILES_BYTES, lambda made: len(made[0]))
        self._asked: dict[tuple[int, str], tuple[int, Asked]] = {}
        self._reader = Ahead(lambda item: self.info(item))

    def layers(self, item: int) -> list[str]:
        """The pictures that there are of an item."""
        found = self.exhibition.items[item]
        sides = [f"s{k}" for k, read in enumerate(found.sides) if read is not None]
        return sides + ([REFERENCE] if found.reference is not None else [])

    def name_of(self, layer: str) -> str:
        """For people."""
        return "reference" if layer == REFERENCE else self.exhibition.names[int(layer[1:])]

    def info(self, item: int) -> dict[str, Any]:
        """Sizes (width, height) by layer; the frame is the size that all are stretched to."""
        layers = self.layers(item)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda layer: self.levels(item, layer).size, layers))
        sizes = dict(zip(layers, found, strict=True))
        frame = sizes.get(REFERENCE) or max(sizes.values(), key=lambda size: size[0] * size[1])
        return {"sizes": sizes, "frame": frame}

    def ahead(self, item: int) -> None:
        """Begin to read an item that will be asked for next; nobody waits for it."""
        if item < len(self.exhibition.items):
            self._reader.wish(item)

    def piece(self, item: int, layer: str, place: Place, gain: int = 1) -> tuple[bytes, str] | None:
        """A tile and its kind; None where there is none. Raises InputError for an unknown layer."""
        if not 1 <= gain <= MOST_GAIN:
            raise InputError(f"A gain is from 1 to {MOST_GAIN}, not {gain}.")
        levels = self.levels(item, layer)
        if not levels.has(place):
            return None
        return self._tiles.get((item, layer, place, gain), lambda: tile(levels, place, gain))

    def pixels(self, item: int, layer: str) -> np.ndarray:
        """A picture itself, uint8 (H, W, 3)."""
        return self.levels(item, layer).arrays[0]

    def levels(self, item: int, layer: str) -> Levels:
        """A layer at all halvings."""
        return self._levels.get((item, layer), lambda: levels_of(self._make(item, layer)))

    def _make(self, item: int, layer: str) -> np.ndarray:
        kind, rest = layer[:1], layer[1:]
        if kind in {"s", REFERENCE}:
            return self._read(item, layer)()
        if kind == "d":
            first, _, second = rest.partition("-")
            return difference(*(self.pixels(item, _side(word)) for word in (first, second)))
        if kind == "e":
            return error(self.pixels(item, _side(rest)), self.pixels(item, REFERENCE))
        if (item, layer) in self._asked:
            return self._loss(item, *self._asked[item, layer]).values
        raise _unknown(layer)

    def _read(self, item: int, layer: str) -> Read:
        found = self.exhibition.items[item]
        read = None
        if layer == REFERENCE:
            read = found.reference
        elif layer[1:].isdecimal() and int(layer[1:]) < len(found.sides):
            read = found.sides[int(layer[1:])]
        if read is None:
            raise _unknown(layer)
        return read

    def small(self, item: int) -> np.ndarray | None:
        """What the models were shown; None where there are none."""
        read = self.exhibition.items[item].small
        if read is None:
            return None
        return self._levels.get((item, "lr"), lambda: Levels((read(),))).arrays[0]

    def scores(self, item: int) -> dict[str, Any]:
        """Rows of every side; those that cannot be scored are named with the reason."""
        judging = self.judging
        if judging is None or self.exhibition.items[item].reference is None:
            raise InputError("There is no reference of this picture, so nothing is scored.")
        rows, notes = [], []
        hr, lr = self.pixels(item, REFERENCE), self.small(item)
        for layer in self.layers(item)[:-1]:
            try:
                values = values_of(judging, self.pixels(item, layer), hr, lr)
            except InputError as reason:
                notes.append(f"{self.name_of(layer)} is not scored: {reason}.")
                continue
            row = [values.get(metric.name) for metric in judging.metrics]
            rows.append({"name": self.name_of(layer), "values": row})
        return {
            "protocol": judging.words, "metrics": heads(judging), "rows": rows, "notes": notes
        }  # fmt: skip

    def map_loss(self, item: int, side: int, asked: Asked) -> dict[str, Any]:
        """Where a loss looks on a side's picture: the layer to show, and what is said of it."""
        if not 0 <= side < len(self.exhibition.names) or self._missing(item, side):
            raise _unknown(f"s{side}")
        if self.exhibition.items[item].reference is None:
            raise InputError("There is no reference of this picture, so no loss has a value.")
        asked = replace(asked, scale=self.exhibition.scale or 1)
        made = self._loss(item, side, asked)
        digest = hashlib.sha256(repr(asked).encode()).hexdigest()[:12]
        layer = f"g{side}-{digest}"
        self._asked[item, layer] = (side, asked)
        self._levels.get((item, layer), lambda: levels_of(made.values))
        return {"layer": layer, **said_of(made, asked)}

    def _missing(self, item: int, side: int) -> bool:
        return self.exhibition.items[item].sides[side] is None

    def _loss(self, item: int, side: int, asked: Asked) -> LossMap:
        sr, hr = self.pixels(item, f"s{side}"), self.pixels(item, REFERENCE)
        return loss_map(sr, hr, self.small(item), asked)


def said_of(made: LossMap, asked: Asked) -> dict[str, Any]:
    """Values and words for a map of a loss."""
    x, y, width, height = made.window
    where = "the whole picture"
    if made.values.shape != (height, width):
        where = f"{width}x{height} pixels at ({x}, {y}): a larger picture is looked at in parts"
    note = (
        f"Brightness: the norm of the gradient at each pixel, over {where}. White is "
        f"{made.largest:.3g}, which 0.5 % of the pixels exceed; each map has a white of its own."
    )
    terms = [{"name": name, "value": value} for name, value in made.terms]
    return {"label": f"where {asked.loss} looks", "terms": terms, "note": note}


def _side(word: str) -> str:
    return REFERENCE if word == REFERENCE else f"s{word}"


def _unknown(layer: str) -> InputError:
    return InputError(f"There is no {layer!r} of this picture.")
