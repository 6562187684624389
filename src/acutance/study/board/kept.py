"""The address of a board, kept for the next start, so that an open page goes on by itself."""

import hashlib
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.study.loopback.guard import new_token
from acutance.study.loopback.server import Application, Loopback
from acutance.upscaling.remembered import cache_folder

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
LARGEST = 1000  # bytes


@dataclass(frozen=True)
class Address:
    """Where a board was served: a port, and the token that lets in whoever knows it."""

    port: int
    token: str


def open_server(
    application: Application, folders: Sequence[Path], *, port: int, fresh: bool
) -> Loopback:
    """A server at the address that a board of these folders had before, as far as that is free.

    `port` is one that was asked for, or 0. `fresh` gives a new token, and the old address is no
    longer answered.
    """
    place = place_of(folders)
    known = None if fresh else recall(place)
    token = known.token if known else new_token()
    if port or not known:
        server = Loopback(application, port=port, token=token)
    else:
        try:
            return Loopback(application, port=known.port, token=token)
        except InputError:  # another board of these folders is still there, or anybody else
            return Loopback(application, token=token)
    keep(place, Address(server.port, token))
    return server


def place_of(folders: Sequence[Path]) -> Path:
    """The file of a board: one for each choice of folders."""
    names = "\0".join(sorted(str(folder) for folder in folders))
    digest = hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return cache_folder() / "boards" / f"{digest}.json"


def recall(place: Path) -> Address | None:
    """What was kept; None where there is nothing, nothing sound, or others could have read it."""
    try:
        with place.open("rb") as file:
            told = os.fstat(file.fileno())
            if os.name == "posix" and (
                stat.S_IMODE(told.st_mode) & 0o077 or told.st_uid != os.getuid()
            ):
                return None
            found = json.loads(file.read(LARGEST))
        port, token = found["port"], found["token"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sound = isinstance(port, int) and 0 < port < 2**16 and isinstance(token, str)
    return Address(port, token) if sound and _TOKEN.fullmatch(token) else None


def keep(place: Path, address: Address) -> None:
    """Write it for its owner alone; where it cannot be, the next start has another address."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=place.parent)  # which nobody else may read
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump({"port": address.port, "token": address.token}, file)
        Path(name).replace(place)
    except OSError as error:
        sys.stderr.write(f"The address is not kept for the next start: {error.strerror}.\n")
