"""The same piece of a picture by everything that is compared, to be looked at side by side."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

CROP_PX = 96  # side of the pieces


@dataclass(frozen=True, eq=False)
class Crop:
    """A piece of one result: what made it, its score there, and its pixels (H, W, 3)."""

    label: str
    note: str
    pixels: np.ndarray


@dataclass(frozen=True, eq=False)
class Strip:
    """The same piece of one picture, by everything that is compared."""

    title: str
    crops: tuple[Crop, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """A result in whole: what made it, what is said below it, and its pixels."""

    label: str
    note: str
    sr: np.ndarray


def cut_strip(
    title: str, lr: np.ndarray, shown: Sequence[Shown], hr: np.ndarray, corner: tuple[int, int]
) -> Strip:
    """The piece at `corner` (top, left): small with square pixels, by each result, as it is."""
    scale = hr.shape[0] // lr.shape[0]
    blocks = lr.repeat(scale, axis=0).repeat(scale, axis=1)
    crops = [Crop("small", "what the network is given", _cut(blocks, corner))]
    crops += [Crop(s.label, s.note, _cut(s.sr, corner)) for s in shown]
    crops.append(Crop("original", "the photograph", _cut(hr, corner)))
    return Strip(title, tuple(crops))


def _cut(pixels: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    top, left = corner
    return np.ascontiguousarray(pixels[top : top + CROP_PX, left : left + CROP_PX])


def data_uri(pixels: np.ndarray) -> str:
    """A picture as a PNG inside an address."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
