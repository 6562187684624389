"""Pictures as files for the tests of data: drawn, of different sizes."""

from pathlib import Path

import numpy as np
import pytest

from acutance.data.pool import Pool, PoolSettings, build_pool
from acutance.data.procedural import procedural_picture
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture

SIZES = [(96, 120), (97, 131), (80, 64), (144, 101)]  # rows, columns; not all multiples of 2 or 3


@pytest.fixture(scope="session")
def write_pixels():
    """Write an array as a picture file."""

    def write(path: Path, pixels: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, Picture(pixels, None))
        return path

    return write


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, write_pixels) -> Path:
    """A folder of four small pictures of different sizes."""
    folder = tmp_path_factory.mktemp("holiday")
    for i, (height, width) in enumerate(SIZES):
        pixels = procedural_picture(7, i, height=height, width=width)
        write_pixels(folder / f"{i + 1:04d}.png", pixels)
    return folder


@pytest.fixture(scope="session")
def ready(photos: Path) -> Pool:
    return build_pool([str(photos)], scale=2, patch=32)


@pytest.fixture(scope="session")
def fly(photos: Path) -> Pool:
    return build_pool([str(photos)], scale=2, patch=32, settings=PoolSettings(lr="fly"))
