"""Enlarge any window of a picture from no more of it than can matter: the same as the whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from acutance.imaging.tiles import Part, Span, Window

Run = Callable[[np.ndarray], np.ndarray]  # float32 (1, c, h, w) -> (1, k, scale h, scale w)


class Enlarger(Protocol):
    """A picture's enlargement as a function of windows of the result."""

    def needs(self, window: Window) -> Window:
        """What of the source a window of the result is made of."""
        ...

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        """The values (h, w, c) in a window of the result; `part` covers what it needs."""
        ...


def needed_by(stages: Sequence[Enlarger], window: Window) -> list[Window]:
    """What has to be known before each stage and after the last, for a window of the result."""
    windows = [window]
    for stage in reversed(stages):
        windows.append(stage.needs(windows[-1]))
    return windows[::-1]


def through(stages: Sequence[Enlarger], part: Part, window: Window) -> np.ndarray:
    """A window of what the stages, one after the other, make."""
    for stage, made in zip(stages, needed_by(stages, window)[1:], strict=True):
        part = Part(stage(part, made), made)
    return part.cut(window)


@dataclass(frozen=True)
class Needs:
    """What a network asks of the pieces it is given, in lr pixels."""

    reach: int | None  # None: every pixel matters, so it is given the whole
    multiple: int = 1  # pieces must begin at multiples of it, and be filled up to one


@dataclass(frozen=True, eq=False)
class NetworkPass:
    """One run of a network over planes in 0..255 of a picture of `size` (H, W)."""

    run: Run
    scale: int
    size: tuple[int, int]
    needed: Needs
    wrap: bool = False  # beyond its edges the picture goes on from the other side
    clip: bool = False  # what a network made can lie beyond the range that it was trained on

    def needs(self, window: Window) -> Window:
        height, width = self.size
        return Window(self._span(window.rows, height), self._span(window.columns, width))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        """float32 (h, w, c) in about 0..255. Raises Fault where the network fails."""
        seen = self.needs(window)
        values = part.cut(seen)
        if self.clip:
            values = np.clip(values, 0, 255)
        lr = values.astype(np.float32) / np.float32(255)
        sr = self.run(self._filled_up(lr).transpose(2, 0, 1)[None])
        rows, columns = (
            target.slice_of(Span(source.start * self.scale, source.stop * self.scale))
            for target, source in ((window.rows, seen.rows), (window.columns, seen.columns))
        )
        return sr[0, :, rows, columns].transpose(1, 2, 0) * np.float32(255)

    def _span(self, span: Span, length: int) -> Span:
        reach, multiple = self.needed.reach, self.needed.multiple
        if reach is None:
            seen = Span(0, length)
        else:
            seen = Span(span.start // self.scale, -(-span.stop // self.scale)).grown(reach)
        # a piece starts where the grid of the whole has a line
        seen = Span(seen.start // multiple * multiple, -(-seen.stop // multiple) * multiple)
        return seen if self.wrap else seen.within(length)

    def _filled_up(self, lr: np.ndarray) -> np.ndarray:
        """With mirrored rows and columns at its end where the network wants more of them."""
        missing = [-side % self.needed.multiple for side in lr.shape[:2]]
        if not any(missing):
            return lr
        return np.pad(lr, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def averaged(run: Run) -> Run:
    """The mean over the eight flips and turns of what a network makes of a picture."""

    def run_all(lr: np.ndarray) -> np.ndarray:
        total: np.ndarray | None = None
        for turns in range(4):
            for flip in (False, True):
                sr = _turned(run(_turned(lr, turns, flip=flip)), turns, flip=flip, back=True)
                total = sr if total is None else total + sr
        assert total is not None
        return total / np.float32(8)

    return run_all


def _turned(planes: np.ndarray, turns: int, *, flip: bool, back: bool = False) -> np.ndarray:
    """Flipped left to right and then turned, or that undone."""
    if back:
        planes = np.rot90(planes, -turns, axes=(2, 3))
        return planes[..., ::-1] if flip else planes
    flipped = planes[..., ::-1] if flip else planes
    return np.array(np.rot90(flipped, turns, axes=(2, 3)), order="C")  # torch: no negative strides
