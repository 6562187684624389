"""Turn pictures upright as their Exif orientation says (Exif 2.32, section 4.6.4 A)."""

import struct
from dataclasses import replace

import numpy as np

from acutance.imaging.picture import Metadata

_TAG = 0x0112
_SHORT, _LONG = 3, 4


def orientation(exif: bytes | None) -> int:
    """1 to 8 by the tag in a TIFF block; 1 where there is none or it cannot be read."""
    found = _find(exif or b"")
    return found[1] if found else 1


def upright_metadata(metadata: Metadata, stored: int) -> Metadata:
    """`metadata` of a picture that was turned from the orientation `stored`: its tag says 1."""
    exif, dpi = metadata.exif, metadata.dpi
    found = _find(exif or b"")
    if exif and found:
        at, _, code = found
        width = struct.calcsize(code)
        exif = exif[:at] + struct.pack(code, 1) + exif[at + width :]
    if dpi and is_transposed(stored):
        dpi = dpi[::-1]
    return replace(metadata, exif=exif, dpi=dpi)


def is_transposed(stored: int) -> bool:
    """Whether rows and columns are exchanged."""
    return stored >= 5


def turn_upright(values: np.ndarray, stored: int) -> np.ndarray:
    """(H, W) or (H, W, C), turned: a view."""
    turned = values.swapaxes(0, 1) if is_transposed(stored) else values
    if stored in (3, 4, 7, 8):
        turned = turned[::-1]
    if stored in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return turned


def _find(exif: bytes) -> tuple[int, int, str] | None:
    """Where the orientation stands in a TIFF block, its value, and how it is packed."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return None
    start = struct.unpack_from(order + "I", exif, 4)[0]
    if start + 2 > len(exif):
        return None
    count = struct.unpack_from(order + "H", exif, start)[0]
    stop = min(start + 2 + 12 * count, len(exif) - 11)
    for at in range(start + 2, stop, 12):
        tag, kind = struct.unpack_from(order + "HH", exif, at)
        if tag == _TAG and kind in (_SHORT, _LONG):
            code = order + ("H" if kind == _SHORT else "I")
            value = struct.unpack_from(code, exif, at + 8)[0]
            return (at + 8, value, code) if 1 <= value <= 8 else None
    return None
