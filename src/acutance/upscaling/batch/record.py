"""What is finished: a file of JSON lines in the output folder, so that nothing is done twice.

Before a job a line says what stood at its target, after it what was made. Files appear whole, by
a rename; so after a kill at any instant a target that is not what it was before is finished, even
where the last line is missing.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from acutance.errors import InputError, RunError
from acutance.storage import append
from acutance.upscaling.batch.planning import Job

NAME = ".acutance-batch"
_LONGEST_NAME = 200  # bytes of the target's; file systems take 255, and more stands around it

State = tuple[int, int] | None
"""Bytes and time of change (ns) of a file; None where there is none."""


@dataclass(frozen=True)
class Entry:
    """The last that was written down about a target."""

    source: str
    source_state: State
    settings: str
    was: State  # what stood at the target before
    report: Mapping[str, Any] | None = None  # of a finished job
    size: int = -1  # bytes of the finished file


@dataclass(frozen=True)
class Verdict:
    """What is to become of a job."""

    do: Literal["work", "finished", "skip", "refuse"]
    reason: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)


def state_of(path: Path) -> State:
    """Bytes and time of change, by which a changed file is known."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def judge(
    job: Job, past: Mapping[Path, Entry], settings: str, *, overwrite: bool, skip_existing: bool
) -> Verdict:
    """Decide by what earlier commands wrote down, and by what stands at the target now."""
    now, entry = state_of(job.target), past.get(_absolute(job.target))
    if now is None or job.target.is_dir():  # of a folder it is said why not when it is tried
        return Verdict("work")
    why = "exists already"
    if entry is not None:
        changed = _difference(entry, job, settings, now)
        if not changed:
            return Verdict("finished", report=entry.report or {})
        why = changed
    if skip_existing:
        return Verdict("skip", why)
    if overwrite:
        return Verdict("work")
    return Verdict(
        "refuse", f"{job.target} {why}. Use --overwrite to replace it, or give another name."
    )


def _difference(entry: Entry, job: Job, settings: str, now: State) -> str:
    """Why what stands at the target is not the result of this very job; "" where it is."""
    if entry.report is None and now == entry.was:
        return "exists already"  # begun, not finished: it is what stood there before
    if entry.source != str(_absolute(job.source)) or entry.settings != settings:
        return "exists already, made from another file or with other settings"
    if entry.source_state != state_of(job.source):
        return f"exists already, made before {job.source} was changed"
    if entry.report is not None and now is not None and now[0] != entry.size:
        return "exists already and was changed since it was made"
    return ""


def engine_before(past: Mapping[Path, Entry], settings: str) -> str | None:
    """The engine by which earlier commands made files with these settings."""
    for entry in past.values():
        if entry.report is not None and entry.settings == settings and entry.report.get("engine"):
            return str(entry.report["engine"])
    return None


class HeldError(InputError):
    """Another command, or another worker at the same shard, holds the record."""


class Record:
    """The record of one folder, or of one file (`target`), which goes when the work is over.

    alone: of one shard among many, which looks at no other shard's record.
    """

    def __init__(self, path: Path, *, transient: bool = False, alone: bool = False) -> None:
        self.path = path
        self._transient, self._alone = transient, alone
        self._made_folder = not path.parent.exists()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = _hold(path)
        except FileExistsError as error:
            raise InputError(
                f"{path.parent} is a file, not a folder. Choose another name with -o."
            ) from error
        except OSError as error:
            raise RunError(
                f"Nothing can be written into {path.parent}: {error.strerror}. "
                "Choose another folder with -o."
            ) from error
        if held is None:
            raise HeldError(
                f"Another command is writing into {path.parent} (it holds {path.name}). "
                "Wait for its end, or choose another folder with -o."
            )
        self._file = held
        self._end_torn_line()

    def past(self) -> dict[Path, Entry]:
        """What all records of the folder say; parts of a sharded batch have one each."""
        if self._transient:
            return read_record(self.path)
        if self._alone:
            return {**read_record(folder_record(self.path.parent)), **read_record(self.path)}
        return read_folder(self.path.parent)

    def begun(self) -> list[Path]:
        """Targets that this record began and never finished."""
        return [path for path, entry in read_record(self.path).items() if entry.report is None]

    def begin(self, job: Job, settings: str) -> None:
        """To be called before the work; on the disk when it returns."""
        line = {
            "event": "begin",
            "output": self._name(job),
            "source": str(_absolute(job.source)),
            "source_state": state_of(job.source),
            "settings": settings,
            "was": state_of(job.target),
        }
        self._write(line, durable=True)

    def done(self, job: Job, report: Mapping[str, Any]) -> None:
        """To be called when the target stands."""
        found = state_of(job.target)
        size = found[0] if found is not None else -1
        self._write(
            {"event": "done", "output": self._name(job), "size": size, "report": dict(report)}
        )

    def failed(self, job: Job) -> None:
        """The target is again nobody's."""
        self._write({"event": "failed", "output": self._name(job)})

    def close(self) -> None:
        """Give the record back; one that says nothing goes, and an empty folder made for it."""
        is_over = self._transient or not read_record(self.path)
        if is_over and os.name != "nt":  # while it is held, so that nobody begins with it
            self.path.unlink(missing_ok=True)
        self._file.close()
        if is_over and os.name == "nt":  # which removes nothing that is open
            with suppress(PermissionError):  # somebody has begun with it
                self.path.unlink(missing_ok=True)
        if self._made_folder and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()

    def _name(self, job: Job) -> str:
        return os.path.relpath(_absolute(job.target), _absolute(self.path.parent))

    def _write(self, line: Mapping[str, Any], *, durable: bool = False) -> None:
        text = json.dumps(line, ensure_ascii=False) + "\n"
        content = text.encode(errors="surrogateescape")
        append(self._file, content, path=self.path, durable=durable)

    def _end_torn_line(self) -> None:
        """A kill may have cut the last line."""
        if self._file.seek(0, os.SEEK_END) > 0:
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                append(self._file, b"\n", path=self.path)


def folder_record(folder: Path, shard: tuple[int, int] = (1, 1)) -> Path:
    """Where the record of a folder is; each part of a sharded batch has its own."""
    part = f"-{shard[0]}of{shard[1]}" if shard[1] > 1 else ""
    return folder / f"{NAME}{part}.jsonl"


def file_record(target: Path) -> Path:
    """Where the record of a single result is while it is being made."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return target.with_name(f".acutance-{name}.jsonl")


def read_folder(folder: Path) -> dict[Path, Entry]:
    """Target, absolute -> what is known of it, from every record of the folder."""
    found: dict[Path, Entry] = {}
    for path in sorted(folder.glob(f"{NAME}*.jsonl")):
        for target, entry in read_record(path).items():
            if target not in found or found[target].report is None:
                found[target] = entry
    return found


def read_record(path: Path) -> dict[Path, Entry]:
    """Target, absolute -> what is known of it; lines that cannot be read are left out."""
    found: dict[Path, Entry] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return found
    for raw in lines:
        try:
            line = json.loads(raw.decode(errors="surrogateescape"))
            _take(line, found, folder=_absolute(path.parent))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # cut by a kill
    return found


def begun_times(path: Path) -> dict[Path, int]:
    """Target, absolute -> how often it was begun since it last came to an end."""
    times: dict[Path, int] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return times
    for raw in lines:
        try:
            line = json.loads(raw.decode(errors="surrogateescape"))
            target = Path(os.path.normpath(_absolute(path.parent) / line["output"]))
            times[target] = times.get(target, 0) + 1 if line["event"] == "begin" else 0
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # cut by a kill
    return times


def _take(line: Mapping[str, Any], found: dict[Path, Entry], *, folder: Path) -> None:
    target = Path(os.path.normpath(folder / line["output"]))
    if line["event"] == "begin":
        found[target] = Entry(
            str(line["source"]),
            _state(line["source_state"]),
            str(line["settings"]),
            _state(line["was"]),
        )
    elif line["event"] == "done":
        begun = found[target]
        found[target] = Entry(
            begun.source,
            begun.source_state,
            begun.settings,
            begun.was,
            dict(line["report"]),
            int(line["size"]),
        )
    elif line["event"] == "failed":
        found.pop(target, None)


def _state(words: list[int] | None) -> State:
    return None if words is None else (int(words[0]), int(words[1]))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  links stay links


def _hold(path: Path) -> IO[bytes] | None:
    """The file, opened and held; None where another process holds it."""
    while True:
        file = path.open("a+b", buffering=0)
        if not _lock(file):
            file.close()
            return None
        found = path.stat() if path.exists() else None
        if found is not None and os.path.samestat(found, os.fstat(file.fileno())):
            return file
        file.close()  # who held it removed it just now: it would be held by nobody's eyes


def _lock(file: IO[bytes]) -> bool:
    """Hold the file until it is closed or this process dies; False where another one holds it.

    Where the file system knows no locks, it counts as held.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _lock_on_windows(file: IO[bytes]) -> bool:
    import msvcrt

    file.seek(0x7FFFFFFF)  # a byte behind the text, which stays readable
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
    except OSError:
        return False
    return True
