"""Draw pieces of free photographs by the bundled models at x4.

    python benchmarks/front_picture.py

Writes docs/images/front.png: bicubic, each of small, small-balanced and small-sharp that the
package brings, and the original, side by side.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acutance import downscale, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.models.bundled import families
from acutance.storage import write_atomically
from acutance.study.quickstart import sample_folder
from pieces import strip

SCALE = 4
MODELS = ("small", "small-balanced", "small-sharp")
PIECES = {"chelsea.png": (84, 104), "astronaut.png": (12, 176)}  # (top, left), in hr pixels
SIDE, ZOOM = 96, 2
TARGET = Path(__file__).parents[1] / "docs" / "images" / "front.png"


def main() -> None:
    shown = [name for name in MODELS if SCALE in families().get(name, {})]
    rows = [row(name, corner, shown) for name, corner in PIECES.items()]
    write_atomically(TARGET, strip(rows, zoom=ZOOM))


def row(name: str, corner: tuple[int, int], models: Sequence[str]) -> dict[str, np.ndarray]:
    """The same piece of a photograph by everything that is compared, and itself."""
    hr = crop_to_multiple(read_rgb(sample_folder() / name), SCALE)
    lr = downscale(hr, SCALE)
    whole = {"bicubic": resize(lr, scale=SCALE)}
    whole |= {model: np.asarray(upscale(lr, model=model, scale=SCALE)) for model in models}
    top, left = corner
    return {
        label: np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])
        for label, pixels in {**whole, "original": hr}.items()
    }


if __name__ == "__main__":
    main()
