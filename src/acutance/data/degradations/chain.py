"""Carry out a chain: draw what it leaves open, then one stage after the other."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.contract import Aim, Constant, Option, as_bytes, as_levels
from acutance.data.degradations.expression import (
    Chain,
    Node,
    Shuffle,
    Step,
    stage_of,
)
from acutance.data.degradations.values import Between, OneOf, Value
from acutance.errors import InputError
from acutance.imaging.resample import resize


@dataclass(frozen=True)
class Drawn:
    """One stage as it is carried out: every option has its number or word."""

    name: str
    options: Mapping[str, Constant]
    written: tuple[str, ...] = ()  # those that the chain names; the others have their defaults

    def __str__(self) -> str:
        shown = [
            f"{name}={f'{value:.3g}' if isinstance(value, float) else value}"
            for name, value in self.options.items()
        ]
        return f"{self.name}({', '.join(shown)})" if shown else self.name


def degrade(hr: np.ndarray, chain: Chain, *, scale: int, draw: np.random.Generator) -> np.ndarray:
    """lr of one picture `hr`, uint8 (H, W, 1 or 3) whose sides `scale` divides.

    Gives (H / scale, W / scale, c): uint8, or float32 in levels of 255 where the chain ends with
    `unrounded`. What no stage has brought to that size is reduced by MATLAB's bicubic at the end.
    The same state of `draw` gives the same picture.
    """
    ((_, lr),) = deque(passes(hr, chain, scale=scale, draw=draw), maxlen=1)  # one held at a time
    return lr


def passes(
    hr: np.ndarray, chain: Chain, *, scale: int, draw: np.random.Generator
) -> Iterator[tuple[Drawn | None, np.ndarray]]:
    """The picture after each stage; at the end, with None, lr as `degrade` gives it."""
    if hr.dtype != np.uint8 or hr.ndim != 3 or hr.shape[2] not in (1, 3):
        raise InputError(
            f"A picture to degrade is uint8 (H, W, 1 or 3), not {hr.dtype} {hr.shape}."
        )
    if any(side % scale or not side for side in hr.shape[:2]):
        raise InputError(f"A picture of {hr.shape[1]}x{hr.shape[0]} is not a multiple of {scale}.")
    aim = Aim((hr.shape[0] // scale, hr.shape[1] // scale), draw)
    picture = hr
    for one in drawn(chain, draw):
        picture = DEGRADATIONS.load(one.name)(picture, aim, **one.options)
        yield one, picture
    if picture.shape[:2] != aim.size:
        picture = resize(picture, size=aim.size)
    yield None, as_bytes(picture) if chain.rounded else as_levels(picture)


def drawn(chain: Chain, draw: np.random.Generator) -> list[Drawn]:
    """The stages that are carried out this time, in their order, every option drawn."""
    found: list[Drawn] = []
    for node in chain.nodes:
        # all is drawn, sure or left out, so that p=0.5 and p=1 share every other number
        happens = draw.random() < node.chance
        inside = _drawn_node(node, draw)
        if happens:
            found += inside
    return found


def _drawn_node(node: Node, draw: np.random.Generator) -> list[Drawn]:
    if isinstance(node, Step):
        return [_drawn_step(node, draw)]
    if isinstance(node, Shuffle):
        return [one for place in _order(node, draw) for one in drawn(node.parts[place], draw)]
    place = bisect_right(tuple(accumulate(node.odds)), draw.random())
    return drawn(node.parts[min(place, len(node.parts) - 1)], draw)


def _order(node: Shuffle, draw: np.random.Generator) -> list[int]:
    """The chains in a drawn order, in which those of one argument keep theirs."""
    order = draw.permutation(len(node.parts)).tolist()
    for argument in node.arguments():
        places = sorted(order.index(part) for part in argument)
        for place, part in zip(places, argument, strict=True):
            order[place] = part
    return order


def _drawn_step(step: Step, draw: np.random.Generator) -> Drawn:
    given = dict(step.options)
    options = stage_of(step.name).options
    return Drawn(
        step.name,
        {name: _number(given.get(name, o.default), o, draw) for name, o in options.items()},
        tuple(given),
    )


def _number(value: Value, option: Option, draw: np.random.Generator) -> Constant:
    if isinstance(value, OneOf):
        return value.values[int(draw.integers(len(value.values)))]
    if not isinstance(value, Between):
        return value
    if option.whole and value.law == "even":
        return int(draw.integers(int(value.low), int(value.high) + 1))
    number = value.at(draw.random())
    return round(number) if option.whole else number
