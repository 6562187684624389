"""Which encoder writes a video, and how: by the ending of the file and what PyAV was built with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from acutance.errors import InputError
from acutance.upscaling.video.colour import Colour
from acutance.upscaling.video.source import VideoFacts

if TYPE_CHECKING:
    from av import VideoCodecContext

THREADS = "4"
"""Of the encoder, on every machine: their number changes what some encoders write."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg; qualities are the numbers of its option, smaller is better."""

    name: str
    pixel_format: str
    option: str
    best: float  # of quality 100
    worst: float  # of quality 1
    usual: float  # hardly to be told from what went in
    others: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    endings: tuple[str, ...] = (".mp4", ".m4v", ".mov", ".mkv")

    @property
    def deep(self) -> bool:
        """Whether it writes more than 8 bits a sample."""
        return "10" in self.pixel_format


_WEBM = (".webm", ".mkv")
ENCODERS = (  # the first that is there is taken
    Encoder("libx264", "yuv420p", "crf", 4, 51, 16),
    Encoder("libopenh264", "yuv420p", "qmax", 10, 51, 18, {"qmin": "10", "rc_mode": "quality"}),
    Encoder("mpeg4", "yuv420p", "qmax", 1, 31, 2, {"qmin": "1", "b": "1000000000"}),
    Encoder("libvpx-vp9", "yuv420p", "crf", 4, 63, 20, {"b": "0", "cpu-used": "4"}, _WEBM),
    Encoder("libsvtav1", "yuv420p", "crf", 4, 63, 22, {"preset": "8"}, _WEBM),
)
DEEP_ENCODERS = (
    Encoder("libx265", "yuv420p10le", "crf", 4, 51, 16,
            {"x265-params": "pools=4:frame-threads=2:log-level=error"}),
    Encoder("libsvtav1", "yuv420p10le", "crf", 4, 63, 22, {"preset": "8"}, _WEBM),
)  # fmt: skip
ENDINGS = tuple(dict.fromkeys(end for encoder in ENCODERS for end in encoder.endings))


@dataclass(frozen=True)
class Coding:
    """How all frames of a file are encoded; equal codings give packets that fit one stream."""

    encoder: Encoder
    quality: float
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    aspect: Fraction | None
    colour: Colour


def choose_encoder(target: Path, *, deep: bool) -> tuple[Encoder, tuple[str, ...]]:
    """The encoder for a file of this name, and what it cannot keep."""
    ending = target.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"{target} ends in '{target.suffix}', which is not a kind of video that can be "
            f"written. Use one of {', '.join(ENDINGS)}."
        )
    notes: tuple[str, ...] = ()
    if deep:
        found = _first(DEEP_ENCODERS, ending)
        if found is not None:
            return found, ()
        notes = (f"it has more than 8 bits, and no encoder for that in {ending}: written with 8",)
    found = _first(ENCODERS, ending)
    if found is None:
        wanted = ", ".join(e.name for e in ENCODERS if ending in e.endings)
        raise InputError(
            f"The installed PyAV can encode none of {wanted}, which {ending} needs. "
            "Install the wheel from PyPI (pip install av), or choose another ending."
        )
    return found, notes


def coding_of(
    encoder: Encoder, facts: VideoFacts, size: tuple[int, int], quality: int | None
) -> Coding:
    """`size` is width, height; `quality` 1..100, None for what is hardly to be told apart."""
    number = encoder.usual
    if quality is not None:
        share = (min(max(quality, 1), 100) - 1) / 99
        number = round(encoder.worst + share * (encoder.best - encoder.worst))
    return Coding(
        encoder, number, *size, facts.time_base, facts.rate, facts.aspect, facts.colour
    )  # fmt: skip


def set_up(context: "VideoCodecContext", coding: Coding) -> None:
    """Make an encoder that is not yet open encode so."""
    from av.codec.context import Flags

    encoder = coding.encoder
    context.width, context.height = coding.width, coding.height
    context.pix_fmt = encoder.pixel_format
    context.time_base, context.framerate = coding.time_base, coding.rate
    context.sample_aspect_ratio = coding.aspect or Fraction(0)
    context.colorspace, context.color_range = coding.colour.matrix, coding.colour.range
    context.color_primaries = coding.colour.primaries
    context.color_trc = coding.colour.transfer
    context.flags |= Flags.global_header | Flags.bitexact
    context.options = {
        encoder.option: f"{coding.quality:g}",
        "threads": THREADS,
        **encoder.others,
    }


def open_encoder(coding: Coding) -> "VideoCodecContext":
    """A fresh encoder: it begins with a frame that needs no other."""
    import av

    context = cast("VideoCodecContext", av.CodecContext.create(coding.encoder.name, "w"))
    set_up(context, coding)
    return context


def _first(encoders: tuple[Encoder, ...], ending: str) -> Encoder | None:
    import av

    there = av.codecs_available
    return next((e for e in encoders if ending in e.endings and e.name in there), None)
