"""Tiny clips with everything in them that has to be kept, and what a player sees of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from acutance.imaging.picture import Picture
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.settings import Enlargement, Size
from acutance.upscaling.task import Upscaler

WIDTH, HEIGHT, RATE = 64, 48, 25
TWICE = Enlargement(size=Size(scale=Fraction(2)))


@dataclass(frozen=True)
class Clip:
    """How a test clip is made; its frames are soft, and each is another."""

    times: Sequence[int] = tuple(512 * n for n in range(20))  # in ticks
    time_base: Fraction = Fraction(1, 12800)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    size: tuple[int, int] = (WIDTH, HEIGHT)
    colour: tuple[int, int, int, int] = (1, 1, 1, 1)  # matrix, range, primaries, transfer
    aspect: Fraction = Fraction(4, 3)
    rotation: int = 0
    sound: bool = True
    subtitles: bool = False
    options: tuple[tuple[str, str], ...] = (("crf", "10"),)
    container_options: tuple[tuple[str, str], ...] = ()


def soft_frame(number: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """uint8 (H, W, 3): waves that travel."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [np.sin(0.11 * x + 0.07 * y * (c + 1) + 0.3 * number + c) for c in range(3)]
    return np.rint(127 + 90 * np.stack(planes, axis=2)).astype(np.uint8)


def twice(pixels: np.ndarray) -> np.ndarray:
    """By bicubic, as a picture is enlarged."""
    return enlarge_picture(Picture(pixels), Upscaler(), TWICE).pixels


def write_clip(av, path: Path, clip: Clip) -> Path:
    with av.open(str(path), "w", container_options=dict(clip.container_options)) as container:
        container.metadata["title"] = "A title"
        _write(av, container, clip)
    return path


def frames_of(av, path: Path) -> list:
    """All decoded frames."""
    with av.open(str(path)) as container:
        return list(container.decode(container.streams.video[0]))


def times_of(av, path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    return [frame.pts * frame.time_base for frame in frames_of(av, path)]


def packets_of(av, path: Path, kind: str) -> list[tuple[bytes, Fraction]]:
    """Bytes and time of the packets of the first stream of this kind."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(bytes(p), p.pts * p.time_base) for p in container.demux(stream) if p.size]


def _write(av, container, clip: Clip) -> None:
    film = container.add_stream(
        clip.codec, rate=RATE, time_base=clip.time_base, options=dict(clip.options)
    )
    film.width, film.height = clip.size
    film.pix_fmt = clip.pixel_format
    context = film.codec_context
    context.sample_aspect_ratio = clip.aspect
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = (
        clip.colour
    )
    if clip.rotation:
        film.set_display_rotation(clip.rotation)
    tracks = [film]
    if clip.sound:
        tracks.append(container.add_stream("aac", rate=44100, layout="mono"))
        tracks[-1].metadata["language"] = "deu"
    text = None
    if clip.subtitles:
        text = container.add_stream("ass")
        text.codec_context.subtitle_header = _ASS
        text.metadata["language"] = "fra"
    second = Fraction(1, 1000)
    container.set_chapters(
        [
            {"id": n + 1, "start": 400 * n, "end": 400 * n + 400, "time_base": second,
             "metadata": {"title": f"Part {n + 1}"}}
            for n in range(2)
        ]
    )  # fmt: skip
    for number, pts in enumerate(clip.times):
        frame = _coded(av, soft_frame(number, clip.size), clip)
        frame.pts, frame.time_base = pts, clip.time_base
        container.mux(film.encode(frame))
    container.mux(film.encode(None))
    if clip.sound:
        container.mux(packet for frame in _tone(av) for packet in tracks[1].encode(frame))
        container.mux(tracks[1].encode(None))
    if text is not None:
        for n in range(3):
            packet = av.Packet(f"{n},0,Default,,0,0,0,,Line {n}".encode())
            packet.stream, packet.time_base = text, second
            packet.pts = packet.dts = 200 * n
            packet.duration = 150
            container.mux(packet)


LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}  # H.273


def by_the_standard(rgb: np.ndarray, matrix: int, *, full: bool) -> np.ndarray:
    """Y'CbCr of 8 bits by ITU-T H.273, equations 38 to 43 and 47 to 55; not rounded."""
    kr, kb = LUMA[matrix]
    r, g, b = np.moveaxis(rgb / 255, -1, 0)
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    scaled = (255 * y, 255 * u + 128, 255 * v + 128) if full else (
        16 + 219 * y, 128 + 224 * u, 128 + 224 * v
    )  # fmt: skip
    return np.stack(scaled, axis=-1)


def _coded(av, rgb: np.ndarray, clip: Clip):
    """Of 4:2:0, without FFmpeg's help: chroma on the left one of two pixels, between rows."""
    matrix, span = clip.colour[:2]
    y, u, v = np.moveaxis(
        by_the_standard(rgb, matrix if matrix in LUMA else 6, full=span == 2), -1, 0
    )
    planes = [y]
    for chroma in (u, v):
        padded = np.pad(chroma, ((0, chroma.shape[0] % 2), (1, 1 + chroma.shape[1] % 2)), "edge")
        across = (padded[:, :-2:2] + 2 * padded[:, 1:-1:2] + padded[:, 2::2]) / 4
        planes.append((across[::2] + across[1::2]) / 2)
    frame = av.VideoFrame(*clip.size, "yuv420p")
    for plane, samples in zip(frame.planes, planes, strict=True):
        lines = np.zeros((plane.height, plane.line_size), dtype=np.uint8)
        lines[:, : samples.shape[1]] = np.rint(samples).clip(0, 255)
        plane.update(lines)
    return frame.reformat(format=clip.pixel_format)


def _tone(av) -> Iterator[object]:
    wave = (20_000 * np.sin(0.06 * np.arange(34 * 1024))).astype(np.int16)
    for n in range(34):
        frame = av.AudioFrame.from_ndarray(
            wave[None, 1024 * n : 1024 * (n + 1)], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 44100, 1024 * n
        yield frame


_ASS = b"[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Text\n"
