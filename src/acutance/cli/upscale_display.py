"""What a person sees of a batch: one bar over all files on a terminal, plain lines elsewhere."""

import sys
from pathlib import Path
from typing import Protocol

import click


class Display(Protocol):
    """Everything but paths goes to stderr, since stdout is data."""

    def progress(self, done: float, total: float) -> None:
        """So much of the work of all files is done, in source pixels."""
        ...

    def note(self, text: str) -> None:
        """How a file went."""
        ...

    def warn(self, text: str) -> None:
        """What went wrong; said even where all else is quiet."""
        ...

    def path(self, path: Path) -> None:
        """A file that was written, on stdout."""
        ...

    def close(self) -> None:
        """Take the bar away."""
        ...


class Lines:
    """For logs, pipes and --quiet."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    def progress(self, done: float, total: float) -> None:
        """Nothing: a log is no place for a bar."""

    def note(self, text: str) -> None:
        """A line."""
        if not self._quiet:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """A line, in any case."""
        click.echo(text, err=True)

    def path(self, path: Path) -> None:
        """A line."""
        click.echo(path)

    def close(self) -> None:
        """Nothing to take away."""


class Bar:
    """For a terminal: a bar by pixels with the time left; what is said scrolls above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("upscaling"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            speed_estimate_period=300,  # pictures take seconds: a short memory knows no pace
            redirect_stdout=False,  # stdout may be a pipe, and rich would take it to stderr
            redirect_stderr=False,
        )
        self._task = self._bar.add_task("upscaling", total=None)
        self._bar.start()

    def progress(self, done: float, total: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total)

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A line above the bar."""
        self.note(text)

    def path(self, path: Path) -> None:
        """A line on stdout; where that is the terminal, above the bar."""
        if sys.stdout.isatty():
            self.note(str(path))
        else:
            click.echo(path)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def make_display(*, quiet: bool) -> Display:
    """A bar on a terminal, lines elsewhere."""
    if quiet or not sys.stderr.isatty():
        return Lines(quiet=quiet)
    return Bar()
