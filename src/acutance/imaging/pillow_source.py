"""Pictures that Pillow decodes as a whole, given out in rows: JPEG, WebP, AVIF, BMP, GIF, and those
TIFF files that are not read in rows (palettes, CMYK, JPEG within TIFF).
"""

from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, features
from PIL.ImageFile import ImageFile

from acutance.errors import InputError
from acutance.imaging.formats import MOST_PIXELS, U8, Format
from acutance.imaging.metadata import COMMENT, understood
from acutance.imaging.orientation import is_transposed, turn_upright
from acutance.imaging.picture import Facts, Metadata, Picture, Source
from acutance.imaging.refusals import damaged, several_pictures

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

# Image.open is not used: it warns about large pictures, and tries formats that are not ours.
_OPENERS = {
    "PNG": "PIL.PngImagePlugin:PngImageFile",  # animated ones only
    "JPEG": "PIL.JpegImagePlugin:jpeg_factory",
    "WEBP": "PIL.WebPImagePlugin:WebPImageFile",
    "TIFF": "PIL.TiffImagePlugin:TiffImageFile",
    "AVIF": "PIL.AvifImagePlugin:AvifImageFile",
    "BMP": "PIL.BmpImagePlugin:BmpImageFile",
    "GIF": "PIL.GifImagePlugin:GifImageFile",
}

# Pillow's mode -> the one it is converted to (with transparency that is not a channel yet: the
# third). CMYK without a profile is converted by Pillow's plain formula, which knows no inks.
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
_OF_THE_FILE = (0x0100, 0x0101, 0x011A, 0x011B, 0x0128)  # TIFF's size and resolution
_CHUNK_PX = 2**20  # converted at once; Pillow warns about pieces of 89 million
_WHOLE_FILE = ("WEBP", "AVIF")  # decoders that hold the bytes of the file


def open_image(path: Path, format: Format, file: BinaryIO) -> ImageFile:
    """Pillow's image of an open file; only the header has been read. Refuses absurd sizes."""
    module, _, factory = _OPENERS[format.name].partition(":")
    check_supported(path, format)
    try:
        image = getattr(import_module(module), factory)(file, str(path))
    except Image.DecompressionBombError:  # WebP's class checks by itself while opening
        raise too_large(path, "larger than") from None
    except (MemoryError, InputError):
        raise
    except Exception as error:  # decoders raise whatever they like on bytes they did not expect
        raise undecodable(path, error) from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise too_large(path, f"{width}x{height}, more than")
    if width * height == 0:
        raise damaged(path, f"it claims to be {width}x{height} pixels")
    return image


def check_supported(path: Path, format: Format) -> None:
    """Refuse what this build of Pillow was made without."""
    if format.name == "AVIF" and not features.check("avif"):
        raise InputError(
            f"{path}: this Pillow was built without AVIF. Install the wheel that its makers offer "
            "(pip install --force-reinstall pillow), or use another format."
        )


def undecodable(path: Path, error: Exception) -> InputError:
    """What is said where a decoder raised `error`."""
    return damaged(path, str(error) or type(error).__name__)


def too_large(path: Path, claim: str, most: int = MOST_PIXELS) -> InputError:
    """What is said of a header that claims more pixels than are read."""
    return InputError(
        f"{path} claims to be {claim} the {most // 10**6} million pixels that are read. "
        "Cut it into smaller pictures, or remove it if it cannot be that large."
    )


def open_whole(path: Path, format: Format) -> Source:
    """A picture that is decoded whole when its first rows are read, and turned upright.

    CMYK with a profile of its inks is converted through it to sRGB (relative colorimetric, black
    point compensated) and loses the profile; without one, by the plain formula. Raises InputError
    for what cannot be decoded, here or while reading.
    """
    file = path.open("rb")
    try:
        return _PillowSource(path, format, file)
    except (InputError, MemoryError):
        file.close()
        raise
    except Exception as error:
        file.close()
        raise undecodable(path, error) from error


class _PillowSource:
    def __init__(self, path: Path, format: Format, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._image = open_image(path, format, file)
        self._check_frames(format)
        self._mode = target_mode(path, self._image)
        metadata, orientation, notes = understood(found_metadata(self._image))
        # Pillow turns the pixels of TIFF by itself, and states the size that they then have
        self._orientation = 1 if format.name == "TIFF" else orientation
        self._inks, metadata, more = _ink_transform(self._image, metadata)
        width, height = self._image.size
        if is_transposed(self._orientation):
            width, height = height, width
        self.facts = Facts(
            width,
            height,
            1 if self._mode in ("L", "LA") else 3,
            U8,
            self._mode in ("LA", "RGBA"),
            metadata,
            notes + more,
        )
        samples = 1 if self._image.mode in ("1", "L", "P") else 4  # Pillow's bytes for a pixel
        whole = path.stat().st_size if format.name in _WHOLE_FILE else 0
        self.held = width * height * samples + whole
        self._next = 0

    def read(self, rows: int) -> Picture:
        """The next `rows` rows, turned upright."""
        top, stop = self._next, min(self._next + rows, self.facts.height)
        depth = self.facts.channels + self.facts.has_alpha
        values = np.empty((max(stop - top, 0), self.facts.width, depth), np.uint8)
        step = max(_CHUNK_PX // self.facts.width, 1)
        try:
            if top == 0:
                self._image.load()
            for at in range(top, stop, step):
                values[at - top : at - top + step] = self._rows(at, min(at + step, stop))
        except MemoryError:
            raise
        except Exception as error:
            raise undecodable(self._path, error) from error
        self._next = max(stop, top)
        return split_alpha(values, self.facts.metadata)

    def close(self) -> None:
        self._image.close()
        self._file.close()

    def _check_frames(self, format: Format) -> None:
        # MPO: a camera's JPEG with views after the main one
        if not getattr(self._image, "is_animated", False) or self._image.format == "MPO":
            return
        if format.name in ("GIF", "WEBP"):
            raise moving(self._path)
        raise several_pictures(self._path, getattr(self._image, "n_frames", 2))

    def _rows(self, top: int, stop: int) -> np.ndarray:
        """Rows of the upright picture, (rows, width, C)."""
        width, height = self._image.size
        turn = self._orientation
        span = width if is_transposed(turn) else height  # where upright rows lie as stored
        if turn in (3, 4, 7, 8):
            top, stop = span - stop, span - top
        box = (top, 0, stop, height) if is_transposed(turn) else (0, top, width, stop)
        piece = self._image.crop(box)
        if self._inks is not None:
            piece = self._inks.apply(piece)
        elif piece.mode != self._mode:
            piece = piece.convert(self._mode)
        return as_planes(turn_upright(np.asarray(piece), turn))


def moving(path: Path) -> InputError:
    """What is said of an animation where one picture is needed."""
    return InputError(
        f"{path} is an animation; one picture is needed. Save the one you want as a file of its "
        "own; 'acutance upscale' takes animations whole."
    )


def target_mode(path: Path, image: ImageFile) -> str:
    """L, LA, RGB or RGBA: what the image becomes."""
    if image.mode not in _CONVERSIONS:
        raise InputError(
            f"{path} is in the colour mode {image.mode}, which is not read. Convert it to RGB."
        )
    return _CONVERSIONS[image.mode]["transparency" in image.info]


def found_metadata(image: ImageFile) -> Metadata:
    """What Pillow found beside the pixels, unchecked."""
    info = image.info
    text = {}
    comment = info.get("comment")
    if isinstance(comment, bytes) and comment:
        text[COMMENT] = comment.rstrip(b"\0").decode("utf-8", "replace")
    xmp, dpi = info.get("xmp"), info.get("dpi")
    if image.format in ("JPEG", "MPO") and info.get("jfif_unit") not in (1, 2):
        dpi = None  # where a JPEG states none Pillow looks into EXIF, and else guesses 72
    if image.format == "TIFF" and 0x011A not in getattr(image, "tag_v2", {}):
        dpi = None  # likewise, 1
    return Metadata(
        info.get("icc_profile"),
        _tiff_exif(image) if image.format == "TIFF" else info.get("exif"),
        xmp.encode() if isinstance(xmp, str) else xmp,
        (float(dpi[0]), float(dpi[1])) if dpi else None,
        MappingProxyType(text),
    )


def _tiff_exif(image: ImageFile) -> bytes | None:
    """The directory of the file itself; how it is laid out is left out when it is understood."""
    try:
        exif = image.getexif()
        for tag in _OF_THE_FILE:
            exif.pop(tag, None)
        return exif.tobytes()
    except Exception:  # damaged metadata; the pixels are good
        return None


def as_planes(values: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) as (H, W, C)."""
    return values[:, :, None] if values.ndim == 2 else values


def split_alpha(values: np.ndarray, metadata: Metadata) -> Picture:
    """(H, W, 1 to 4) as a Picture: of 2 and 4 channels the last is alpha."""
    if values.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(values[:, :, -1])
        return Picture(np.ascontiguousarray(values[:, :, :-1]), alpha, metadata)
    return Picture(np.ascontiguousarray(values), None, metadata)


def _ink_transform(
    image: ImageFile, metadata: Metadata
) -> tuple["ImageCmsTransform | None", Metadata, tuple[str, ...]]:
    if image.mode != "CMYK":
        return None, metadata, ()
    plain = replace(metadata, icc=None)
    if metadata.icc is None:
        return None, plain, ("CMYK without a profile became RGB by the plain formula",)
    from PIL import ImageCms  # only here: it loads a library of its own

    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(metadata.icc)),
            ImageCms.createProfile("sRGB"),
            "CMYK",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        said = "CMYK became RGB by the plain formula, for its profile cannot be used"
        return None, plain, (said,)
    return transform, plain, ("CMYK became sRGB through the profile of its inks",)
