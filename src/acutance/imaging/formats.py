"""The picture formats: how they are recognised, and what each can hold."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.errors import InputError

MOST_PIXELS = 178_000_000
"""Largest picture that is decoded whole, in pixels (about 13,300 x 13,300; 0.5 GB as RGB).

A header of a few bytes can claim any size, so the claim is checked before memory is taken for
it. Pillow itself refuses a little above this number but only warns from half of it.
"""
MOST_STREAMED = 2**32
"""Largest picture that is read or written in rows (PNG, TIFF), in pixels."""

U8, U16, F32 = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)


@dataclass(frozen=True)
class Format:
    """One row of the table below: what a file of the format can say."""

    name: str  # Pillow's
    endings: tuple[str, ...]
    magic: bytes  # regular expression for the first bytes
    depths: tuple[np.dtype, ...] = (U8,)
    longest_side: int = 2**31 - 1  # px
    most_pixels: int = MOST_STREAMED
    has_alpha: bool = True
    has_grey: bool = True
    has_icc: bool = True
    has_exif: bool = True  # and XMP
    has_dpi: bool = True  # a field of its own, not only EXIF's
    has_text: bool = False  # by keyword
    has_comment: bool = False
    most_exif: int = 2**31 - 1  # bytes, of EXIF and of XMP


START = 64
"""Bytes of a file by which its format is recognised."""

FORMATS = (
    Format("PNG", (".png",), rb"\x89PNG\r\n\x1a\n", depths=(U8, U16), has_text=True),
    Format(
        "JPEG",
        (".jpg", ".jpeg"),
        rb"\xff\xd8\xff",
        longest_side=65_500,  # libjpeg's
        has_alpha=False,
        has_comment=True,
        most_exif=65_533 - 29,  # one segment, less the longer of the two prefixes
    ),
    Format(
        "WEBP",
        (".webp",),
        rb"RIFF....WEBP",
        longest_side=16_383,
        has_grey=False,
        has_dpi=False,
    ),
    Format("TIFF", (".tif", ".tiff"), rb"II[*+]\x00|MM\x00[*+]", depths=(U8, U16, F32)),
    Format(
        "AVIF",
        (".avif",),
        # mif1 and msf1 are those of any codec: AVIF's name is then among the compatible ones
        rb"....ftyp(avi[fs]|(mif1|msf1).{0,40}avi[fs])",
        longest_side=32_768,  # libavif reads no more than these two unless told to
        most_pixels=16_384**2,
        has_grey=False,
        has_dpi=False,
    ),
    Format(
        "BMP",
        (".bmp",),
        rb"BM.{12}[\x0c(48@l|]\x00\x00\x00",  # and the sizes that its second header can have
        most_pixels=(2**32 - 2**16) // 4,  # the size in bytes is a field of 32 bits
        has_alpha=False,
        has_icc=False,
        has_exif=False,
    ),
    Format(
        "GIF",
        (".gif",),
        rb"GIF8[79]a",
        longest_side=65_535,
        has_icc=False,
        has_exif=False,
        has_dpi=False,
        has_comment=True,
    ),
)

ENDINGS = tuple(ending for format in FORMATS for ending in format.endings)


def format_of_content(start: bytes) -> Format | None:
    """By the first START bytes of a file, whatever its name."""
    return next((f for f in FORMATS if re.match(f.magic, start, re.DOTALL)), None)


def format_of_target(path: Path, name: str | None = None) -> Format:
    """What is to be written: `name` (an ending without its dot) or else the ending of `path`."""
    ending = path.suffix.lower() if name is None else "." + name.lower().removeprefix(".")
    found = next((format for format in FORMATS if ending in format.endings), None)
    if found is None:
        said = f"{path} ends in '{path.suffix}'" if name is None else f"The format is '{name}'"
        raise InputError(
            f"{said}, which is not a picture format that can be written. "
            f"Use one of {', '.join(ENDINGS)}."
        )
    return found
