"""Write files so that a kill at any instant leaves the old file or the new one; read TOML ones."""

import errno
import os
import stat
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from acutance.errors import InputError, RunError

_WAITS_S = (0.01, 0.04, 0.15, 0.3, 0.5)


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse before the work, by InputError, a path at which no file can or may be put."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(
            f"Nothing can be written to {path}: {error.strerror}. Give another name."
        ) from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder, which no file replaces. Give another name.")
    if not overwrite:
        raise InputError(
            f"{path} exists already. Use --overwrite to replace it, or give another name."
        )


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; InputError where it cannot be read as one."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.") from error


def write_atomically(path: Path, fill: Callable[[Path], None] | bytes | str) -> None:
    """Write `path` under a temporary name in its folder, fsync, then rename.

    `fill` is the content, or a function that writes the content to the path it is given (its
    name ends like `path`, so writers that look at the ending work). Raises RunError when the
    disk is full or the folder cannot be written; what stood at `path` is then untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem[:80]}-", suffix=path.suffix
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        if callable(fill):
            fill(temporary)
        elif isinstance(fill, bytes):
            temporary.write_bytes(fill)
        else:
            temporary.write_text(fill, encoding="utf-8")
        _flush_to_disk(temporary)
        temporary.chmod(_mode_for(path))
        replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def replace(source: Path, target: Path) -> None:
    """Give `source` the name `target`, in place of what has it.

    Windows refuses that while somebody has one of the two open, if only to look for viruses: there
    it is tried again for a second. Raises OSError.
    """
    for wait_s in _WAITS_S if os.name == "nt" else ():
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(wait_s)
    os.replace(source, target)


def append(file: IO[bytes], content: bytes, *, path: Path, durable: bool = False) -> None:
    """Append to `file`, which is `path` opened without a buffer; `durable`: it is on the disk then.

    Raises RunError where it cannot be written; nothing of it is tried again when the file is
    closed, as it would be with a buffer.
    """
    left = memoryview(content)
    try:
        while left:
            left = left[file.write(left) :]
        if durable:
            os.fsync(file.fileno())
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> RunError:
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file would be larger than this system allows",
        errno.EACCES: "the folder may not be written to",
        errno.EROFS: "the file system is read-only",
    }
    reason = reasons.get(error.errno or 0, str(error))
    return RunError(
        f"Cannot write {path}: {reason}. What was there before is unchanged. "
        "Make room or choose another folder, then give the same command again."
    )


def _flush_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)  # Windows flushes only what may be written
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable; not every system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems refuse: the rename is still atomic
        pass
    finally:
        os.close(handle)


def _mode_for(path: Path) -> int:
    """Who may do what with the file: as with the one that it replaces, or as with any new one."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:  # there is none
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
