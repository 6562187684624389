"""Run folders beside a place that all nodes reach, where they do not share a folder.

A task works in a folder of its own node; what it leaves there is put into the store as it goes, so
that another node can go on from the last snapshot. The store is any file system that fsspec opens.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acutance.errors import InputError, MissingPackageError, RunError
from acutance.storage import write_atomically

SKIPPED = ("pool", ".lock")  # of a run: what is made anew on each node
PART = ".part"  # ends the name of a file in a store until it is whole
LAST = ("best.json", "test.json")  # which tell of the others
State = tuple[int, int]  # bytes and time of change (ns)


class Store:
    """A folder at an fsspec URL, such as "s3://bucket/study" or "file:///mnt/study"."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._system, self._root = _opened(url)
        protocol = self._system.protocol
        self._is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        self._put: dict[Path, State] = {}  # what stands there as it was put by us

    def put(self, folder: Path, name: str) -> None:
        """Put the files of `folder` that changed since the last time under `name`; drop others.

        Each appears whole, in the order in which a run reads them: the log that leads to a
        snapshot, snapshots, which of them is best, and that it is scored.
        """
        present = {
            path: (found.st_size, found.st_mtime_ns)
            for path in _files(folder)
            if (found := path.stat())
        }
        for path in sorted(present, key=lambda path: _turn(path.relative_to(folder))):
            if self._put.get(path) == present[path]:
                continue
            self._put_one(path, self._place(name, path.relative_to(folder)))
            self._put[path] = present[path]
        for path in [p for p in self._put if p.is_relative_to(folder) and p not in present]:
            self._call("rm", self._place(name, path.relative_to(folder)))
            del self._put[path]

    def put_beside(self, folder: Path) -> None:
        """Put what stands in a study's folder itself: its file, its answers, its report."""
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                self._put_one(path, self._place(path.name))

    def has(self, name: str) -> bool:
        """Whether anything is under `name`."""
        return bool(self._call("exists", self._place(name)))

    def get(self, name: str, folder: Path) -> None:
        """Bring what is under `name` into `folder`; nothing where there is nothing."""
        place = self._place(name)
        if not self.has(name):
            return
        for found in self._call("find", place):
            if _is_unfinished(found):
                continue
            own = folder / found[len(place) :].lstrip("/")
            if not own.resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{self.url} holds {found}, which lies outside {place}.")
            write_atomically(own, lambda part, found=found: self._get_one(found, part))
            self._put[own] = (own.stat().st_size, own.stat().st_mtime_ns)

    def _place(self, *names: str | Path) -> str:
        return "/".join([self._root, *(Path(name).as_posix() for name in names)])

    def _put_one(self, path: Path, place: str) -> None:
        if self._is_local:  # whose own transactions go by way of another disk
            write_atomically(Path(place), lambda part: _copy(path, part))
            return
        part = place + PART
        try:
            self._system.makedirs(place.rpartition("/")[0], exist_ok=True)
            with path.open("rb") as ours, self._system.open(part, "wb") as theirs:
                shutil.copyfileobj(ours, theirs, 1 << 20)
            self._system.mv(part, place)
        except Exception as error:  # of somebody's file system: anything
            raise RunError(f"{place} of {self.url} cannot be written: {error}") from error

    def _get_one(self, place: str, path: Path) -> None:
        try:
            with self._system.open(place, "rb") as theirs, path.open("wb") as ours:
                shutil.copyfileobj(theirs, ours, 1 << 20)
        except Exception as error:  # of somebody's file system: anything
            raise RunError(f"{place} of {self.url} cannot be read: {error}") from error

    def _call(self, verb: str, place: str) -> Any:
        try:
            return getattr(self._system, verb)(place)
        except FileNotFoundError:
            return ()
        except Exception as error:  # of somebody's file system: anything
            raise RunError(f"{place} of {self.url} cannot be used: {error}") from error


class Mirror:
    """The display of a run on a node: tells nobody, and puts each new snapshot into the store."""

    def __init__(self, store: Store, folder: Path, name: str) -> None:
        self._store, self._folder, self._name = store, folder, name
        self._seen = self._newest()

    def phase(self, name: str, done: int, total: int) -> None:  # noqa: ARG002  as of any display
        """A step was taken: where one before it left a snapshot, that is put away."""
        newest = self._newest()
        if newest != self._seen:
            self._store.put(self._folder, self._name)
            self._seen = newest

    def note(self, text: str) -> None:
        """Nothing: the log of the run has it."""

    def close(self) -> None:
        """Nothing to take away."""

    def _newest(self) -> Mapping[str, int]:
        found = self._folder.rglob("state/step-*.safetensors")
        return {str(path): path.stat().st_mtime_ns for path in found}


def clear(folder: Path) -> None:
    """Take the files of a run away from a node."""
    for path in _files(folder):
        path.unlink(missing_ok=True)


def _turn(inside: Path) -> tuple[int, Path]:
    """Of a file of a run, when it is put: what tells of another one comes after it."""
    if inside.name in LAST:
        return LAST.index(inside.name) + 2, inside
    return int(inside.parts[0] == "state"), inside


def _copy(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)


def _is_unfinished(place: str) -> bool:
    """Whether a file in a store is one that is being put, or was when its node ended."""
    name = place.rpartition("/")[2]
    return name.startswith(".") or name.endswith(PART)


def _files(folder: Path) -> list[Path]:
    """What of a run is kept; hidden files are half-written ones and locks."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name not in SKIPPED
    ]


def _opened(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingPackageError("fsspec", "cluster", "Keeping runs at a URL") from error
    try:
        system, root = url_to_fs(url)
    except (ImportError, ValueError) as error:  # no such protocol, or its package is missing
        raise InputError(f"The store '{url}' cannot be used: {error}") from error
    return system, root.rstrip("/")
