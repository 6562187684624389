"""The plane of fidelity and perception: no method is best in both, so both are shown at once.

Blau, Michaeli: The Perception-Distortion Tradeoff (CVPR 2018). Mixtures of two arms are a curve
through it, each marked with the share of the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from acutance.evaluation.judging import card_of
from acutance.evaluation.scoring import Scores
from acutance.study.axes import Axis, around, escape, grid, labels, look_class, marker_at
from acutance.study.charts import stretched
from acutance.study.compare.answers import Answers
from acutance.study.compare.figures.figure import Figure, Named, name_arms
from acutance.study.compare.question import Question

CLOSE = 0.3  # arms that fill less of an axis than this get a second chart without bicubic
LABEL_GAP, LABEL_LETTER = 1.2, 1.9  # from a spot, and of a letter: per cent of the width
LABEL_HEIGHT, LABEL_STEP, LABEL_TRIES = 6.0, 1.0, 30  # per cent of the height


@dataclass(frozen=True)
class Spot:
    """One method: its means, and how seeds spread them."""

    named: Named
    x: float
    y: float
    x_noise: float = 0.0
    y_noise: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Mixtures from one spot to another: (share of the other, x, y), both ends included."""

    points: tuple[tuple[float, float, float], ...] = ()
    named: bool = True  # whether the shares stand beside the points, or come up on hover alone


NO_CURVE = Curve()


def perception_metrics(question: Question) -> tuple[str, ...]:
    """Those of the question's metrics that judge perception; none without PSNR beside them."""
    if "psnr" not in question.metrics:
        return ()
    return tuple(m for m in question.metrics if card_of(m).judges == "perception")


def planes(answers: Answers, bicubic: Scores | None) -> tuple[Figure, ...]:
    """One chart for each set and each metric of perception, at the largest budget."""
    sets = dict.fromkeys(mean.set for mean in answers.means)
    return tuple(
        figure
        for metric in perception_metrics(answers.question)
        for group in sets
        for figure in _figures(answers, group, metric, bicubic)
    )


def _figures(answers: Answers, group: str, metric: str, bicubic: Scores | None) -> list[Figure]:
    arms = _arms(answers, group, metric)
    if not arms:
        return []
    budget = answers.question.steps[-1]
    title = f"{group}: PSNR and {metric}, {budget:,} steps"
    curve = _curve(answers, group, metric)
    figures = []
    if bicubic is not None:
        named = Named(len(answers.question.losses), "bicubic", "bicubic, no network")
        scores = (bicubic.mean(group, "psnr"), bicubic.mean(group, metric))
        whole = [*arms, Spot(named, *scores)]
        if not _far(arms, whole):
            return [plane(title, whole, metric, curve=curve)]
        far = replace(curve, named=False)
        figures.append(plane(title, whole, metric, tagged=whole[-1:], curve=far))
        title += ", without bicubic"
    return [*figures, plane(title, arms, metric, curve=curve)]


def _curve(answers: Answers, group: str, metric: str) -> Curve:
    found = {
        (at.share, at.mean.metric): at.mean.mean for at in answers.dial if at.mean.set == group
    }
    shares = sorted({share for share, _ in found})
    return Curve(tuple((share, found[share, "psnr"], found[share, metric]) for share in shares))


def _arms(answers: Answers, group: str, metric: str) -> list[Spot]:
    names = name_arms(answers.question)
    budget = answers.question.steps[-1]
    found = {(m.arm, m.metric): m for m in answers.means if (m.budget, m.set) == (budget, group)}
    return [
        Spot(names[arm], x.mean, y.mean, _known(x.noise), _known(y.noise))
        for arm in answers.question.losses
        if (x := found.get((arm, "psnr"))) and (y := found.get((arm, metric)))
    ]


def _known(noise: float) -> float:
    return noise if isfinite(noise) else 0.0  # of one seed it is not known


def _far(arms: list[Spot], whole: list[Spot]) -> bool:
    """Whether bicubic is so far off that the arms cannot be told apart beside it."""

    def extent(values: list[float]) -> float:
        return max(values) - min(values)

    return any(
        extent([getattr(s, side) for s in arms]) < CLOSE * extent([getattr(s, side) for s in whole])
        for side in ("x", "y")
    )


def plane(
    title: str,
    spots: Sequence[Spot],
    metric: str,
    *,
    tagged: Sequence[Spot] | None = None,
    curve: Curve = NO_CURVE,
) -> Figure:
    """PSNR to the right, `metric` upwards, with a curve between two of the spots.

    Names stand beside the spots of `tagged`, or of all; of the others they come up on hover.
    """
    tagged = spots if tagged is None else tagged
    x_axis, y_axis = _axes(spots, curve)
    card = card_of(metric)
    y_label = f"{metric}{', ' if card.unit else ''}{card.unit} ({card.direction} is better)"
    spoken = "; ".join(f"{s.named.name}: {s.x:.2f} dB, {s.y:.4g}" for s in spots)
    parts = [
        f'<svg class="plot" role="img" aria-label="{escape(f"{title}. {spoken}.")}">',
        *grid(x_axis, y_axis),
        *labels("PSNR, dB (higher is better)", y_label),
    ]
    parts += _drawn(curve, metric, x_axis, y_axis)
    for spot in spots:
        x, y = x_axis.place(spot.x), y_axis.place(spot.y)
        text = f"{spot.named.name}: PSNR {spot.x:.3f} dB, {metric} {spot.y:.4f}"
        parts += [
            f'<g class="{look_class(spot.named.look)}">',
            *_cross(spot, x_axis, y_axis),
            marker_at(x, y, spot.named.look, text),
            "</g>",
        ]
    parts += _tags(spots, tagged, x_axis, y_axis)
    return Figure(title, "".join([*parts, "</svg>"]))


def _drawn(curve: Curve, metric: str, x_axis: Axis, y_axis: Axis) -> list[str]:
    """The line, and a dot for each mixture between the ends, which are spots of their own."""
    if not curve.points:
        return []
    places = [(x_axis.place(x), y_axis.place(y)) for _, x, y in curve.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    parts = [stretched(f'<polyline points="{path}" class="line thin"/>')]
    for (share, psnr, value), (x, y) in list(zip(curve.points, places, strict=True))[1:-1]:
        text = f"{share:.0%} of the second: PSNR {psnr:.3f} dB, {metric} {value:.4f}"
        parts.append(
            f'<circle cx="{x}%" cy="{y}%" r="3" class="mixture"><title>{text}</title></circle>'
        )
        if curve.named:
            parts.append(
                f'<text x="{x}%" dx="-7" y="{y}%" dy="-5" class="tick end">{share:.0%}</text>'
            )
    return parts


def _axes(spots: Sequence[Spot], curve: Curve) -> tuple[Axis, Axis]:
    xs = [s.x + sign * s.x_noise for s in spots for sign in (-1, 0, 1)]
    ys = [s.y + sign * s.y_noise for s in spots for sign in (-1, 0, 1)]
    xs += [x for _, x, _ in curve.points]
    ys += [y for _, _, y in curve.points]
    x_low, x_high = around(xs, margin=0.08)
    y_low, y_high = around(ys, margin=0.08)
    return Axis(x_low, x_high), Axis(y_low, y_high, flipped=True)


def _tags(spots: Sequence[Spot], tagged: Sequence[Spot], x: Axis, y: Axis) -> list[str]:
    """The names, each beside its spot where neither a spot nor another name is in its way."""
    taken = [_Box(x.place(s.x) - 1, x.place(s.x) + 1, y.place(s.y)) for s in spots]
    down = sum(y.place(s.y) for s in tagged) < 50 * len(tagged)
    parts: list[str] = []
    for spot in sorted(tagged, key=lambda s: y.place(s.y), reverse=not down):
        box = _free(spot, taken, (x, y), LABEL_STEP if down else -LABEL_STEP)
        taken.append(box)
        right = box.left > x.place(spot.x)
        parts.append(
            f'<text x="{x.place(spot.x + (spot.x_noise if right else -spot.x_noise))}%" '
            f'dx="{9 if right else -9}" y="{round(box.height, 2)}%" dy="4" '
            f'class="tag {"" if right else "end "}{look_class(spot.named.look)}">'
            f"{escape(spot.named.tag)}</text>"
        )
    return parts


@dataclass(frozen=True)
class _Box:
    """A piece of the chart that is taken, in per cent of its width and height."""

    left: float
    right: float
    height: float  # of its middle

    def meets(self, other: "_Box") -> bool:
        """Whether there is no room between both."""
        beside = self.left >= other.right or other.left >= self.right
        return not beside and abs(self.height - other.height) < LABEL_HEIGHT


def _free(spot: Spot, taken: Sequence[_Box], axes: tuple[Axis, Axis], step: float) -> _Box:
    """The nearest place to the right or the left of a spot, away from the nearer edge."""
    width = LABEL_LETTER * len(spot.named.tag)
    right = axes[0].place(spot.x + spot.x_noise) + LABEL_GAP
    left = axes[0].place(spot.x - spot.x_noise) - LABEL_GAP
    height = axes[1].place(spot.y)
    boxes = [
        box
        for k in range(LABEL_TRIES)
        for box in (
            _Box(right, right + width, height + k * step),
            _Box(left - width, left, height + k * step),
        )
    ]
    free = (box for box in boxes if box.left > 0 and not any(map(box.meets, taken)))
    return next(free, boxes[0])


def _cross(spot: Spot, x_axis: Axis, y_axis: Axis) -> list[str]:
    x, y = x_axis.place(spot.x), y_axis.place(spot.y)
    left, right = (x_axis.place(spot.x + s * spot.x_noise) for s in (-1, 1))
    top, bottom = (y_axis.place(spot.y + s * spot.y_noise) for s in (1, -1))
    return [
        f'<line x1="{left}%" x2="{right}%" y1="{y}%" y2="{y}%" class="bar"/>',
        f'<line x1="{x}%" x2="{x}%" y1="{top}%" y2="{bottom}%" class="bar"/>',
    ]
