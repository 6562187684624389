"""JPEG, written and read again in memory."""

from io import BytesIO

import numpy as np
from PIL import Image

from acutance.data.degradations.contract import Aim, Option, Stage, as_bytes

STAGE = Stage(
    text="JPEG, as libjpeg writes and reads it",
    options={
        "quality": Option(75, "libjpeg's quality", low=1, high=100, whole=True),
        "subsampling": Option(
            "4:2:0", "chroma: of full, half or quarter size", choices=("4:4:4", "4:2:2", "4:2:0")
        ),
    },
    source="ITU-T T.81; libjpeg's tables by quality",
)


def jpeg(picture: np.ndarray, aim: Aim, *, quality: int, subsampling: str) -> np.ndarray:
    """(h, w, c) uint8. A picture of one channel is written as a grey JPEG."""
    del aim  # nothing is drawn
    pixels = as_bytes(picture)
    grey = pixels.shape[2] == 1
    buffer = BytesIO()
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(
        buffer, "JPEG", quality=quality, subsampling=subsampling
    )
    decoded = np.asarray(Image.open(buffer))
    return decoded[:, :, None] if grey else decoded
