"""What a teacher makes of whole training pictures: once, and kept for other runs."""

import io
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np

from acutance.data.pool import Pool
from acutance.errors import InputError
from acutance.models.checkpoint import load_model
from acutance.storage import write_atomically
from acutance.training.display import Display
from acutance.training.guides import teacher_digest
from acutance.upscaling.pytorch import engine_of
from acutance.upscaling.remembered import cache_folder
from acutance.upscaling.scoring import as_rgb_function


def taught_pictures(pool: Pool, teacher: str, display: Display) -> tuple[np.ndarray, ...]:
    """The teacher's sr of every lr of the pool, uint8 (H, W, 3), mapped from files.

    They are kept in the cache folder by the teacher's and the picture's content, so that the
    arms of a comparison and continued runs find them. Raises InputError for a teacher of another
    scale.
    """
    kept = cache_folder() / "taught" / f"{teacher_digest(teacher)[:32]}-x{pool.scale}"
    enlarge: Callable[[np.ndarray], np.ndarray] | None = None
    taught = []
    for done, (lr, hr) in enumerate(zip(pool.lr, pool.hr, strict=True), 1):
        mark = blake2b(np.ascontiguousarray(lr).data, digest_size=16).hexdigest()
        file = kept / f"{mark}-{lr.shape[1]}x{lr.shape[0]}.npy"
        picture = _mapped(file, hr.shape)
        if picture is None:
            enlarge = enlarge or _enlarger(teacher, pool.scale)
            _keep(file, enlarge(lr))
            display.phase("asking the teacher", done, len(pool))
            picture = np.load(file, mmap_mode="r", allow_pickle=False)
        taught.append(picture)
    return tuple(taught)


def _enlarger(teacher: str, scale: int) -> Callable[[np.ndarray], np.ndarray]:
    network = load_model(teacher)
    if (theirs := network.scale) != scale:
        raise InputError(
            f"--teacher {teacher} has the scale {theirs}, and the network to be trained {scale}. "
            "Choose a teacher that fits."
        )
    return as_rgb_function(engine_of(network))


def _mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """What is kept there; None where there is nothing, or nothing sound."""
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _keep(file: Path, picture: np.ndarray) -> None:
    content = io.BytesIO()
    np.save(content, picture, allow_pickle=False)
    write_atomically(file, content.getvalue())
