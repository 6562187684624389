"""What all charts share: axes in per cent of a box, looks of arms, and text made safe for SVG.

A chart is an <svg class="plot"> without a viewBox whose padding, given by the page's style, is
the place for ticks and labels. Positions inside are per cent, so a chart fits any width and its
text keeps its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape as _escape_html
from itertools import pairwise
from math import ceil, floor, isfinite, log10

# one shape a look, about 10 px wide, around 0; the page's style gives each look its colour
SHAPES = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "M-4-4H4V4H-4Z",
    "M0-5L5 4H-5Z",
    "M0-5.5L5.5 0L0 5.5L-5.5 0Z",
    "M0 5L5-4H-5Z",
    "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z",
    "M-5-2.5L-2.5-5L0-2.5L2.5-5L5-2.5L2.5 0L5 2.5L2.5 5L0 2.5L-2.5 5L-5 2.5L-2.5 0Z",
    "M-5-1.5H5V1.5H-5Z",
)
DASHES = ("", "6 3", "2 3", "9 3 2 3")  # after eight arms the colours come again, dashed


@dataclass(frozen=True)
class Axis:
    """From a value to its place, 0 to 100 per cent; `flipped` puts the low end at 100."""

    low: float
    high: float
    log: bool = False
    flipped: bool = False
    marks: tuple[float, ...] = ()  # where ticks stand; none: at round values

    def place(self, value: float) -> float:
        """Per cent of the box; values beyond the ends lie beyond 0 and 100."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = log10(low), log10(high), log10(value)
        share = (at - low) / ((high - low) or 1.0)
        return round(100 * (1 - share if self.flipped else share), 2)

    def ticks(self, count: int) -> list[float]:
        """About `count` round values, or the marks."""
        if self.marks:
            return list(self.marks)
        raw = (self.high - self.low) / count or 1.0
        power = 10.0 ** floor(log10(raw))
        found = [self._multiples(m * power) for m in (1, 2, 5, 10)]
        return min(found, key=lambda ticks: abs(len(ticks) - count))

    def _multiples(self, step: float) -> list[float]:
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


def around(values: Sequence[float], *, margin: float = 0.05) -> tuple[float, float]:
    """The ends of an axis that holds `values`, with a share of their range to spare."""
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    spare = margin * (high - low) or abs(high) * margin or 0.5
    return low - spare, high + spare


def marker(look: int, title: str = "") -> str:
    """The shape of a look at the origin, with its title on hover."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<path class="dot" d="{SHAPES[look % len(SHAPES)]}">{inside}</path>'


def marker_at(x: float, y: float, look: int, title: str) -> str:
    """The shape of a look at x, y per cent."""
    return f'<svg x="{x}%" y="{y}%" class="spot">{marker(look, title)}</svg>'


def look_class(look: int) -> str:
    """The classes of what belongs to one arm: its colour, and its number for dimming others."""
    return f"arm n{look} c{look % len(SHAPES)}"


def dash(look: int) -> str:
    """The dashes of a look's line."""
    return DASHES[look // len(SHAPES) % len(DASHES)]


def grid(x_axis: Axis, y_axis: Axis) -> list[str]:
    """Lines and numbers behind a chart."""
    parts = []
    for value in y_axis.ticks(5):
        y = y_axis.place(value)
        parts.append(f'<line x1="0" x2="100%" y1="{y}%" y2="{y}%" class="grid"/>')
        parts.append(f'<text x="0" dx="-8" y="{y}%" dy="4" class="tick end">{number(value)}</text>')
    for value in x_axis.ticks(4):
        x = x_axis.place(value)
        parts.append(
            f'<text x="{x}%" y="100%" dy="18" class="tick mid">{number(value)}</text>'
            f'<line x1="{x}%" x2="{x}%" y1="0" y2="100%" class="grid faint"/>'
        )
    return parts


def labels(x_label: str, y_label: str) -> list[str]:
    """What the axes show: y above its numbers, x below its numbers."""
    return [
        f'<text x="0" dx="-50" y="0" dy="-12" class="axis">{escape(y_label)}</text>',
        f'<text x="50%" y="100%" dy="38" class="axis mid">{escape(x_label)}</text>',
    ]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Move labels apart that would stand on each other, as little as may be, within 0 and 100."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    if order:
        moved[order[-1]] = min(moved[order[-1]], max(100.0, gap * (len(places) - 1)))
    for after, before in pairwise(reversed(order)):
        moved[before] = min(moved[before], moved[after] - gap)
    return moved


def number(value: float) -> str:
    """A tick's number: thousands apart, no long tails."""
    if abs(value) >= 1000 and value == int(value):
        return f"{value:,.0f}"
    return f"{value:.6g}".replace("-", "−")


def escape(text: str) -> str:
    """Text as it may stand in SVG and in its attributes."""
    return _escape_html(text, quote=True)
