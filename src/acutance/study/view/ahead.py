"""What will be asked for next is read by one thread, which only the newest wish concerns."""

import threading
from collections.abc import Callable
from contextlib import suppress


class Ahead:
    """Reads items by `read` that somebody may ask for; nobody waits for it.

    A wish takes the place of one that is not begun. The thread is there while there is something
    to read; as a daemon it does not hold up the end of the program with what comes next.
    """

    def __init__(self, read: Callable[[int], object]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._wish: int | None = None
        self._reading = False

    def wish(self, item: int) -> None:
        """Read `item` next."""
        with self._lock:
            self._wish = item
            if self._reading:
                return
            self._reading = True
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while (item := self._next()) is not None:
            with suppress(Exception):  # whoever asks for it later is told
                self._read(item)

    def _next(self) -> int | None:
        with self._lock:
            item, self._wish = self._wish, None
            self._reading = item is not None
            return item
