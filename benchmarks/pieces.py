"""A sheet of pieces of pictures, side by side."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP, LABEL = 8, 26  # pixels


def strip(rows: Sequence[Mapping[str, np.ndarray]], *, zoom: int = 1) -> bytes:
    """A PNG: each row's pieces, all of one square size, and below the last what each is.

    Every pixel of a piece is drawn `zoom` times as large.
    """
    side, columns = next(iter(rows[0].values())).shape[0] * zoom, len(rows[0])
    size = (columns * (side + GAP) - GAP, len(rows) * (side + GAP) - GAP + LABEL)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for line, row in enumerate(rows):
        for place, (label, piece) in enumerate(row.items()):
            x, y = place * (side + GAP), line * (side + GAP)
            sheet.paste(Image.fromarray(piece.repeat(zoom, axis=0).repeat(zoom, axis=1)), (x, y))
            if line == len(rows) - 1:
                middle = (x + side // 2, y + side + LABEL // 2)
                draw.text(middle, label, fill="#333", font=font, anchor="mm")
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
