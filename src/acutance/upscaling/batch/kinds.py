"""What a file is, before it is read: a picture, an animation or a video, and how large."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from acutance.imaging.animation_timing import read_timing
from acutance.imaging.files import open_source, recognised
from acutance.imaging.formats import ENDINGS as PICTURES

Kind = Literal["picture", "animation", "video"]

VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")


@dataclass(frozen=True)
class Glance:
    """What the first bytes of a file tell. `pixels` of all frames; None where they tell nothing."""

    kind: Kind = "picture"
    pixels: int | None = None
    size: tuple[int, int] | None = field(default=None, compare=False)  # (H, W) of one frame
    is_jpeg: bool = field(default=False, compare=False)


def glance(path: Path) -> Glance:
    """Look at a file's header; never an error: what is wrong with it is said when it is read."""
    if path.suffix.lower() in VIDEOS:
        return _glance_at_video(path)
    try:
        format = recognised(path).name
        timing = read_timing(path, format)
        if timing is not None:
            frames = len(timing.durations)
            size = timing.height, timing.width
            return Glance("animation", timing.width * timing.height * frames, size)
        width, height = size_by_header(path)
        size = (height, width) if width and height else None
        return Glance("picture", width * height or None, size, format == "JPEG")
    except Exception:  # decoders raise whatever they like on bytes they did not expect
        return Glance()


def _glance_at_video(path: Path) -> Glance:
    try:
        from acutance.upscaling.video.shots import read_facts  # its packages are an extra

        facts = read_facts(path)
        size = facts.height, facts.width
        return Glance("video", facts.width * facts.height * facts.frames or None, size)
    except Exception:  # no such package, or a damaged file
        return Glance("video")


def size_by_header(path: Path) -> tuple[int, int]:
    """Width and height of a picture file; zeros where its header does not tell."""
    try:
        with closing(open_source(path)) as source:
            return source.facts.width, source.facts.height
    except Exception:  # no still picture, or a damaged one
        return 0, 0


def is_for(format: str, kind: Kind) -> bool:
    """Whether --format speaks of this kind of file: one of pictures leaves videos alone."""
    return f".{format}" in (VIDEOS if kind == "video" else PICTURES)
