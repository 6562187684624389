"""Pictures that Pillow encodes as a whole, taken in rows: JPEG, WebP, AVIF, BMP, GIF."""

from pathlib import Path

import numpy as np
from PIL import Image

from acutance.errors import RunError
from acutance.imaging.formats import Format
from acutance.imaging.metadata import COMMENT, MAKER
from acutance.imaging.palette import to_palette
from acutance.imaging.picture import Facts, Metadata, Picture

_JPEG_QUALITY, _AVIF_QUALITY = 95, 90  # where none is asked for


class PillowSink:
    """Gathers the rows of a picture, and has Pillow encode it on closing."""

    def __init__(self, path: Path, facts: Facts, format: Format, *, quality: int | None) -> None:
        self._path, self._facts, self._format, self._quality = path, facts, format, quality
        self._shape = (facts.height, facts.width, facts.channels + facts.has_alpha)
        # Pillow's own copy has 4 bytes a pixel, the file at most about as many as the samples
        self.held = facts.height * facts.width * (2 * self._shape[2] + 4)
        self._values: np.ndarray | None = None  # taken with the first rows: it may not be wanted
        self._filled = 0

    def write(self, rows: Picture) -> None:
        """The next rows, uint8."""
        if self._values is None:
            self._values = np.empty(self._shape, np.uint8)
        stop = self._filled + rows.height
        channels = self._facts.channels
        self._values[self._filled : stop, :, :channels] = rows.pixels
        if rows.alpha is not None:
            self._values[self._filled : stop, :, channels] = rows.alpha
        self._filled = stop

    def close(self) -> None:
        """Encode and write the file. Raises RunError where rows are missing."""
        values, self._values = self._values, None
        if values is None or self._filled != self._facts.height:
            raise RunError(
                f"{self._path}: {self._filled} of {self._facts.height} rows were written. "
                "The file is not complete."
            )
        image = as_image(values)
        if self._format.name == "GIF":
            image = to_palette(image)
        settings = {
            **encoder_settings(self._format, self._quality),
            **metadata_settings(self._facts.metadata, self._format),
        }
        try:
            image.save(self._path, format=self._format.name, **settings)
        except (OSError, MemoryError):  # of the disk: said by who writes files atomically
            raise
        except Exception as error:  # encoders raise whatever they like
            raise RunError(
                f"{self._path}: {self._format.name} cannot be encoded ({error}). Write .png."
            ) from error


def as_image(values: np.ndarray) -> Image.Image:
    """uint8 (H, W, 1 to 4) as Pillow's image; of 2 and 4 channels the last is alpha."""
    return Image.fromarray(values[:, :, 0] if values.shape[2] == 1 else values)


def encoder_settings(format: Format, quality: int | None) -> dict[str, object]:
    """Pillow's for one picture; `quality` is 1 to 100, None means the format's default.

    JPEG keeps the full resolution of colour, for edges were made with effort. WebP is without
    loss unless a quality is asked for, and then keeps colours under transparency as well.
    """
    if format.name == "JPEG":
        return {"quality": quality or _JPEG_QUALITY, "subsampling": 0}
    if format.name == "AVIF":
        return {"quality": quality or _AVIF_QUALITY, "subsampling": "4:4:4"}
    if format.name == "WEBP" and quality is None:
        return {"lossless": True, "exact": True}
    if format.name == "WEBP":
        return {"quality": quality}
    return {}


def metadata_settings(metadata: Metadata, format: Format) -> dict[str, object]:
    """Pillow's; of metadata that the format has been fitted to."""
    exif = metadata.exif
    settings = {
        "icc_profile": metadata.icc,
        "exif": b"Exif\0\0" + exif if exif and format.name == "JPEG" else exif,
        "xmp": metadata.xmp,
        "dpi": metadata.dpi,
        "comment": comment_of(metadata),
    }
    if not format.has_comment:
        del settings["comment"]
    if format.name == "BMP" and metadata.dpi is None:
        settings["dpi"] = (0, 0)  # not stated; Pillow would state 96
    return {key: value for key, value in settings.items() if value}


def comment_of(metadata: Metadata) -> str | None:
    """What stands in the one text that JPEG and GIF have: the comment, or else what made it."""
    return metadata.text.get(COMMENT) or metadata.text.get(MAKER)
