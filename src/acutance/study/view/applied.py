"""Sides that are models: each applied to the small pictures that are made of the reference."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from acutance.data.degradations.contract import as_bytes
from acutance.evaluation.degraded import Degraded
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.study.score import degraded_for, subject_of
from acutance.study.view.exhibits import Read, Side

BICUBIC = "bicubic"


@dataclass(frozen=True)
class Applied:
    """A side that is yet to be made: its name for people, and what `subject_of` is told."""

    name: str
    model: str


def apply_models(
    models: Sequence[Applied], original: Side, *, scale: int | None, degrade: str
) -> tuple[int, Side, dict[Applied, Side]]:
    """The scale of the models, lr of each picture of `original`, and each model as a side.

    lr is made as for scores: of the original cropped to a multiple of the scale, by MATLAB's
    bicubic or by `degrade`. Raises InputError for models of several scales, and for those that
    cannot be opened.
    """
    subjects = {}
    for one in sorted(models, key=lambda m: m.model == BICUBIC):  # which has no scale of its own
        subjects[one], scale = subject_of(one.model, scale, "auto")
    assert scale is not None  # every subject has one
    degraded = degraded_for(degrade, 0)
    small = {
        key: _small(cropped(read, scale), key or original.name, scale, degraded)
        for key, read in original.pictures.items()
    }
    made = {}
    for one, subject in subjects.items():
        turn = threading.Lock()  # a subject is called from one thread at a time
        pictures = {key: _enlarged(subject.rgb, lr, turn) for key, lr in small.items()}
        made[one] = Side(one.name, pictures)
    return scale, Side(original.name, small), made


def cropped(read: Read, scale: int) -> Read:
    """The picture at its top left, as far as its sides are multiples of the scale."""
    return lambda: np.ascontiguousarray(crop_to_multiple(read(), scale))


def _small(read: Read, name: str, scale: int, degraded: Degraded | None) -> Read:
    if degraded is None:
        return lambda: downscale(read(), scale)
    return lambda: as_bytes(degraded.of(read(), PurePosixPath(name).stem, scale=scale))


def _enlarged(
    enlarge: Callable[[np.ndarray], np.ndarray], small: Read, turn: threading.Lock
) -> Read:
    def make() -> np.ndarray:
        lr = small()
        with turn:
            return enlarge(lr)

    return make
