"""A decoded picture and what its file said beside the pixels; streams of rows of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np

DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


@dataclass(frozen=True)
class Metadata:
    """What a file carries beside its pixels; the orientation is never here: pixels are upright."""

    icc: bytes | None = None  # the profile as it stands in the file
    exif: bytes | None = None  # a TIFF block without the prefix "Exif\\0\\0"
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None  # across, down
    text: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture, or some of its rows.

    `pixels` is uint8, uint16 or float32 (0..1, beyond it where the file has it) of the shape
    (H, W, 1 or 3); `alpha` of the same type (H, W), or None.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    metadata: Metadata = Metadata()

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def is_grey(self) -> bool:
        return self.pixels.shape[2] == 1

    @property
    def facts(self) -> "Facts":
        """What a header would say of it."""
        return Facts(
            self.width,
            self.height,
            self.pixels.shape[2],
            self.pixels.dtype,
            self.alpha is not None,
            self.metadata,
        )


@dataclass(frozen=True)
class Facts:
    """What is known of a picture before its pixels are: from a header, or for a writer."""

    width: int
    height: int
    channels: int  # 1 or 3
    dtype: np.dtype
    has_alpha: bool
    metadata: Metadata = Metadata()
    notes: tuple[str, ...] = ()  # what reading had to leave out or change, in words


class Source(Protocol):
    """An open picture file that gives its rows from top to bottom."""

    @property
    def facts(self) -> Facts:
        """Size, depth and metadata; of the upright picture."""
        ...

    @property
    def held(self) -> int:
        """Bytes that stay in memory while it is open: about all of it, where it is not streamed."""
        ...

    def read(self, rows: int) -> Picture:
        """The next `rows` rows; fewer at the end, none behind it."""
        ...

    def close(self) -> None: ...


class Sink(Protocol):
    """A picture file that is being written, from top to bottom."""

    @property
    def held(self) -> int:
        """Bytes of memory that it will hold at most: about all of it, where it is not streamed."""
        ...

    def write(self, rows: Picture) -> None:
        """The next rows."""
        ...

    def close(self) -> None:
        """Write what is left. Raises RunError where rows are missing."""
        ...
