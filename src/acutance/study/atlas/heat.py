"""The one figure of the atlas: losses against distortions, as an SVG of coloured cells."""

from collections.abc import Mapping, Sequence
from math import log2

CELL_W, CELL_H, LEFT, TOP = 46, 15, 190, 104
LOW, HIGH = -4.0, 2.0  # of log2 of the ratio: a sixteenth to four times


def heat_map(rows: Mapping[str, Sequence[float]], columns: Sequence[str]) -> str:
    """Rows by name in their order; each cell shows the ratio, dark where the loss is blind."""
    width, height = LEFT + CELL_W * len(columns) + 10, TOP + CELL_H * len(rows) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="10">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for k, name in enumerate(columns):
        x = LEFT + CELL_W * (k + 0.5)
        parts.append(
            f'<text x="{x}" y="{TOP - 6}" transform="rotate(-40 {x} {TOP - 6})">{name}</text>'
        )
    for row, (name, values) in enumerate(rows.items()):
        y = TOP + CELL_H * row
        parts.append(f'<text x="{LEFT - 6}" y="{y + 11}" text-anchor="end">{name}</text>')
        for k, value in enumerate(values):
            back, ink = _colour(value)
            x = LEFT + CELL_W * k
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL_W}" height="{CELL_H}" fill="{back}"/>'
            )
            parts.append(
                f'<text x="{x + CELL_W / 2:g}" y="{y + 11}" fill="{ink}" text-anchor="middle">'
                f"{shorten(value)}</text>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def shorten(value: float) -> str:
    """Two digits that matter."""
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.095 else f"{value:.2f}"


def _colour(value: float) -> tuple[str, str]:
    """From dark blue (blind) over white (as a squared error) to orange (sees more)."""
    place = max(LOW, min(HIGH, log2(max(value, 1e-6))))
    if place < 0:
        share = place / LOW
        ends = ((255, 255, 255), (28, 44, 92))
    else:
        share = place / HIGH
        ends = ((255, 255, 255), (224, 122, 32))
    rgb = [round(a + share * (b - a)) for a, b in zip(*ends, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*rgb), "#fff" if place < LOW / 2 else "#222"
