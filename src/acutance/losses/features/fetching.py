"""Load a publisher's file by https and prove that it is the one: the package's only download."""

import hashlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from acutance.errors import InputError, RunError
from acutance.losses.features.weights import Known, known, user_folder

Progress = Callable[[int, int], None]  # bytes just read, bytes in all
_PIECE = 1 << 20
_TIMEOUT_S = 30
open_url: Callable[..., Any] = urllib.request.urlopen


def fetch(name: str, progress: Progress = lambda _read, _total: None) -> Path:
    """Load, check and convert the weights `name`; gives the file in the user's folder.

    A file whose SHA-256 is not the pinned one is refused unread, and nothing of it stays.
    """
    entry = known(name)
    if not entry.url.startswith("https://"):
        raise InputError(f"{entry.url} is not https.")
    folder = user_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".loading-") as place:
            file = Path(place) / f"{name}.pth"
            _load(entry, file, progress)
            from acutance.losses.features.conversion import convert

            return convert(name, file)
    except (urllib.error.URLError, HTTPException, TimeoutError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise RunError(
            f"{entry.url} could not be loaded: {reason}. Nothing was stored. Try again, or load "
            f"it on another machine and give it to 'acutance weights add FILE'."
        ) from error


def _load(entry: Known, file: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    with open_url(entry.url, timeout=_TIMEOUT_S) as answer, file.open("wb") as out:
        total = int(answer.headers.get("Content-Length") or entry.size)
        while piece := answer.read(_PIECE):
            digest.update(piece)
            out.write(piece)
            progress(len(piece), total)
    if digest.hexdigest() != entry.sha256:
        raise RunError(
            f"{entry.url} is not the file it should be: its SHA-256 is {digest.hexdigest()}, and "
            f"{entry.sha256} was published. It was removed unread."
        )
