"""Spots on two axes: trials of each kind, the start, and crosses of fresh seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import Literal

from acutance.evaluation.judging import card_of
from acutance.study.axes import Axis, apart, around, escape, grid, labels, marker_at
from acutance.study.compare.figures.figure import Figure
from acutance.study.numbers import digits
from acutance.study.tune.found import Found, Tried
from acutance.study.tune.front import PICKS

Kind = Literal["halted", "whole", "front", "pick", "start", "again"]
START_LOOK = 6  # a shape that no pick has
MOST_MARKS = 6  # of a logarithmic axis; with more, decades alone
LABEL_GAP = 7.0  # per cent of the height that a name takes
LEFT_FROM = 55.0  # per cent; further right, a name stands to the left of its spot


@dataclass(frozen=True)
class Spot:
    """One place; a cross has the ends of its arms."""

    x: float
    y: float
    kind: Kind
    title: str
    look: int = 0
    tag: str = ""
    x_ends: tuple[float, ...] = ()
    y_ends: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scatter:
    """Spots, the corners of a line between them, and what the axes are."""

    title: str
    spoken: str
    x_label: str
    y_label: str
    spots: tuple[Spot, ...]
    line: tuple[tuple[float, float], ...] = ()
    x_axis: Axis | None = None  # none: as wide as the spots
    y_marks: tuple[float, ...] = ()


def scatter_figure(scatter: Scatter) -> Figure:
    """The chart as SVG text under its title."""
    x_axis, y_axis = _axes(scatter)
    spoken = escape(f"{scatter.title}. {scatter.spoken}")
    parts = [
        f'<svg class="plot" role="img" aria-label="{spoken}">',
        *grid(x_axis, y_axis),
        *labels(scatter.x_label, scatter.y_label),
    ]
    places = [(x_axis.place(x), y_axis.place(y)) for x, y in scatter.line]
    parts += [
        f'<line x1="{x}%" y1="{y}%" x2="{u}%" y2="{v}%" class="stair"/>'
        for (x, y), (u, v) in pairwise(places)
    ]
    for spot in scatter.spots:
        parts += _drawn(spot, x_axis, y_axis)
    return Figure(scatter.title, "".join([*parts, *_tags(scatter.spots, x_axis, y_axis), "</svg>"]))


def _axes(scatter: Scatter) -> tuple[Axis, Axis]:
    xs = [v for s in scatter.spots for v in (s.x, *s.x_ends)]
    ys = [v for s in scatter.spots for v in (s.y, *s.y_ends)]
    x_axis = scatter.x_axis or Axis(*around(xs, margin=0.08))
    return x_axis, Axis(*around(ys, margin=0.08), flipped=True, marks=scatter.y_marks)


def _drawn(spot: Spot, x_axis: Axis, y_axis: Axis) -> list[str]:
    x, y = x_axis.place(spot.x), y_axis.place(spot.y)
    group = f'<g class="c{spot.look} {spot.kind}">'
    if spot.kind != "again":
        return [group, marker_at(x, y, spot.look, spot.title), "</g>"]
    parts = [group, f"<title>{escape(spot.title)}</title>"]
    if spot.x_ends:
        left, right = (x_axis.place(v) for v in spot.x_ends)
        parts.append(f'<line x1="{left}%" x2="{right}%" y1="{y}%" y2="{y}%" class="bar"/>')
    if spot.y_ends:
        low, high = (y_axis.place(v) for v in spot.y_ends)
        parts.append(f'<line x1="{x}%" x2="{x}%" y1="{low}%" y2="{high}%" class="bar"/>')
    return [*parts, f'<circle cx="{x}%" cy="{y}%" r="3" class="mean"/></g>']


def _tags(spots: Sequence[Spot], x_axis: Axis, y_axis: Axis) -> list[str]:
    """Names above their spots, where no arm of a cross is; turned inward and moved apart."""
    tagged = [spot for spot in spots if spot.tag]
    heights = apart([y_axis.place(spot.y) for spot in tagged], LABEL_GAP)
    parts = []
    for spot, y in zip(tagged, heights, strict=True):
        x = x_axis.place(spot.x)
        side = 'dx="-8" class="tag end' if x > LEFT_FROM else 'dx="8" class="tag'
        parts.append(
            f'<text x="{x}%" y="{round(y, 2)}%" dy="-8" {side} c{spot.look} {spot.kind}">'
            f"{escape(spot.tag)}</text>"
        )
    return parts


def kind_of(found: Found, trial: Tried) -> tuple[Kind, int, str]:
    """What a trial is, the look of that, and the names that it was picked under."""
    for member in found.front:
        if member.trial.number == trial.number:
            if member.names:
                return "pick", look_of(member.names[0]), ", ".join(member.names)
            return "front", 0, ""
    return ("whole" if trial.steps == found.tuning.stops[-1] else "halted"), 0, ""


def look_of(pick: str) -> int:
    """The colour and shape of a named pick."""
    return 1 + PICKS.index(pick)


def in_order(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """What matters most is drawn last, and so on top."""
    order: tuple[Kind, ...] = ("halted", "whole", "again", "front", "start", "pick")
    return tuple(sorted(spots, key=lambda spot: order.index(spot.kind)))


def told(found: Found, trial: Tried) -> str:
    """A trial in a line, for hovering."""
    values = ", ".join(
        f"{m} {digits(v, m)}"
        for m, v in zip(found.tuning.search.objective, trial.values, strict=True)
    )
    halted = "" if trial.steps == found.tuning.stops[-1] else f", halted at {trial.steps:,} steps"
    return f"trial {trial.number}: {values}{halted}"


def axis_label(metric: str) -> str:
    """A metric with its unit and its better side."""
    card = card_of(metric)
    unit = f", {card.unit}" if card.unit else ""
    return f"{metric}{unit} ({card.direction} is better)"


def log_marks(low: float, high: float) -> tuple[float, ...]:
    """1, 2 and 5 of each decade between the ends, or the decades alone where these are many."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)

    def within(digits: Sequence[int]) -> tuple[float, ...]:
        every = [float(f"{digit}e{power}") for power in decades for digit in digits]
        return tuple(v for v in every if low * (1 - 1e-9) <= v <= high * (1 + 1e-9))

    fine = within((1, 2, 5))
    return fine if len(fine) <= MOST_MARKS else within((1,))
