"""WebP with loss, written and read again in memory."""

from io import BytesIO

import numpy as np
from PIL import Image

from acutance.data.degradations.contract import Aim, Option, Stage, as_bytes
from acutance.errors import InputError

STAGE = Stage(
    text="WebP with loss, as libwebp writes and reads it",
    options={"quality": Option(75, "libwebp's quality", low=1, high=100, whole=True)},
    source="RFC 9649; libwebp",
)

LONGEST_SIDE = 16_383  # of the format
METHOD = 2
"""libwebp's effort, 0 to 6; its default of 4 takes half as long again.

On three photographs at quality 20, 50 and 80 the PSNR of 2 is within 0.26 dB of that of 4, and
from 2 on libwebp weighs bits against error for each block, which makes the look of its blocks.
"""


def webp(picture: np.ndarray, aim: Aim, *, quality: int) -> np.ndarray:
    """(h, w, c) uint8; chroma is always a quarter of the size. One channel goes as grey colours."""
    del aim  # nothing is drawn
    pixels = as_bytes(picture)
    height, width, channels = pixels.shape
    if max(height, width) > LONGEST_SIDE:
        raise InputError(
            f"A picture of {width}x{height} cannot be WebP, whose sides are at most "
            f"{LONGEST_SIDE}. Degrade a crop of it, or use jpeg."
        )
    buffer = BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(
        buffer, "WEBP", quality=quality, method=METHOD
    )
    decoded = np.asarray(Image.open(buffer))
    return decoded[:, :, 1:2] if channels == 1 else decoded
