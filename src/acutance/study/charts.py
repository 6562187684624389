"""A line chart as a few hundred bytes of SVG, with the values on hover."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

COLOURS = ("#2563a8", "#c4511d", "#2f7d4f", "#8a4fa3", "#7a6a1f", "#3d7f8c")
WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 150, 14, 40


@dataclass(frozen=True)
class Curve:
    """A named line through points (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start_px: float
    stop_px: float

    def px(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start_px + share * (self.stop_px - self.start_px), 1)

    def ticks(self, count: int) -> list[float]:
        step = _round_step((self.high - self.low) / count)
        first = -(-self.low // step)
        found = [(first + k) * step for k in range(2 * count + 2)]
        return [v for v in found if v <= self.high + 1e-9 * step]


def line_chart(curves: Sequence[Curve], x_label: str, y_label: str) -> str:
    """The curves as one SVG element; names stand at the line ends, so no legend is needed."""
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    if not xs:
        return ""
    margin = 0.05 * (max(ys) - min(ys)) or 0.5
    x_axis = _Axis(0.0, max(xs), LEFT, WIDTH - RIGHT)
    y_axis = _Axis(min(ys) - margin, max(ys) + margin, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{_escape(y_label)} against {_escape(x_label)}">',
        *_grid(x_axis, y_axis),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" class="axis">{_escape(x_label)}'
        "</text>",
        f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2}" class="axis" '
        f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})">{_escape(y_label)}</text>',
    ]
    heights = _apart([y_axis.px(c.points[-1][1]) for c in curves])
    for k, (curve, height) in enumerate(zip(curves, heights, strict=True)):
        parts += _line(curve, COLOURS[k % len(COLOURS)], x_axis, y_axis, height)
    return "".join([*parts, "</svg>"])


def _grid(x_axis: _Axis, y_axis: _Axis) -> list[str]:
    parts = []
    for value in y_axis.ticks(5):
        y = y_axis.px(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" class="tick end">{value:g}</text>')
    for value in x_axis.ticks(5):
        x = x_axis.px(value)
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" class="tick mid">{value:g}</text>')
    return parts


def _line(curve: Curve, colour: str, x_axis: _Axis, y_axis: _Axis, label_px: float) -> list[str]:
    spots = [(x_axis.px(x), y_axis.px(y), x, y) for x, y in curve.points]
    path = " ".join(f"{px},{py}" for px, py, _, _ in spots)
    name = _escape(curve.name)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    parts += [
        f'<circle cx="{px}" cy="{py}" r="3" fill="{colour}">'
        f"<title>{name}: {y:.3f} at {x:g}</title></circle>"
        for px, py, x, y in spots
    ]
    parts.append(f'<text x="{spots[-1][0] + 8}" y="{label_px + 4}" fill="{colour}">{name}</text>')
    return parts


def _apart(heights: Sequence[float], gap: float = 15.0) -> list[float]:
    """Move labels apart that would stand on each other."""
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    placed = list(heights)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    return placed


def _round_step(raw: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(raw or 1.0))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= raw)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
