"""The work folder beside the result: finished segments, and what they were made of and how."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.errors import RunError
from acutance.storage import replace, write_atomically
from acutance.upscaling.video.segment import Told, read_told

_RECORD = "record.json"
_PROBE_LEVELS = 2  # engines round differently; another model differs by far more


@dataclass(frozen=True)
class Record:
    """What decides every byte of the segments; work goes on only where all of it is the same."""

    asked: Mapping[str, str]  # the source, the settings, the model
    probe: tuple[int, ...]  # samples of a known picture, enlarged by the model
    size: tuple[int, int]  # width, height of the result

    def fits(self, asked: Mapping[str, str], probe: tuple[int, ...]) -> bool:
        """Whether work that was recorded so may be gone on with so."""
        return (
            self.asked == asked
            and len(self.probe) == len(probe)
            and bool(np.all(np.abs(np.subtract(self.probe, probe)) <= _PROBE_LEVELS))
        )


def parts_folder(target: Path) -> Path:
    """Where the segments of `target` are kept until it is whole."""
    return target.with_name(f".{target.name}.parts")


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.safetensors"


def read_record(folder: Path) -> Record | None:
    """What was recorded in `folder`; None where nothing usable was."""
    try:
        said = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        width, height = said["size"]
        return Record(dict(said["asked"]), tuple(said["probe"]), (int(width), int(height)))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def begin(folder: Path, record: Record) -> None:
    """Empty the folder and write the record."""
    remove(folder)
    said = {"asked": dict(record.asked), "probe": record.probe, "size": record.size}
    write_atomically(folder / _RECORD, json.dumps(said, indent=1) + "\n")


def finished(folder: Path) -> list[Told]:
    """What the segments say that are there without a gap from the first."""
    tolds: list[Told] = []
    while (told := read_told(segment_path(folder, len(tolds)))) is not None:
        tolds.append(told)
        if told.is_last:
            break
    return tolds


def publish(whole: Path, target: Path) -> None:
    """Give the finished file its name, in one step."""
    try:
        with whole.open("rb+") as file:  # Windows flushes only what may be written
            os.fsync(file.fileno())
        replace(whole, target)
    except OSError as error:
        raise RunError(
            f"Cannot write {target}: {error.strerror}. The finished work is kept in {whole.parent}."
        ) from error


def remove(folder: Path) -> None:
    """Nothing stays."""
    shutil.rmtree(folder, ignore_errors=True)
