"""The chart of rescaling.py: PSNR over bits, a panel for each codec, a curve for each way."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from rescaling_rates import lossy

WIDTH, HEIGHT, GAP = 360, 320, 50  # of a panel
LEFT, TOP, RIGHT, BOTTOM = 56, 44, 16, 84
LOOKS = {
    "full": ("#555555", "6 4", "the picture itself"),
    "bicubic": ("#b4540a", "", "half by bicubic, enlarged"),
    "learned": ("#1f5fa8", "", "half by a learned F, enlarged"),
}
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
MOST_BITS = 3.0


def chart(name: str, found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    """An SVG that stands alone."""
    curves = {
        codec: {
            way: [p for p in lossy(points) if p[0] <= MOST_BITS] for way, points in ways.items()
        }
        for codec, ways in found.items()
    }
    points = [p for ways in curves.values() for curve in ways.values() for p in curve]
    bits = (min(b for b, _ in points) * 0.95, max(b for b, _ in points) * 1.05)
    psnr = (math.floor(min(p for _, p in points)), math.ceil(max(p for _, p in points)))
    panels = [_panel(codec, ways, bits, psnr, k) for k, (codec, ways) in enumerate(curves.items())]
    width = LEFT + len(panels) * WIDTH + (len(panels) - 1) * GAP + RIGHT
    height = TOP + HEIGHT + BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="#333">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LEFT}" y="20" font-size="14">{escape(name)}: PSNR-Y in dB over bits per pixel '
        f"of the original</text>{''.join(panels)}{_legend(height)}</svg>\n"
    )


def _panel(
    codec: str,
    ways: Mapping[str, Sequence[tuple[float, float]]],
    bits: tuple[float, float],
    psnr: tuple[float, float],
    place: int,
) -> str:
    left = LEFT + place * (WIDTH + GAP)

    def x(value: float) -> float:
        low, high = (math.log(b) for b in bits)
        return round(left + WIDTH * (math.log(value) - low) / (high - low), 1)

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (psnr[1] - value) / (psnr[1] - psnr[0]), 1)

    parts = [f'<text x="{left + 6}" y="{TOP + 16}" font-weight="bold">{codec.upper()}</text>']
    for tick in TICKS:
        if bits[0] <= tick <= bits[1]:
            parts.append(
                f'<line x1="{x(tick)}" y1="{TOP}" x2="{x(tick)}" y2="{TOP + HEIGHT}" '
                f'stroke="#e2e2e2"/><text x="{x(tick)}" y="{TOP + HEIGHT + 16}" '
                f'text-anchor="middle">{tick:g}</text>'
            )
    for level in range(int(psnr[0]), int(psnr[1]) + 1, 2):
        parts.append(
            f'<line x1="{left}" y1="{y(level)}" x2="{left + WIDTH}" y2="{y(level)}" '
            f'stroke="#e2e2e2"/><text x="{left - 6}" y="{y(level) + 4}" '
            f'text-anchor="end">{level}</text>'
        )
    for way, curve in ways.items():
        colour, dashes, _ = LOOKS[way]
        line = " ".join(f"{x(b)},{y(p)}" for b, p in curve)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8" '
            f'stroke-dasharray="{dashes}"/>'
        )
        parts += [f'<circle cx="{x(b)}" cy="{y(p)}" r="2.6" fill="{colour}"/>' for b, p in curve]
    return "".join(parts)


def _legend(height: int) -> str:
    parts = []
    for place, (colour, dashes, text) in enumerate(LOOKS.values()):
        left, middle = LEFT + place * 230, height - 30
        parts.append(
            f'<line x1="{left}" y1="{middle}" x2="{left + 28}" y2="{middle}" stroke="{colour}" '
            f'stroke-width="1.8" stroke-dasharray="{dashes}"/>'
            f'<text x="{left + 34}" y="{middle + 4}">{text}</text>'
        )
    return "".join(parts)
