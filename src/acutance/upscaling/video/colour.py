"""Between the Y'CbCr of a video and the RGB of a picture, by the file's own matrix and range."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np

from acutance.errors import InputError
from acutance.imaging.picture import Picture

if TYPE_CHECKING:
    from av import VideoFrame

RGB, BT709, UNSPECIFIED, FCC, BT470BG, SMPTE170M, SMPTE240M, BT2020 = (
    0, 1, 2, 4, 5, 6, 7, 9,
)  # fmt: skip
LIMITED, FULL = 1, 2


@dataclass(frozen=True)
class _Matrix:
    table: int  # the number of libswscale's table
    filter: str  # its name among the options of the filter "scale"


_MATRICES = {
    BT709: _Matrix(1, "bt709"),
    FCC: _Matrix(4, "fcc"),
    BT470BG: _Matrix(5, "bt601"),
    SMPTE170M: _Matrix(5, "bt601"),
    SMPTE240M: _Matrix(7, "smpte240m"),
    BT2020: _Matrix(9, "bt2020"),
}
_ANY_TIME = Fraction(1, 1000)
_PRECISE = 4 | 0x40000 | 0x80000 | 0x2000 | 0x4000
"""Of libswscale: bicubic chroma, exact rounding, the same bits on every machine, full chroma."""
HDR_TRANSFERS = (16, 18)  # PQ and HLG


@dataclass(frozen=True)
class Colour:
    """What the numbers of a frame mean; numbers are those of ITU-T H.273."""

    matrix: int
    range: int  # LIMITED: 16..235, FULL: 0..255
    primaries: int
    transfer: int


def colour_of(frame: "VideoFrame") -> tuple[Colour, tuple[str, ...]]:
    """The colour of a file by its first frame, and what had to be assumed.

    A file that does not say its matrix is shown by players according to its size: BT.709 if
    wider than 1279 or higher than 576, else BT.601. Enlarged it would be shown by the other one,
    so the rule is applied to the source and the result says what it is.
    """
    matrix, notes = frame.colorspace, []
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    if frame.format.is_rgb or matrix == RGB:
        matrix, full = BT709, False
        notes.append("its pixels are RGB: written as BT.709, limited range, with half the chroma")
    elif matrix == UNSPECIFIED:
        matrix = BT709 if frame.width >= 1280 or frame.height > 576 else SMPTE170M
        name = "BT.709" if matrix == BT709 else "BT.601"
        notes.append(f"it does not say its colour matrix: taken and marked as {name}, by its size")
    if matrix not in _MATRICES:
        raise InputError(
            f"Its colour matrix (number {matrix} of ITU-T H.273) cannot be converted. "
            "Convert it to BT.709 first."
        )
    if frame.color_trc in HDR_TRANSFERS:
        notes.append("its light is HDR: kept and marked so, but the display's data are not copied")
    if any(component.is_alpha for component in frame.format.components):
        notes.append("its transparency is dropped")
    colour = Colour(matrix, FULL if full else LIMITED, frame.color_primaries, frame.color_trc)
    return colour, tuple(notes)


def bits(frame: "VideoFrame") -> int:
    """Of one sample."""
    return max(component.bits for component in frame.format.components)


def to_picture(frame: "VideoFrame", colour: Colour, *, deep: bool) -> Picture:
    """RGB, uint16 where `deep`, else uint8."""
    is_rgb = frame.format.is_rgb
    rgb = frame.reformat(
        format="rgb48le" if deep else "rgb24",
        src_colorspace=None if is_rgb else _MATRICES[colour.matrix].table,
        src_color_range=FULL if is_rgb else colour.range,
        dst_color_range=FULL,
        interpolation=_PRECISE,
        threads=1,
    )
    return Picture(np.asarray(rgb.to_ndarray()))


class ToFrame:
    """Makes frames for an encoder of pictures of one size, by the same matrix and range.

    Chroma samples lie where H.264 and its kin say where they say nothing: on the left one of two
    pixels, between two rows. libswscale would put them between the pixels, half a pixel off.
    """

    def __init__(self, first: Picture, colour: Colour, pixel_format: str) -> None:
        from av.filter import Graph
        from av.video.format import VideoFormat

        self._format = "rgb48le" if first.pixels.dtype == np.uint16 else "rgb24"
        graph, given = Graph(), VideoFormat(self._format)
        nodes = (
            graph.add_buffer(
                width=first.width, height=first.height, format=given, time_base=_ANY_TIME
            ),
            graph.add(
                "scale",
                "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact:"
                f"in_range=full:out_range={'full' if colour.range == FULL else 'limited'}:"
                f"out_color_matrix={_MATRICES[colour.matrix].filter}:out_chroma_loc=left",
            ),
            graph.add("format", f"pix_fmts={pixel_format}"),
            graph.add("buffersink"),
        )
        graph.link_nodes(*nodes).configure()
        self._graph = graph

    def __call__(self, picture: Picture) -> "VideoFrame":
        """A frame without a time."""
        import av

        pixels = picture.pixels
        if picture.is_grey:
            pixels = np.repeat(pixels, 3, axis=2)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._format)
        frame.pts, frame.time_base = 0, _ANY_TIME
        self._graph.push(frame)
        return cast("VideoFrame", self._graph.pull())
