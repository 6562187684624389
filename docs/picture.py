"""Draw the README's picture from a trained model and a free photograph of scikit-image.

python docs/picture.py MODEL          MODEL is an x2 model or its run folder
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acutance import downscale, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.study.quickstart import sample_folder

SCALE = 2
CORNER, SIDE = (84, 104), 88  # of the piece, in the original's pixels: the cat's eye
ZOOM, GAP, LABEL = 3, 10, 26
TARGET = Path(__file__).parent / "images" / "readme.png"


def main() -> None:
    hr = crop_to_multiple(read_rgb(sample_folder() / "chelsea.png"), SCALE)
    lr = downscale(hr, SCALE)
    panels = {
        "small": lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1),
        "bicubic": resize(lr, scale=SCALE),
        "acutance": np.asarray(upscale(lr, model=sys.argv[1])),
        "original": hr,
    }
    side = SIDE * ZOOM
    sheet = Image.new("RGB", (4 * side + 3 * GAP, side + LABEL), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    top, left = CORNER
    for place, (name, pixels) in enumerate(panels.items()):
        piece = Image.fromarray(pixels[top : top + SIDE, left : left + SIDE])
        x = place * (side + GAP)
        sheet.paste(piece.resize((side, side), Image.Resampling.NEAREST), (x, 0))
        draw.text((x + side // 2, side + LABEL // 2), name, fill="#333", font=font, anchor="mm")
    TARGET.parent.mkdir(exist_ok=True)
    sheet.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
