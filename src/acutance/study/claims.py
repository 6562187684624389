"""Several processes at one study: each place is worked on by one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claim(place: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this process alone may work on `place`; a process that dies gives it back.

    With `wait` it may, once no other does.
    """
    from filelock import FileLock, Timeout

    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / ".lock")
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
