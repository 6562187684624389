"""A short video of the picture, encoded and decoded in memory; its last frame."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, cast

import numpy as np

from acutance.data.degradations.contract import Aim, Option, Stage, as_bytes
from acutance.errors import InputError, MissingPackageError
from acutance.imaging.colour import YCBCR_OFFSETS, YCBCR_WEIGHTS, rgb_weights
from acutance.imaging.resample import resize

if TYPE_CHECKING:
    from av import VideoCodecContext


@dataclass(frozen=True)
class Codec:
    """How one codec is used: fast, without frames from the future, the same on every machine."""

    encoder: str  # FFmpeg's names
    decoder: str
    quality: Callable[[float], Mapping[str, str]]  # crf to options of the encoder
    others: Mapping[str, str]


def _own_crf(worst: int) -> Callable[[float], Mapping[str, str]]:
    return lambda crf: {"crf": f"{min(crf, worst):g}"}


def _quantiser(crf: float) -> Mapping[str, str]:
    """MPEG's quantiser, 1..31, as x264 relates it to its own: 0.85 * 2^((crf - 12) / 6)."""
    number = f"{min(max(round(0.85 * 2 ** ((crf - 12) / 6)), 1), 31)}"
    return {"qmin": number, "qmax": number, "b": "1000000000"}


CODECS: Mapping[str, Codec] = {
    "h264": Codec("libx264", "h264", _own_crf(51), {"preset": "medium", "tune": "zerolatency"}),
    "h265": Codec(
        "libx265", "hevc", _own_crf(51),
        {"preset": "superfast", "tune": "zerolatency",
         "x265-params": "log-level=error:pools=none:frame-threads=1"},
    ),
    "vp9": Codec(
        "libvpx-vp9", "vp9", _own_crf(63),
        {"b": "0", "deadline": "realtime", "cpu-used": "5", "lag-in-frames": "0"},
    ),
    "av1": Codec(
        "libsvtav1", "libdav1d", _own_crf(63),
        {"preset": "10", "svtav1-params": "lp=1:pred-struct=1"},
    ),
    "mpeg4": Codec("mpeg4", "mpeg4", _quantiser, {}),
    "mpeg2": Codec("mpeg2video", "mpeg2video", _quantiser, {}),
}  # fmt: skip

STAGE = Stage(
    text="A short video of the picture, moving, coded by FFmpeg; its last frame",
    options={
        "codec": Option("h264", "which one", choices=tuple(CODECS)),
        "crf": Option(
            28.0,
            "the codec's own: h264 and h265 end at 51, vp9 and av1 at 63; mpeg4 and mpeg2 have "
            "the quantiser 0.85 * 2^((crf - 12) / 6), 1 to 31",
            high=63.0,
        ),
        "frames": Option(3, "of the video; more are slower", low=1, high=32, whole=True),
        "motion": Option(2.0, "pixels from one frame to the next, in a drawn direction", high=64.0),
    },
    source="FFmpeg's encoders: libx264, libx265, libvpx-vp9, libsvtav1, mpeg4, mpeg2video",
)

LEAST_SIDE = 64  # encoders of blocks of 64 refuse less, or warn
_STANDSTILL = 128  # chroma of grey


def video(
    picture: np.ndarray, aim: Aim, *, codec: str, crf: float, frames: int, motion: float
) -> np.ndarray:
    """(h, w, c) uint8: the last frame, in which the picture stands where it stood.

    Before it the picture comes along a drawn direction by whole pixels, mirrored at its borders;
    borders are also mirrored up to even sides of `LEAST_SIDE` or more, cut off at the end. Colour
    is BT.601's YCbCr in 16..235 with a quarter of the chroma; one channel is coded as luma, as it
    is. The frame is predicted from those before it: what is left is what `crf` lets pass.

    Raises MissingPackageError without PyAV, InputError where its FFmpeg lacks the encoder.
    """
    used = _present(codec)
    pixels = as_bytes(picture)
    height, width, channels = pixels.shape
    angle = aim.draw.uniform(0.0, 2.0 * np.pi)
    steps = (np.arange(frames)[::-1, None] * motion * (np.sin(angle), np.cos(angle))).round()
    size = tuple(max(side + side % 2, LEAST_SIDE) for side in (height, width))
    planes = _to_planes(pixels)
    moved = [
        planes[_mirrored(size[0], dy, height)[:, None], _mirrored(size[1], dx, width)]
        for dy, dx in steps.astype(int)
    ]
    last = _last_decoded([_packed(frame) for frame in moved], used, crf)
    if channels == 1:
        return last[:height, :width, None].copy()
    return _to_rgb(last, size)[:height, :width]


def _mirrored(length: int, start: int, side: int) -> np.ndarray:
    """`length` places from `start` on in a row of `side` pixels that is mirrored for ever."""
    place = np.arange(start, start + length) % (2 * side)
    return np.minimum(place, 2 * side - 1 - place)


def _to_planes(pixels: np.ndarray) -> np.ndarray:
    """Y, Cb and Cr of RGB at full size, float32; one channel as it is."""
    if pixels.shape[2] == 1:
        return pixels
    planes = np.empty(pixels.shape, np.float32)
    channels = [pixels[:, :, i].astype(np.float32) for i in range(3)]
    for i, (weights, offset) in enumerate(zip(YCBCR_WEIGHTS, YCBCR_OFFSETS, strict=True)):
        red, green, blue = (c * np.float32(w / 255) for c, w in zip(channels, weights, strict=True))
        planes[:, :, i] = red + green + blue + np.float32(offset)
    return planes


def _packed(planes: np.ndarray) -> np.ndarray:
    """FFmpeg's yuv420p as (h * 3 / 2, w) uint8: luma, then the means of 2 x 2 of Cb and of Cr."""
    height, width, channels = planes.shape
    if channels == 1:
        grey = np.full((height // 2, width), _STANDSTILL, np.uint8)
        return np.concatenate([planes[:, :, 0], grey])
    chroma = planes[:, :, 1:]
    quarter = chroma[::2, ::2] + chroma[::2, 1::2] + chroma[1::2, ::2] + chroma[1::2, 1::2]
    parts = [planes[:, :, 0], quarter[:, :, 0] / 4, quarter[:, :, 1] / 4]
    return np.concatenate([as_bytes(p).ravel() for p in parts]).reshape(height * 3 // 2, width)


def _to_rgb(packed: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """The inverse of both, uint8; chroma is enlarged linearly."""
    height, width = size
    luma = packed[:height].astype(np.float32) - np.float32(YCBCR_OFFSETS[0])
    quarter = packed[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    small = quarter.astype(np.float32) - np.float32(_STANDSTILL)
    chroma = resize(small, size=(height, width), kernel="bilinear")
    rgb = np.empty((height, width, 3), np.float32)
    for i, (y, cb, cr) in enumerate(rgb_weights()):
        shade = chroma[:, :, 0] * np.float32(cb * 255) + chroma[:, :, 1] * np.float32(cr * 255)
        rgb[:, :, i] = luma * np.float32(y * 255) + shade
    return as_bytes(rgb)


def _last_decoded(frames: list[np.ndarray], codec: Codec, crf: float) -> np.ndarray:
    import av
    from av.error import FFmpegError

    height, width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec.encoder, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = {**codec.quality(crf), **codec.others}
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec.decoder, "r"))
    encoder.thread_count = decoder.thread_count = 1  # crops are many: threads take whole ones
    shown: list[av.VideoFrame] = []
    try:
        for number, packed in enumerate([*frames, None]):
            frame = None if packed is None else av.VideoFrame.from_ndarray(packed, format="yuv420p")
            if frame is not None:
                frame.pts = number
            for packet in encoder.encode(frame):
                shown += decoder.decode(packet)
        shown += decoder.decode(None)
    except FFmpegError as error:
        raise InputError(
            f"A video of {width}x{height} cannot be coded by {codec.encoder} ({error.strerror}). "
            "Use another codec, or degrade a crop of the picture."
        ) from error
    return shown[-1].to_ndarray()


@cache
def _present(name: str) -> Codec:
    """The codec, once it is known that this build of FFmpeg has it."""
    # SVT-AV1 writes what it is doing to stderr, past FFmpeg's log; 1: errors alone
    os.environ.setdefault("SVT_LOG", "1")
    try:
        from av.codec import codecs_available
    except ImportError as error:
        raise MissingPackageError("PyAV", "video", "The stage 'video'") from error
    found = [k for k, c in CODECS.items() if {c.encoder, c.decoder} <= codecs_available]
    if name not in found:
        raise InputError(
            f"The installed PyAV lacks the encoder {CODECS[name].encoder} or the decoder "
            f"{CODECS[name].decoder} of the codec '{name}'. It has {', '.join(found) or 'none'}. "
            "Use one of these, or install the wheel from PyPI (pip install av)."
        )
    return CODECS[name]
