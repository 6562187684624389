"""Draw pieces of free photographs by the bundled models at x4: python docs/front_picture.py

Writes docs/images/front.webp: bicubic, each of small, small-balanced and small-sharp that the
package brings, and the original, side by side.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acutance import downscale, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.models.bundled import families
from acutance.storage import write_atomically
from acutance.study.quickstart import sample_folder

SCALE = 4
MODELS = ("small", "small-balanced", "small-sharp")
PIECES = {"chelsea.png": (84, 104), "astronaut.png": (12, 176)}
SIDE, ZOOM, GAP, LABEL = 96, 2, 8, 26
TARGET = Path(__file__).parent / "images" / "front.webp"


def main() -> None:
    shown = [name for name in MODELS if SCALE in families().get(name, {})]
    write_atomically(TARGET, drawn(shown))


def drawn(models: Sequence[str]) -> bytes:
    """A WebP without loss: a row for each photograph, a column for each way, the names below."""
    rows = [_row(name, corner, models) for name, corner in PIECES.items()]
    side, columns = SIDE * ZOOM, len(rows[0])
    size = (columns * (side + GAP) - GAP, len(rows) * (side + GAP) - GAP + LABEL)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for line, panels in enumerate(rows):
        for place, pixels in enumerate(panels.values()):
            piece = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(piece, (place * (side + GAP), line * (side + GAP)))
    for place, label in enumerate(rows[0]):
        middle = (place * (side + GAP) + side // 2, size[1] - LABEL // 2)
        draw.text(middle, label, fill="#333", font=font, anchor="mm")
    buffer = io.BytesIO()
    sheet.save(buffer, format="WEBP", lossless=True, method=6, quality=100)
    return buffer.getvalue()


def _row(name: str, corner: tuple[int, int], models: Sequence[str]) -> dict[str, np.ndarray]:
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
