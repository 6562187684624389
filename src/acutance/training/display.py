"""What a person sees while a run goes on: a bar with an ETA, or plain lines without a terminal."""

import sys
import time
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Display(Protocol):
    """What the loop tells; everything goes to stderr, since stdout is data."""

    def phase(self, name: str, done: int, total: int) -> None:
        """`done` of `total` of a named phase; the same name again moves the same bar."""
        ...

    def note(self, text: str) -> None:
        """One line that stays."""
        ...

    def close(self) -> None:
        """Take the bars away."""
        ...


class Silent:
    """Tells nothing: for tests, studies and --quiet."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """For logs and pipes: notes as they come, and a phase's state every ten seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 10.0
        self._began: dict[str, tuple[float, int]] = {}

    def phase(self, name: str, done: int, total: int) -> None:
        """Print now and then, with the time left by the pace so far."""
        now = time.monotonic()
        start, first = self._began.setdefault(name, (now, done))
        if now < self._next:
            return
        self._next = now + 10.0
        left = (now - start) / (done - first) * (total - done) if done > first else 0.0
        eta = f", {left:.0f} s left" if left else ""
        print(f"{name}: {done}/{total}{eta}", file=sys.stderr)  # noqa: T201

    def note(self, text: str) -> None:
        """Print the line."""
        print(text, file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        """Nothing to take away."""


class Bars:
    """For a terminal: one bar a phase."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def phase(self, name: str, done: int, total: int) -> None:
        """Move the bar of `name`."""
        if name not in self._tasks:
            for task in self._tasks.values():
                self._bars.update(task, visible=False)
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def note(self, text: str) -> None:
        """Print the line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)

    def close(self) -> None:
        """Take the bars away."""
        self._bars.stop()


def make_display(quiet: bool = False) -> Display:
    """Bars on a terminal, lines elsewhere, nothing if quiet."""
    if quiet:
        return Silent()
    console = Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines()
