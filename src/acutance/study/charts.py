"""A line chart as a few hundred bytes of SVG, with the values on hover."""

from dataclasses import dataclass, field
from typing import Literal

from acutance.study.axes import (
    Axis,
    apart,
    around,
    dash,
    escape,
    grid,
    labels,
    look_class,
    marker_at,
)

MOST_MARKERS = 12  # of a line; more would hide it
NEAR_ZERO = 0.15  # an x axis that begins below this share of its end begins at 0
LABEL_GAP = 6.0  # per cent of the height that a line of text takes
BESIDE_PX = 7  # between the error bars of two lines at the same x


@dataclass(frozen=True)
class Curve:
    """A named line through points (x, y), each with the ends of its spread where it has one."""

    name: str
    points: tuple[tuple[float, float], ...]
    spread: tuple[tuple[float, float], ...] = ()  # (low, high) of each point
    tag: str = ""  # what stands at the line's end; the name if empty
    look: int = 0  # which colour and shape


@dataclass(frozen=True)
class Chart:
    """Curves, what the axes are, and how spreads are drawn."""

    curves: tuple[Curve, ...]
    x_label: str
    y_label: str
    drawn: Literal["band", "bars"] = "band"
    log_x: bool = False
    marks: tuple[float, ...] = field(default_factory=tuple)  # where x ticks stand
    zero: bool = False  # whether the line y = 0 belongs to the picture


def line_chart(chart: Chart) -> str:
    """The chart as one SVG element, or nothing where there is no point."""
    if not any(curve.points for curve in chart.curves):
        return ""
    curves = [curve for curve in chart.curves if curve.points]
    x_axis, y_axis = _axes(chart, curves)
    parts = [
        f'<svg class="plot" role="img" aria-label="{escape(_spoken(chart, curves))}">',
        *grid(x_axis, y_axis),
        *labels(chart.x_label, chart.y_label),
    ]
    if chart.zero:
        y = y_axis.place(0.0)
        parts.append(f'<line x1="0" x2="100%" y1="{y}%" y2="{y}%" class="zero"/>')
    ends = apart([y_axis.place(c.points[-1][1]) for c in curves], LABEL_GAP)
    for k, (curve, end) in enumerate(zip(curves, ends, strict=True)):
        shift = BESIDE_PX * (k - (len(curves) - 1) / 2) if chart.drawn == "bars" else 0.0
        parts.append(f'<g class="{look_class(curve.look)}" transform="translate({shift:g} 0)">')
        parts += _spread(curve, x_axis, y_axis, chart.drawn)
        parts += _line(curve, x_axis, y_axis)
        last = x_axis.place(curve.points[-1][0])
        away = 12 - shift + (BESIDE_PX * len(curves) / 2 if chart.drawn == "bars" else 0.0)
        parts.append(
            f'<text x="{last}%" dx="{away:g}" y="{end}%" dy="4" class="tag">'
            f"{escape(curve.tag or curve.name)}</text></g>"
        )
    return "".join([*parts, "</svg>"])


def _axes(chart: Chart, curves: list[Curve]) -> tuple[Axis, Axis]:
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    ys += [end for curve in curves for ends in curve.spread for end in ends]
    y_low, y_high = around([*ys, 0.0] if chart.zero else ys)
    x_low, x_high = min(xs), max(xs)
    if 0 <= x_low < NEAR_ZERO * x_high:
        x_low = 0.0
    if chart.log_x:
        x_low, x_high = min(xs) / 1.15, max(xs) * 1.15
    return (
        Axis(x_low, x_high, log=chart.log_x, marks=chart.marks),
        Axis(y_low, y_high, flipped=True),
    )


def _spoken(chart: Chart, curves: list[Curve]) -> str:
    """What the chart shows, for those who do not see it."""
    ends = "; ".join(
        f"{c.name} ends at {c.points[-1][1]:.5g} at {c.points[-1][0]:,.6g}" for c in curves
    )
    return f"{chart.y_label} against {chart.x_label}. {ends}."


def _spread(curve: Curve, x_axis: Axis, y_axis: Axis, drawn: str) -> list[str]:
    if not curve.spread:
        return []
    places = [
        (x_axis.place(x), y_axis.place(low), y_axis.place(high))
        for (x, _), (low, high) in zip(curve.points, curve.spread, strict=True)
        if low == low and high == high  # nan: one seed has no spread
    ]
    if drawn == "bars":
        return [
            f'<line x1="{x}%" x2="{x}%" y1="{low}%" y2="{high}%" class="bar"/>'
            for x, low, high in places
        ]
    outline = [f"{x},{low}" for x, low, _ in places]
    outline += [f"{x},{high}" for x, _, high in reversed(places)]
    return [stretched(f'<polygon points="{" ".join(outline)}" class="band"/>')]


def _line(curve: Curve, x_axis: Axis, y_axis: Axis) -> list[str]:
    path = " ".join(f"{x_axis.place(x)},{y_axis.place(y)}" for x, y in curve.points)
    dashes = dash(curve.look)
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    parts = [stretched(f'<polyline points="{path}" class="line"{style}/>')]
    gap = -(-len(curve.points) // MOST_MARKERS)
    last = len(curve.points) - 1
    for k, (x, y) in enumerate(curve.points):
        if (last - k) % gap:
            continue
        title = f"{curve.name}: {y:.5g} at {x:,.6g}"
        if curve.spread:
            low, high = curve.spread[k]
            title += f" ({low:.5g} to {high:.5g})"
        parts.append(marker_at(x_axis.place(x), y_axis.place(y), curve.look, title))
    return parts


def stretched(shape: str) -> str:
    """A shape whose coordinates are per cent; its lines keep their width."""
    return f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" class="fill">{shape}</svg>'
