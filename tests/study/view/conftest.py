"""Small pictures by two sides and their originals."""

from pathlib import Path

import numpy as np
import pytest

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale, resize

PHOTOS = ("astronaut", "chelsea", "coffee")


def cut(name: str, side: int = 128) -> np.ndarray:
    """A piece of one of scikit-image's free photographs, uint8 (side, side, 3)."""
    data = pytest.importorskip("skimage.data", reason="no scikit-image: acutance[samples]")
    return np.ascontiguousarray(getattr(data, name)()[40 : 40 + side, 60 : 60 + side])


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hr/, and what two methods made of it at x2: soft/ as upscale names it, and blocks/."""
    folder = tmp_path_factory.mktemp("desk")
    for name in PHOTOS:
        hr = cut(name)
        lr = downscale(hr, 2)
        write_picture(folder / "hr" / f"{name}.png", Picture(hr))
        write_picture(folder / "soft" / f"{name}_x2.png", Picture(resize(lr, scale=2)))
        blocks = lr.repeat(2, axis=0).repeat(2, axis=1)
        write_picture(folder / "blocks" / f"{name}.png", Picture(blocks))
    return folder
