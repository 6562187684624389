"""Pictures that a run made on its way, found by numbers alone."""

import re
from pathlib import Path
from typing import Any

from acutance.study.board.own import opened, subfolders

FOLDER = "samples"
MOST_PICTURES, MOST_STEPS = 24, 200
LARGEST = 2**25  # bytes of a picture
PNG = b"\x89PNG\r\n\x1a\n"
_STEP = re.compile(r"step-(\d{1,12})\.png", re.ASCII)


def sample_steps(folder: Path, root: Path) -> list[dict[str, Any]]:
    """Each picture with the steps at which it was kept, the newest `MOST_STEPS` of them."""
    found = []
    for inner in _pictures(folder, root):
        steps = sorted(int(m[1]) for path in _names(inner) if (m := _STEP.fullmatch(path)))
        found.append({"name": inner.name, "steps": steps[-MOST_STEPS:]})
    return found


def read_sample(folder: Path, root: Path, number: int, step: int) -> bytes | None:
    """The PNG of the picture of this number at this step; None where there is none of ours."""
    pictures = _pictures(folder, root)
    if number >= len(pictures):
        return None
    try:
        with opened(pictures[number] / f"step-{step:08d}.png", root) as file:
            content = file.read(LARGEST + 1)
    except OSError:
        return None
    return content if content.startswith(PNG) and len(content) <= LARGEST else None


def _pictures(folder: Path, root: Path) -> list[Path]:
    place = folder / FOLDER
    if place.is_symlink() or not place.resolve().is_relative_to(root):
        return []
    return subfolders(place)[:MOST_PICTURES]


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
