"""What trials of engines have found on this machine, kept between processes."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path

from acutance.errors import InputError, RunError
from acutance.models.card import read_card
from acutance.models.processor import processor_name, usable_cores
from acutance.storage import write_atomically
from acutance.upscaling.engine import How
from acutance.upscaling.trial import Pace

_FILE = "engines.json"
_PACKAGES = ("onnxruntime", "openvino", "torch")
_MOST = 200  # models; the oldest are forgotten


def cache_folder() -> Path:
    """Where may be kept what can be found again: $ACUTANCE_CACHE, or the platform's folder."""
    if own := os.environ.get("ACUTANCE_CACHE"):
        return Path(own).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        return place / "acutance" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "acutance"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "acutance"


def trial_key(model: Path, how: How) -> str:
    """What a trial holds for: these weights, run like this, on this machine, by these packages."""
    cores = f"{how.thread_count} of {usable_cores()}"
    parts = [_digest(model), processor_name(), cores, str(how.fast)]
    parts += [f"{name} {_version(name)}" for name in _PACKAGES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def recall(key: str) -> dict[str, Pace]:
    """What was remembered under `key`; nothing where there is nothing, or nothing sound."""
    entry = _read().get(key)
    if not isinstance(entry, dict):
        return {}
    found = {engine: _pace(told) for engine, told in entry.items()}
    return {engine: pace for engine, pace in found.items() if pace is not None}


def _pace(told: object) -> Pace | None:
    if not isinstance(told, dict):
        return None
    start_s, pixel_s = told.get("start_s"), told.get("pixel_s")
    if not isinstance(start_s, int | float) or not isinstance(pixel_s, int | float):
        return None
    return Pace(start_s, pixel_s) if 0 <= start_s < inf and 0 < pixel_s < inf else None


def remember(key: str, paces: Mapping[str, Pace]) -> None:
    """Keep what a trial found. A folder that cannot be written is no reason to fail."""
    entries = _read()
    entries.pop(key, None)
    entries[key] = {engine: asdict(pace) for engine, pace in paces.items()}
    newest = dict(list(entries.items())[-_MOST:])
    with suppress(RunError, OSError):
        write_atomically(cache_folder() / _FILE, json.dumps(newest, indent=1))


def _read() -> dict[str, object]:
    try:
        found = json.loads((cache_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # not there, cut short, or somebody else's
        return {}
    return found if isinstance(found, dict) else {}


def _digest(model: Path) -> str:
    with suppress(InputError):
        if card := read_card(model).weights:
            return card
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
