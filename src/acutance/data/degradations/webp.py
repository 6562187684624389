"""WebP with loss, written and read again in memory."""

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage, as_bytes
from acutance.data.degradations.jpeg import recoded

STAGE = Stage(
    text="WebP with loss, as libwebp writes and reads it",
    options={"quality": Option(75, "libwebp's quality", low=1, high=100, whole=True)},
    source="RFC 9649; libwebp",
)

LONGEST_SIDE = 16_383  # of the format
METHOD = 4
"""libwebp's effort, 0 to 6: its default, which is what people meet.

2 is a third faster, but weighs no bits against error (RD_OPT_NONE), which shows: on nine crops at
quality 20 it leaves 86 % of the energy of fine detail, 4 leaves 77 %, at nearly the same PSNR.
"""


def webp(picture: np.ndarray, aim: Aim, *, quality: int) -> np.ndarray:
    """(h, w, c) uint8; chroma is always a quarter of the size. One channel goes as grey colours."""
    del aim  # nothing is drawn
    settings = {"quality": quality, "method": METHOD}
    return recoded(as_bytes(picture), "WEBP", LONGEST_SIDE, settings)
