"""Read and write picture files; find them in folders."""

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from acutance.errors import InputError
from acutance.imaging.picture import Picture
from acutance.imaging.png import encode_png
from acutance.storage import write_atomically

MOST_PIXELS = 178_000_000
"""Largest picture that is read, in pixels (about 13,300 x 13,300; 0.5 GB as RGB).

A header of a few bytes can claim any size, so the claim is checked before memory is taken for
it. Pillow itself refuses a little above this number but only warns from half of it.
"""

# ending -> the name under which Pillow writes the format, and its settings
_WRITERS: dict[str, tuple[str, dict[str, object]]] = {
    ".png": ("PNG", {}),  # by png.py
    ".jpg": ("JPEG", {"subsampling": 0}),  # full colour resolution: edges were made with effort
    ".jpeg": ("JPEG", {"subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),  # exact: colour under alpha 0 is kept
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
}
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}  # px, limits of the formats

# first bytes -> Pillow's class for the format. Image.open is not used: it warns about large
# pictures, and tries formats that are not ours.
_READERS = {
    rb"\x89PNG\r\n\x1a\n": "PIL.PngImagePlugin:PngImageFile",
    rb"\xff\xd8\xff": "PIL.JpegImagePlugin:jpeg_factory",
    rb"RIFF....WEBP": "PIL.WebPImagePlugin:WebPImageFile",
    rb"II[*+]\x00|MM\x00[*+]": "PIL.TiffImagePlugin:TiffImageFile",
}

# Pillow's mode -> the one it is converted to (with transparency that is not a channel yet: the
# third). CMYK is converted by Pillow's plain formula, which knows no ink profile.
_CONVERSIONS = {
    "1": ("L", "LA"),
    "L": ("L", "LA"),
    "LA": ("LA", "LA"),
    "La": ("LA", "LA"),
    "P": ("RGB", "RGBA"),
    "PA": ("RGBA", "RGBA"),
    "RGB": ("RGB", "RGBA"),
    "RGBX": ("RGB", "RGB"),
    "RGBA": ("RGBA", "RGBA"),
    "RGBa": ("RGBA", "RGBA"),
    "CMYK": ("RGB", "RGB"),
    "YCbCr": ("RGB", "RGB"),
}
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION_TAG = 0x0112
_BITS_PER_SAMPLE_TAG = 258


def read_picture(path: Path) -> Picture:
    """Read a PNG, JPEG, WebP or TIFF picture, turned upright as its orientation tag says.

    What it is, is judged by content, not by ending. Palettes are expanded, 1-bit pictures become
    0 and 255, CMYK becomes RGB by Pillow's plain formula. Refused with a reason: damaged files,
    more than 8 bits per channel, several pictures in one file, more than MOST_PIXELS.
    """
    data, opener = _read_file(path)
    try:
        if opener.endswith("PngImageFile"):
            _check_png(path, data)
        module, _, factory = opener.partition(":")
        with getattr(import_module(module), factory)(BytesIO(data), str(path)) as image:
            _check_header(path, image)
            image.load()
            mode = _target_mode(path, image)
            # a copy: what Pillow hands out is read-only, which torch warns about
            values = np.array(image if mode == image.mode else image.convert(mode))
            upright = _turn_upright(values, _orientation(image))
    except (InputError, MemoryError):
        raise
    except Image.DecompressionBombError:  # WebP's class checks by itself while opening
        raise _too_large(path, "larger than") from None
    except Exception as error:  # decoders raise whatever they like on bytes they did not expect
        raise _damaged(path, str(error) or type(error).__name__) from error
    return _split_alpha(upright)


def read_rgb(path: Path) -> np.ndarray:
    """Read a picture as uint8 (H, W, 3): grey is replicated, alpha is dropped."""
    pixels = read_picture(path).pixels
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def write_picture(
    path: Path, picture: Picture, *, overwrite: bool = False, quality: int = 95
) -> None:
    """Write `picture` in the format that the ending of `path` names, whole or not at all.

    PNG, WebP and TIFF are written without loss; `quality` (1 to 100) is JPEG's.
    """
    if path.suffix.lower() not in _WRITERS:
        raise InputError(
            f"{path} ends in '{path.suffix}', which is not a picture format that can be written. "
            f"Use one of {', '.join(_WRITERS)}."
        )
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Use --overwrite to replace it, or give another name."
        )
    name, settings = _WRITERS[path.suffix.lower()]
    _check_writable(path, picture, name=name)
    if name == "JPEG":
        settings = {**settings, "quality": quality}
    write_atomically(path, _encode(picture, name, settings=settings))


def picture_paths(sources: Sequence[Path]) -> list[Path]:
    """The picture files that `sources` name, each once.

    A file stands for itself; a folder for every picture in it and below it, in natural order
    (2.png before 10.png), hidden files and folders left out.
    """
    found: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            inside = sorted(_walk(source), key=lambda path: _natural_key(path, source))
            if not inside:
                raise InputError(
                    f"{source} holds no pictures ({', '.join(_WRITERS)}). Name another folder."
                )
            found.update(dict.fromkeys(inside))
        elif source.exists():
            found[source] = None
        else:
            raise InputError(f"{source} does not exist. Check the name.")
    return list(found)


def _read_file(path: Path) -> tuple[bytes, str]:
    """The bytes of a file and what opens them; the start is judged before all is read."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a picture. Name a file in it.")
        with path.open("rb") as file:
            start = file.read(16)
            opener = next((name for magic, name in _READERS.items() if _begins(start, magic)), None)
            if not start:
                raise InputError(f"{path} is empty (0 bytes). Get it again, or remove it.")
            if opener is None:
                raise InputError(
                    f"{path} is not a PNG, JPEG, WebP or TIFF picture. "
                    "Convert it to one of these, or remove it."
                )
            return start + file.read(), opener
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the name.") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Check the disk and the file's permissions."
        ) from error


def _begins(start: bytes, magic: bytes) -> bool:
    return re.match(magic, start, re.DOTALL) is not None


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is damaged or cut short ({reason}). Get it again, or remove it.")


def _check_png(path: Path, data: bytes) -> None:
    """Check depth and checksums, neither of which Pillow does.

    It opens 16-bit colour as 8 bits without a word, and skips the checksums of picture data.
    """
    at = 8
    kind = b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise _damaged(path, "it ends before its last chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        stop = at + 8 + length
        body = memoryview(data)[at + 4 : stop]
        if stop + 4 > len(data):
            raise _damaged(path, f"it ends inside the chunk {kind.decode('latin-1')}")
        if zlib.crc32(body) != int.from_bytes(data[stop : stop + 4], "big"):
            raise _damaged(path, f"wrong checksum in the chunk {kind.decode('latin-1')}")
        if kind == b"IHDR" and length == 13 and body[12] == 16:
            raise _too_deep(path)
        at = stop + 4


def _check_header(path: Path, image: ImageFile) -> None:
    """Refuse by the header alone, before memory is taken for the pixels."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _too_large(path, f"{width}x{height}, more than")
    if width * height == 0:
        raise _damaged(path, f"it claims to be {width}x{height} pixels")
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE_TAG, (8,))
    if image.mode in _DEEP_MODES or max(bits) > 8:
        raise _too_deep(path)
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":  # MPO: a camera's JPEG with views after the main one
        raise InputError(
            f"{path} holds {count} pictures (an animation or pages); one is needed. "
            "Save the one you want as a file of its own."
        )


def _too_large(path: Path, claim: str) -> InputError:
    return InputError(
        f"{path} claims to be {claim} the {MOST_PIXELS // 10**6} million pixels that are read. "
        "Cut it into smaller pictures, or remove it if it cannot be that large."
    )


def _too_deep(path: Path) -> InputError:
    return InputError(
        f"{path} has more than 8 bits per channel. This version reads 8 and will not drop the "
        "rest in silence. Convert it to 8 bits first."
    )


def _target_mode(path: Path, image: ImageFile) -> str:
    if image.mode not in _CONVERSIONS:
        raise InputError(
            f"{path} is in the colour mode {image.mode}, which is not read. Convert it to RGB."
        )
    return _CONVERSIONS[image.mode]["transparency" in image.info]


def _orientation(image: ImageFile) -> int:
    """1 to 8 by the Exif tag; 1 where there is none or it cannot be read.

    To be asked after `load`: PNG may keep the tag behind the pixels, and for TIFF Pillow turns
    the pixels itself while loading, then drops the tag.
    """
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata; the pixels are good
        return 1


def _turn_upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W) or (H, W, C) as (H, W, C), turned as the Exif standard (2.32, 4.6.4) says."""
    image = values[:, :, None] if values.ndim == 2 else values
    if orientation in (5, 6, 7, 8):  # rows and columns are exchanged
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def _split_alpha(values: np.ndarray) -> Picture:
    if values.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(values[:, :, -1])
        return Picture(np.ascontiguousarray(values[:, :, :-1]), alpha)
    return Picture(np.ascontiguousarray(values), None)


def _check_writable(path: Path, picture: Picture, *, name: str) -> None:
    pixels, alpha = picture.pixels, picture.alpha
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise InputError(
            f"{path}: pixels must be uint8 of shape (H, W, 1 or 3), "
            f"not {pixels.dtype} of shape {pixels.shape}."
        )
    if alpha is not None and (alpha.dtype != np.uint8 or alpha.shape != pixels.shape[:2]):
        raise InputError(
            f"{path}: alpha must be uint8 of shape {pixels.shape[:2]} like the pixels, "
            f"not {alpha.dtype} of shape {alpha.shape}."
        )
    if alpha is not None and name == "JPEG":
        raise InputError(
            f"{path}: JPEG cannot keep transparency. Write .png or .webp instead, "
            "or remove the alpha channel first."
        )
    longest = _LONGEST_SIDE.get(name, 2**31 - 1)
    if max(pixels.shape) > longest:
        raise InputError(
            f"{path}: {picture.width}x{picture.height} is more than the {longest} pixels a side "
            f"that {name} can hold. Write .png or .tif instead."
        )


def _encode(picture: Picture, name: str, *, settings: dict[str, object]) -> bytes:
    values = picture.pixels
    if picture.alpha is not None:
        values = np.concatenate([values, picture.alpha[:, :, None]], axis=2)
    if name == "PNG":
        return encode_png(values)
    encoded = BytesIO()
    image = Image.fromarray(values[:, :, 0] if values.shape[2] == 1 else values)
    image.save(encoded, format=name, **settings)
    return encoded.getvalue()


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in _WRITERS:
                yield Path(root) / name


def _natural_key(path: Path, folder: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Numbers by value, text without case; the plain text last, so that no two paths are equal."""
    name = path.relative_to(folder).as_posix()
    pieces = re.split(r"(\d+)", name.casefold())
    parts = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)
    return parts, name
