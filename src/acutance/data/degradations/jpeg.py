"""JPEG, written and read again in memory."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image

from acutance.data.degradations.contract import Aim, Option, Stage, as_bytes
from acutance.errors import InputError

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


LONGEST_SIDE = 65_500  # of libjpeg
LARGEST = 89_478_485  # pixels: from there on Pillow takes what it reads for an attack


def jpeg(picture: np.ndarray, aim: Aim, *, quality: int, subsampling: str) -> np.ndarray:
    """(h, w, c) uint8. A picture of one channel is written as a grey JPEG."""
    del aim  # nothing is drawn
    settings = {"quality": quality, "subsampling": subsampling}
    return recoded(as_bytes(picture), "JPEG", LONGEST_SIDE, settings)


def recoded(
    pixels: np.ndarray, kind: str, longest_side: int, settings: Mapping[str, int | str]
) -> np.ndarray:
    """uint8 (h, w, 1 or 3), written by Pillow as a file of this kind and read again."""
    height, width, channels = pixels.shape
    if max(height, width) > longest_side or height * width > LARGEST:
        raise InputError(
            f"A picture of {width}x{height} cannot be {kind} here: its sides are at most "
            f"{longest_side}, its pixels {LARGEST}. Degrade a crop of it."
        )
    buffer = BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(buffer, kind, **settings)
    with Image.open(buffer, formats=(kind,)) as image:
        # what has no grey of its own comes back as three equal channels
        return np.asarray(image).reshape(height, width, -1)[:, :, :channels]
