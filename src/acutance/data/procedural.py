"""Pictures drawn from nothing but a seed: for a first run without a download, and for tests.

The dead leaves model: shapes of all sizes fall on each other. It shares with photographs what
matters to restoration: edges by occlusion, scale invariance and a power spectrum of slope -2.
Lee, Mumford, Huang: Occlusion Models for Natural Images (IJCV 2001). Trained on such pictures a
network restores photographs nearly as well as one trained on photographs: Achddou, Gousseau,
Ladjal: Synthetic images as a regularity prior for image restoration neural networks (SSVM 2021).
Ours adds gradients of light, textures, thin bars and text-like strokes.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from acutance.data.streams import Stream, below, philox
from acutance.data.textures import natural_noise, stripes, strokes, waves

OVERDRAW = 2  # drawn at twice the size, then averaged: what smooths the edges

# How often a leaf has which shape and which surface.
SHAPES = (("disc", 0.22), ("ellipse", 0.30), ("polygon", 0.30), ("bar", 0.18))
SURFACES = (
    ("plain", 0.22),
    ("noise", 0.34),
    ("gravel", 0.14),
    ("waves", 0.10),
    ("stripes", 0.08),
    ("checks", 0.04),
    ("strokes", 0.08),
)
# Hue in degrees: middle, spread, how often. Earth and skin, leaves, sky, everything else.
HUES = ((32.0, 22.0, 0.46), (100.0, 30.0, 0.18), (215.0, 18.0, 0.24), (180.0, 180.0, 0.12))
LETTER_CELLS = ((14, 10), (20, 14), (30, 20))  # height, width in drawn px


def procedural_picture(seed: int, index: int, *, height: int = 256, width: int = 256) -> np.ndarray:
    """Picture number `index` of `seed`, uint8 (height, width, 3).

    A pure function: the same numbers give the same picture in any process.
    """
    draw = np.random.Generator(philox(seed, Stream.PICTURE, step=index))
    rows, columns = OVERDRAW * height, OVERDRAW * width
    fields = _fields(draw, max(rows, columns))
    palette = _palette(draw)
    canvas = _ground(draw, fields, palette, rows=rows, columns=columns)
    for leaf in _leaves(draw, palette, rows=rows, columns=columns):
        _paint(canvas, leaf, fields)
    return _develop(draw, canvas)


@dataclass(frozen=True)
class _Fields:
    """Surfaces as large as the canvas, from which leaves cut theirs."""

    noise: np.ndarray
    gravel: np.ndarray
    strokes: np.ndarray


@dataclass(frozen=True)
class _Leaf:
    """One shape: where, how large (drawn px), how turned, of which form and surface."""

    y: float
    x: float
    radius: float
    cos: float
    sin: float
    shape: str
    surface: str
    colour: np.ndarray
    dice: np.ndarray  # 24 numbers in [0, 1) for whatever else must be chosen


@dataclass(frozen=True, eq=False)
class _Coordinates:
    """The leaf's own coordinates of every pixel of the box around it (h, w), drawn px."""

    along: np.ndarray
    across: np.ndarray

    @cached_property
    def distance2(self) -> np.ndarray:
        """Squared distance from the middle."""
        return self.along * self.along + self.across * self.across


def _fields(draw: np.random.Generator, side: int) -> _Fields:
    padded = 4 * 2 ** max(0, math.ceil(math.log2(side / 4)))
    cell = LETTER_CELLS[int(draw.random() * len(LETTER_CELLS))]
    return _Fields(
        noise=natural_noise(draw, padded, roughness=1.1),
        gravel=natural_noise(draw, padded, roughness=1.35),
        strokes=strokes(draw, side, cell=cell),
    )


def _palette(draw: np.random.Generator) -> np.ndarray:
    """Five to nine colours (k, 3), 0..255, that occur together: dark more often than light."""
    count = 5 + int(draw.random() * 5)
    light = 12.0 + 220.0 * draw.random(count) ** (0.8 + 0.8 * draw.random())
    vivid = 0.7 * draw.random(count) * draw.random(count)
    kind = np.searchsorted(np.cumsum([share for *_, share in HUES]), draw.random(count))
    middle, spread, _ = np.array(HUES)[np.minimum(kind, len(HUES) - 1)].T
    hue = middle + spread * (draw.random(count) + draw.random(count) - 1.0)
    colours = [
        [y * (1.0 + s * math.cos(math.radians(h - to))) for to in (0.0, 120.0, 240.0)]
        for y, s, h in zip(light, vivid, hue, strict=True)
    ]
    return np.round(np.clip(colours, 0.0, 255.0), 3)


def _ground(
    draw: np.random.Generator, fields: _Fields, palette: np.ndarray, *, rows: int, columns: int
) -> np.ndarray:
    """The canvas (3, rows, columns) float32 before the first leaf: two colours mixed by noise."""
    mix = np.clip(fields.noise[:rows, :columns] * np.float32(0.4) + np.float32(0.5), 0.0, 1.0)
    first, second = palette[below(draw.random(2), len(palette))].astype(np.float32)
    grain = fields.gravel[:rows, :columns] * np.float32(10.0 * draw.random())
    return first[:, None, None] + (second - first)[:, None, None] * mix + grain


def _leaves(
    draw: np.random.Generator, palette: np.ndarray, *, rows: int, columns: int
) -> list[_Leaf]:
    """The leaves from the lowest to the uppermost."""
    crowd = rows * columns / 512**2
    count = max(8, int(crowd * (80 + 200 * draw.random())))
    radius = _radii(draw, count, largest=0.55 * min(rows, columns))
    # Large ones tend to lie below: with a few hundred leaves they would hide all the rest.
    order = np.argsort(-radius * (0.15 + draw.random(count)), kind="stable")
    place = draw.random((count, 2)) * (rows, columns)
    turn = draw.random(count) * 2 * math.pi
    shape = _choose(draw.random(count), SHAPES)
    surface = _choose(draw.random(count), SURFACES)
    colour = palette[below(draw.random(count), len(palette))]
    # Leaves of one colour differ in light more than in hue.
    colour = colour * (0.75 + 0.5 * draw.random((count, 1))) + 16.0 * (
        draw.random((count, 3)) - 0.5
    )
    dice = draw.random((count, 24))
    return [
        _Leaf(
            y=float(place[i, 0]),
            x=float(place[i, 1]),
            radius=float(radius[i]),
            cos=round(math.cos(turn[i]), 6),
            sin=round(math.sin(turn[i]), 6),
            shape=shape[i],
            surface=surface[i],
            colour=colour[i],
            dice=dice[i],
        )
        for i in order
    ]


def _radii(draw: np.random.Generator, count: int, *, largest: float) -> np.ndarray:
    """Radii (drawn px) with density r^-a, a between 1.5 and 2.7.

    a = 3 would be scale invariance, but takes thousands of leaves to cover a picture; the fine
    detail that is missing below 3 comes from the textures.
    """
    smallest = 5.0 + 6.0 * draw.random()
    power = 1.0 - (1.5 + 1.2 * draw.random())
    low, high = smallest**power, largest**power
    return np.array([round((low + u * (high - low)) ** (1 / power), 3) for u in draw.random(count)])


def _choose(uniform: np.ndarray, weighted: tuple[tuple[str, float], ...]) -> list[str]:
    edges = np.cumsum([weight for _, weight in weighted])
    found = np.searchsorted(edges, uniform * edges[-1], side="right")
    return [weighted[i][0] for i in np.minimum(found, len(weighted) - 1)]


def _paint(canvas: np.ndarray, leaf: _Leaf, fields: _Fields) -> None:
    """Lay one leaf on the canvas."""
    reach = leaf.radius + 1.0
    top, bottom = max(0, int(leaf.y - reach)), min(canvas.shape[1], int(leaf.y + reach) + 1)
    left, right = max(0, int(leaf.x - reach)), min(canvas.shape[2], int(leaf.x + reach) + 1)
    y = (np.arange(top, bottom) + (0.5 - leaf.y)).astype(np.float32)[:, None]
    x = (np.arange(left, right) + (0.5 - leaf.x)).astype(np.float32)[None, :]
    here = _Coordinates(
        along=x * np.float32(leaf.cos) + y * np.float32(leaf.sin),
        across=y * np.float32(leaf.cos) - x * np.float32(leaf.sin),
    )
    outside = _outline(leaf, here)
    shade, tint = _surface(leaf, here, fields)
    under = canvas[:, top:bottom, left:right]
    soft = leaf.dice[0] < 0.08  # out of focus
    cover = _softness(leaf, outside) if soft else outside < 0
    for channel in range(3):
        colour = shade * np.float32(tint[channel]) + np.float32(leaf.colour[channel])
        if soft:
            under[channel] += (colour - under[channel]) * cover
        else:
            np.copyto(under[channel], colour, where=cover)


def _softness(leaf: _Leaf, outside: np.ndarray) -> np.ndarray:
    """Cover 0..1 that fades over part of the radius, inwards."""
    fade = leaf.radius * (0.1 + 0.4 * leaf.dice[1])
    return np.clip(outside * np.float32(-1.0 / fade), 0.0, 1.0)


def _outline(leaf: _Leaf, here: _Coordinates) -> np.ndarray:
    """Below 0 inside the leaf, above 0 outside; roughly the distance from the edge in px."""
    radius = np.float32(leaf.radius)
    if leaf.shape == "disc":
        distance = np.sqrt(here.distance2)
        if leaf.dice[2] < 0.15:  # a ring
            return np.abs(distance - radius * np.float32(0.8)) - radius * np.float32(0.2)
        return distance - radius
    if leaf.shape == "ellipse":
        flat = np.float32(1.0 / (0.25 + 0.65 * leaf.dice[2]))
        stretched = here.across * flat
        return np.sqrt(here.along * here.along + stretched * stretched) - radius
    if leaf.shape == "bar":
        thin = np.float32(leaf.radius * (0.03 + 0.25 * leaf.dice[2] ** 2) + 1.0)
        long = radius * np.float32(0.95)  # its corners too must lie in the box that is painted
        return np.maximum(np.abs(here.along) - long, np.abs(here.across) - thin)
    return _polygon(leaf, here)


def _polygon(leaf: _Leaf, here: _Coordinates) -> np.ndarray:
    """Three to seven sides about evenly turned, at uneven distances from the middle."""
    count = 3 + int(leaf.dice[2] * 5)
    radius = np.float32(leaf.radius)
    # corners of a triangle would reach beyond the box that is painted
    outside = np.sqrt(here.distance2) - radius
    for side in range(count):
        angle = 2 * math.pi * (side + 0.6 * leaf.dice[4 + side]) / count
        distance = leaf.radius * (0.35 + 0.4 * leaf.dice[12 + side])
        cos, sin = np.float32(round(math.cos(angle), 6)), np.float32(round(math.sin(angle), 6))
        beyond = here.along * cos + here.across * sin - np.float32(distance)
        np.maximum(outside, beyond, out=outside)
    return outside


def _surface(leaf: _Leaf, here: _Coordinates, fields: _Fields) -> tuple[np.ndarray, np.ndarray]:
    """What is added to the leaf's colour (h, w), and how strongly to each channel (3,)."""
    slope = 110.0 * (leaf.dice[20] - 0.5) / leaf.radius  # light falls from one side
    shade = here.along * np.float32(slope * leaf.dice[21])
    if leaf.dice[22] < 0.25 and leaf.shape in ("disc", "ellipse"):  # a ball: darker to its edge
        shade -= here.distance2 * np.float32(70.0 / leaf.radius**2)
    strength = np.float32(6.0 + 44.0 * leaf.dice[23] ** 2)
    pattern = _pattern(leaf, here, fields)
    if pattern is not None:
        shade += pattern * strength
    return shade, 0.85 + 0.3 * leaf.dice[3:6]


def _pattern(leaf: _Leaf, here: _Coordinates, fields: _Fields) -> np.ndarray | None:
    """The leaf's texture, about -1 .. 1 (h, w); None for a plain leaf."""
    period = 5.0 + 28.0 * leaf.dice[6] ** 2  # drawn px: from just above what the picture can hold
    if leaf.surface == "waves":
        return waves(here.along + here.across * np.float32(leaf.dice[7] - 0.5), period)
    if leaf.surface == "stripes":
        return stripes(here.along, period)
    if leaf.surface == "checks":
        return stripes(here.along, period) * stripes(here.across, period)
    if leaf.surface == "plain":
        return None
    field = {"noise": fields.noise, "gravel": fields.gravel, "strokes": fields.strokes}
    return _excerpt(leaf, field[leaf.surface], here.along.shape)


def _excerpt(leaf: _Leaf, field: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Any part of a field, of the given size; ink is darker than paper, or else lighter."""
    rows, columns = size
    top = int(leaf.dice[8] * (field.shape[0] - rows + 1))
    left = int(leaf.dice[9] * (field.shape[1] - columns + 1))
    cut = field[top : top + rows, left : left + columns]
    if leaf.surface == "strokes":
        return cut * np.float32(-3.0 if leaf.dice[10] < 0.6 else 3.0)
    return cut


def _develop(draw: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """Average 2 x 2 drawn pixels, add a little grain, and give bytes (H, W, 3)."""
    rows = canvas[:, 0::2] + canvas[:, 1::2]
    small = (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)
    grain = np.float32(6.0 * max(0.0, draw.random() - 0.5))  # half of the pictures have none
    small += (draw.random(small.shape[1:], dtype=np.float32) - np.float32(0.5)) * grain
    np.clip(small + np.float32(0.5), 0.0, 255.0, out=small)
    return np.ascontiguousarray(small.astype(np.uint8).transpose(1, 2, 0))
