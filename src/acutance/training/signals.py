"""Ctrl-C and a polite kill end a run after the step in hand, with everything saved."""

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from types import FrameType, TracebackType
from typing import Self

ECHO_S = 2.0  # in which one Ctrl-C may reach one of several processes a second time
ENDING = (signal.SIGINT, signal.SIGTERM)


class _Handler(ABC):
    """What is done for SIGINT and SIGTERM within a `with`; nothing outside the main thread."""

    def __init__(self) -> None:
        self._old: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                self._old[number] = signal.signal(number, self.take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    @abstractmethod
    def take(self, number: int, frame: FrameType | None) -> None:
        """One signal has come."""


class StopSignals(_Handler):
    """The first SIGINT or SIGTERM in here sets `requested`; a second one ends at once.

    What comes within `echo_s` of the first is no second one: of several processes each gets
    Ctrl-C from the terminal and again from the one that started it.
    """

    def __init__(self, echo_s: float = 0.0) -> None:
        super().__init__()
        self.requested = False
        self._echo_s, self._first = echo_s, 0.0

    def take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Remember the first, end by the second."""
        now = time.monotonic()
        if self.requested and now - self._first >= self._echo_s:
            raise KeyboardInterrupt
        if not self.requested:
            self.requested, self._first = True, now


class Interrupts(_Handler):
    """KeyboardInterrupt at the first signal, and at a further one unless within `echo_s` of it."""

    def __init__(self, echo_s: float) -> None:
        super().__init__()
        self._echo_s, self._first = echo_s, float("-inf")

    def take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Interrupt once."""
        now = time.monotonic()
        if now - self._first >= self._echo_s:
            self._first = now
            raise KeyboardInterrupt


class PassedOn(_Handler):
    """Gives the signal to `processes`, which end by themselves, and so does what waits for them.

    `came` says whether there was one: processes that had not begun yet die of it without a word.

    Windows has no polite kill, and gives Ctrl-C to all processes of the console itself.
    """

    def __init__(self, processes: Sequence[BaseProcess]) -> None:
        super().__init__()
        self.came = False
        self._processes = processes

    def take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Pass it on."""
        self.came = True
        for process in self._processes if os.name == "posix" else ():
            if process.is_alive():
                process.terminate()
