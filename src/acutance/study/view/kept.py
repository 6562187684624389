"""What was made is kept, the newest, up to a number of bytes; nothing is made twice at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Things by key, of which the longest unused go where they are more than `most_bytes`."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self._most, self._size = most_bytes, size
        self._found: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._makers: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, else what `make` gives; others who ask meanwhile wait for it.

        What `make` raises goes to whoever asked, and nothing is kept.
        """
        if (found := self._look(key)) is not None:
            return found
        with self._lock:
            maker = self._makers.setdefault(key, threading.Lock())
        try:
            with maker:
                if (found := self._look(key)) is not None:  # made while this one waited
                    return found
                made = make()
                self._keep(key, made)
                return made
        finally:
            with self._lock:
                self._makers.pop(key, None)

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return self._bytes

    def _look(self, key: Hashable) -> T | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def _keep(self, key: Hashable, made: T) -> None:
        with self._lock:
            self._found[key] = made
            self._bytes += self._size(made)
            while self._bytes > self._most and len(self._found) > 1:
                _, old = self._found.popitem(last=False)
                self._bytes -= self._size(old)
