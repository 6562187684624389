"""The pictures of the atlas: scikit-image's free photographs to show, the test sets to count."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from acutance.evaluation.sets import find_set
from acutance.imaging.files import read_rgb
from acutance.study.quickstart import sample_folder

SIDE = 192
PHOTOGRAPHS = {"astronaut.png": (20, 130), "chelsea.png": (60, 130), "coffee.png": (180, 250)}
SETS = {"Set5": 5, "Set14": 4, "B100": 4}  # pictures of each that are counted


def photograph(name: str, side: int) -> Tensor:
    """A piece of a free photograph, (1, 3, side, side) in [0, 1]."""
    return _piece(sample_folder() / name, PHOTOGRAPHS[name], side)


def scenes(data: Path | None) -> tuple[Tensor, tuple[str, ...]]:
    """Pieces (n, 3, 192, 192) and where they come from; of the test sets where they are at hand."""
    pieces = [photograph(name, SIDE) for name in PHOTOGRAPHS]
    sources = [f"{len(PHOTOGRAPHS)} photographs of scikit-image"]
    for name, count in SETS.items():
        if data is None or not (data / name).is_dir():
            continue
        pictures = find_set(data / name).pictures[:count]
        pieces += [_middle(path) for path in pictures]
        sources.append(f"{len(pictures)} of {name}")
    return torch.cat(pieces), tuple(sources)


def _middle(path: Path) -> Tensor:
    h, w = read_rgb(path).shape[:2]
    return _piece(path, (max(0, (h - SIDE) // 2), max(0, (w - SIDE) // 2)), SIDE)


def _piece(path: Path, corner: tuple[int, int], side: int) -> Tensor:
    top, left = corner
    pixels = read_rgb(path)[top : top + side, left : left + side]
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
