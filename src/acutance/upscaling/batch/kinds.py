"""What a file is, before it is read: a picture, an animation or a video, and how large."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acutance.errors import InputError

Kind = Literal["picture", "animation", "video"]

VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".bmp", ".gif")
ANIMATIONS = (".gif", ".webp", ".png", ".avif")


@dataclass(frozen=True)
class Glance:
    """What the first bytes of a file tell. `pixels` of all frames; None where they tell nothing."""

    kind: Kind = "picture"
    pixels: int | None = None


def glance(path: Path) -> Glance:
    """Look at a file's header; never an error: what is wrong with it is said when it is read."""
    if path.suffix.lower() in VIDEOS:
        return Glance("video")
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            frames = _frames(path, image)
            kind: Kind = "animation" if frames > 1 else "picture"
            return Glance(kind, image.width * image.height * frames)
    except Exception:  # decoders raise whatever they like on bytes they did not expect
        return Glance()


def size_by_header(path: Path) -> tuple[int, int]:
    """Width and height of a picture file; zeros where its header does not tell."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            return image.size
    except Exception:  # a video, or a format that Pillow does not know
        return 0, 0


def _frames(path: Path, image: object) -> int:
    """1 where the format keeps no animations: the pages of a TIFF and views of an MPO are none."""
    if path.suffix.lower() not in ANIMATIONS:
        return 1
    return int(getattr(image, "n_frames", 1))


def check_writable(path: Path, kind: Kind, format: str | None) -> None:
    """Refuse a target whose ending names another kind of file than its source is."""
    ending = f".{format}" if format else path.suffix.lower()
    fits = {"picture": PICTURES, "animation": ANIMATIONS, "video": VIDEOS}[kind]
    if ending not in fits:
        raise InputError(
            f"{path} cannot hold {'an' if kind == 'animation' else 'a'} {kind}: "
            f"'{ending}' is not one of {', '.join(fits)}. Choose another name or --format."
        )
