"""Forest plot: every difference of a metric with its interval, its zero, and the noise of seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

from acutance.evaluation.judging import card_of
from acutance.study.axes import Axis, escape, number
from acutance.study.compare.answers import Answers, Difference
from acutance.study.compare.figures.figure import Named, name_arms
from acutance.study.compare.wording import p_value
from acutance.study.numbers import in_unit, interval

FAR = 12  # an interval this many times the usual reach is cut at the edge, and marked
SIGNS = {
    "better": "M0-6L6 5H-6Z",
    "worse": "M0 6L6-5H-6Z",
    "no difference shown": "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z",
    "not enough seeds": "M0-6L6 0L0 6L-6 0Z",
}
UNKNOWN = "–"


@dataclass(frozen=True)
class Row:
    """One set: the bar as SVG text, and the same in words."""

    set: str
    bar: str
    difference: str
    interval: str
    p: str
    word: str


@dataclass(frozen=True)
class Group:
    """One pair of arms at one budget."""

    budget: int
    arm: Named
    against: Named
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Forest:
    """All differences of a metric on one axis."""

    metric: str
    unit: str
    better: str  # which way is better: "higher" or "lower"
    scale: str  # the axis as SVG text
    groups: tuple[Group, ...]


def forest(answers: Answers, metric: str) -> Forest:
    """The forest plot of one metric."""
    card = card_of(metric)
    found = [d for d in answers.differences if d.metric == metric]
    axis = _axis(found)
    names = name_arms(answers.question)
    pairs = dict.fromkeys((d.budget, d.arm, d.against) for d in found)
    groups = tuple(
        Group(
            budget,
            names[arm],
            names[against],
            tuple(_row(d, axis) for d in found if (d.budget, d.arm, d.against) == pair),
        )
        for pair in pairs
        for budget, arm, against in [pair]
    )
    return Forest(metric, card.unit, card.direction, _scale(axis), groups)


def sign(word: str) -> str:
    """The shape of a verdict, as a small SVG of its own."""
    return (
        f'<svg class="sign" viewBox="-6 -6 12 12" aria-hidden="true">'
        f'<path class="{_kind(word)}" d="{SIGNS[word]}"/></svg>'
    )


def _kind(word: str) -> str:
    return "verdict " + {"better": "good", "worse": "bad", "not enough seeds": "open"}.get(
        word, "none"
    )


def _axis(found: Sequence[Difference]) -> Axis:
    """Zero within, and no single wild arm may flatten all the others."""
    reaches = [
        max(abs(v) for v in (d.found.mean, d.found.low, d.found.high) if isfinite(v)) for d in found
    ]
    noises = [d.noise for d in found if isfinite(d.noise)]
    usual = max([FAR * median(reaches)] if reaches else [0.0])
    values = [v for d in found for v in (d.found.mean, d.found.low, d.found.high) if isfinite(v)]
    values = [min(max(v, -usual), usual) for v in values] if usual else values
    widest = max(map(abs, values), default=0.0)
    floor = min(max(noises, default=0.0), 2 * widest) if widest else max(noises, default=0.0)
    low, high = min([*values, -floor]), max([*values, floor])
    spare = 0.06 * (high - low) or 0.5
    return Axis(low - spare, high + spare)


def _row(d: Difference, axis: Axis) -> Row:
    p = p_value(d.p_holm) if isfinite(d.p_holm) else UNKNOWN
    word = d.verdict.word
    return Row(
        set=d.set,
        bar=_bar(d, axis),
        difference=in_unit(d.found.mean, d.metric, signed=True),
        interval=interval(d.found.low, d.found.high, d.metric),
        p=p,
        word=word,
    )


def told(d: Difference) -> str:
    """Everything about one difference in a line, for hovering and for those who do not see it."""
    text = f"{d.arm} against {d.against}, {d.budget:,} steps, {d.set}: "
    text += f"{in_unit(d.found.mean, d.metric, signed=True)} in {d.metric}"
    if isfinite(d.found.low):
        text += f", 95 % interval {interval(d.found.low, d.found.high, d.metric)}"
    if isfinite(d.p_holm):
        text += f", p {p_value(d.found.p)}, after Holm {p_value(d.p_holm)}"
        text += f", effect {d.found.effect:+.1f}, noise of seeds {d.noise:.4f}"
    return f"{text}, {d.found.seeds} seeds, {d.found.pictures} pictures: {d.verdict.word}"


def _bar(d: Difference, axis: Axis) -> str:
    parts = []
    if isfinite(d.noise):
        start, stop = _held(axis, -d.noise), _held(axis, d.noise)
        parts.append(
            f'<rect x="{start}%" width="{round(stop - start, 2)}%" y="0" height="100%" '
            'class="floor"/>'
        )
    parts += [
        f'<line x1="{axis.place(v)}%" x2="{axis.place(v)}%" y1="0" y2="100%" class="grid"/>'
        for v in axis.ticks(5)
    ]
    zero = axis.place(0.0)
    parts.append(f'<line x1="{zero}%" x2="{zero}%" y1="0" y2="100%" class="zero"/>')
    kind = _kind(d.verdict.word)
    if isfinite(d.found.low) and isfinite(d.found.high):
        start, stop = _held(axis, d.found.low), _held(axis, d.found.high)
        parts.append(f'<line x1="{start}%" x2="{stop}%" y1="50%" y2="50%" class="reach {kind}"/>')
        parts += [_end(axis, d.found.low, kind), _end(axis, d.found.high, kind)]
    at = _held(axis, d.found.mean)
    parts.append(
        f'<svg x="{at}%" y="50%" class="spot"><path class="{kind}" '
        f'd="{SIGNS[d.verdict.word]}"/></svg>'
    )
    text = escape(told(d))
    return (
        f'<svg class="track" role="img" aria-label="{text}"><title>{text}</title>'
        f'{"".join(parts)}<rect width="100%" height="100%" class="hover"/></svg>'
    )


def _held(axis: Axis, value: float) -> float:
    return min(100.0, max(0.0, axis.place(value)))


def _end(axis: Axis, value: float, kind: str) -> str:
    """A cap where the interval ends, an arrow where it goes on beyond the edge."""
    at = axis.place(value)
    path = "M0-4V4"
    if at < 0:
        path, at = "M5-5L0 0L5 5", 0.0
    elif at > 100:
        path, at = "M-5-5L0 0L-5 5", 100.0
    return f'<svg x="{at}%" y="50%" class="spot"><path class="reach {kind}" d="{path}"/></svg>'


def _scale(axis: Axis) -> str:
    ticks = "".join(
        f'<line x1="{axis.place(v)}%" x2="{axis.place(v)}%" y1="0" y2="5" class="zero"/>'
        f'<text x="{axis.place(v)}%" y="19" class="tick mid">{number(v)}</text>'
        for v in axis.ticks(5)
    )
    return f'<svg class="track scale" aria-hidden="true">{ticks}</svg>'
