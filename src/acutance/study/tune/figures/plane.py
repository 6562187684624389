"""Where trials lie in what was looked for: a plane of two objectives, or the dots of one."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from acutance.study.axes import Axis, around
from acutance.study.compare.figures.figure import Figure
from acutance.study.numbers import digits
from acutance.study.tune.figures.scatter import (
    START_LOOK,
    Scatter,
    Spot,
    axis_label,
    in_order,
    kind_of,
    look_of,
    scatter_figure,
    told,
)
from acutance.study.tune.found import Found, Member
from acutance.study.tune.front import higher_is_better, ranks
from acutance.study.tune.wording import gain

CLOSE = 0.35  # a front that fills less of an axis than this gets a chart of its own


def planes(found: Found) -> tuple[Figure, ...]:
    """The first two objectives; the front closer by, where start or halted trials lie far off."""
    everything = in_order(_spots(found))
    near = _near(everything)
    if not _is_crowded(near, everything):
        return (_figure(found, everything, "All trials"),)
    far = tuple(spot if spot.kind == "start" else replace(spot, tag="") for spot in everything)
    return (
        _figure(found, near, "Near the front"),
        _figure(found, far, "All trials, and the start"),
    )


def dots(found: Found) -> tuple[Figure, ...]:
    """One objective: its value at each trial, in the order of the trials."""
    spots = in_order(_spots(found))
    last = max(trial.number for trial in found.trials)
    rows = Axis(0, max(last, 1)).ticks(5)
    scatter = Scatter(
        title="All trials",
        spoken=_spoken(found),
        x_label=axis_label(found.tuning.search.objective[0]),
        y_label="trial",
        spots=spots,
        y_marks=tuple(row for row in rows if row == int(row)),
    )
    return (scatter_figure(scatter),)


def _spots(found: Found) -> list[Spot]:
    """Trials, fresh means and the start; of one objective, y is the order."""
    spots = [Spot(*_place(found.start, -1), "start", _start(found), START_LOOK, "start")]
    for trial in found.trials:
        kind, look, names = kind_of(found, trial)
        title = told(found, trial) + (f", {names}" if names else "")
        spots.append(Spot(*_place(trial.values, trial.number), kind, title, look, names))
    return spots + [cross(found, member) for member in found.front if member.again]


def _place(values: Sequence[float], row: int) -> tuple[float, float]:
    return (values[0], values[1]) if len(values) > 1 else (values[0], float(row))


def _start(found: Found) -> str:
    objective = found.tuning.search.objective
    values = zip(objective, found.start, strict=True)
    return "start: " + ", ".join(f"{m} {digits(v, m)}" for m, v in values)


def cross(found: Found, member: Member) -> Spot:
    """The mean of fresh seeds, with the interval of its gain over the start."""
    objective = found.tuning.search.objective
    gains = ", ".join(
        f"{m} {gain(result, m)}" for m, result in zip(objective, member.again, strict=True)
    )
    ends = [
        (base + result.low, base + result.high)
        for base, result in zip(found.start, member.again, strict=True)
    ]
    back = "" if member.holds else "; fell back"
    return Spot(
        *_place(member.means, member.trial.number),
        kind="again",
        title=f"trial {member.trial.number}, fresh seeds less the start: {gains}{back}",
        look=look_of(member.names[0]) if member.names else 0,
        x_ends=ends[0],
        y_ends=ends[1] if len(ends) > 1 else (),
    )


def _near(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """What lies where the whole trials and the fresh means do; arms end at the edge of that."""
    inner = [spot for spot in spots if spot.kind not in ("halted", "start")]
    x_ends, y_ends = around([s.x for s in inner]), around([s.y for s in inner])
    return tuple(
        replace(spot, x_ends=_held(spot.x_ends, x_ends), y_ends=_held(spot.y_ends, y_ends))
        for spot in spots
        if x_ends[0] <= spot.x <= x_ends[1] and y_ends[0] <= spot.y <= y_ends[1]
    )


def _held(ends: Sequence[float], within: tuple[float, float]) -> tuple[float, ...]:
    return tuple(min(max(end, within[0]), within[1]) for end in ends)


def _is_crowded(near: Sequence[Spot], everything: Sequence[Spot]) -> bool:
    return any(_extent(near, side) < CLOSE * _extent(everything, side) for side in (0, 1))


def _extent(spots: Sequence[Spot], side: int) -> float:
    values = [v for s in spots for v in ((s.x, *s.x_ends), (s.y, *s.y_ends))[side]]
    return max(values) - min(values)


def _figure(found: Found, spots: tuple[Spot, ...], title: str) -> Figure:
    first, second = found.tuning.search.objective[:2]
    scatter = Scatter(
        title=f"{title}: {first} and {second}",
        spoken=_spoken(found),
        x_label=axis_label(first),
        y_label=axis_label(second),
        spots=spots,
        line=_stairs(found),
    )
    return scatter_figure(scatter)


def _stairs(found: Found) -> tuple[tuple[float, float], ...]:
    """The edge of what the front beats in the first two objectives, corner by corner."""
    objective = found.tuning.search.objective[:2]
    values = np.array([member.trial.values[:2] for member in found.front])
    edge = values[ranks(values, objective) == 0]
    edge = edge[np.argsort(edge[:, 0], kind="stable")]
    worse = [min if up else max for up in higher_is_better(objective)]
    line = [(float(edge[0, 0]), float(edge[0, 1]))]
    for before, after in pairwise(edge.tolist()):
        line.append((worse[0](before[0], after[0]), worse[1](before[1], after[1])))
        line.append((after[0], after[1]))
    return tuple(line)


def _spoken(found: Found) -> str:
    """The start, the picks and their fresh means, for those who do not see the chart."""
    picked = [member for member in found.front if member.names]
    said = [f"{', '.join(member.names)}: {told(found, member.trial)}" for member in picked]
    said += [cross(found, member).title for member in picked if member.again]
    count = f"{len(found.trials)} trials, {len(found.front)} on the front"
    return "; ".join([count, _start(found), *said]) + "."
