"""What was made is kept, the newest, up to a number of bytes; nothing is made twice at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Turn:
    """Of those who ask for one key: who has the lock makes it, `asking` is how many there are."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asking: int = 0


class Kept(Generic[T]):
    """Things by key, of which the longest unused go where they are more than `most_bytes`."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self._most, self._size = most_bytes, size
        self._found: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._makers: dict[Hashable, _Turn] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, else what `make` gives; others who ask meanwhile wait for it.

        What `make` raises goes to whoever asked, and nothing is kept.
        """
        if (found := self._look(key)) is not None:
            return found
        with self._lock:
            turn = self._makers.setdefault(key, _Turn())
            turn.asking += 1
        try:
            with turn.lock:
                if (found := self._look(key)) is not None:  # made while this one waited
                    return found
                made = make()
                self._keep(key, made)
                return made
        finally:
            with self._lock:
                turn.asking -= 1
                if not turn.asking:  # else a newcomer would make it beside those who wait
                    del self._makers[key]

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
            if key in self._found:
                self._bytes -= self._size(self._found.pop(key))
            self._found[key] = made
            self._bytes += self._size(made)
            while self._bytes > self._most and len(self._found) > 1:
                _, old = self._found.popitem(last=False)
                self._bytes -= self._size(old)
