"""An engine as plain functions of arrays, for those who judge what a network makes."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil

import numpy as np

from acutance.imaging.colour import to_uint8
from acutance.imaging.picture import Picture
from acutance.imaging.tiles import Part, whole
from acutance.upscaling.checks import Fault, finite
from acutance.upscaling.engine import Engine
from acutance.upscaling.memory import PIECE_PX
from acutance.upscaling.reduction import Reducer, reduction_task
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.streams import RowBuffer
from acutance.upscaling.strips import Cut, failure, silent, strips
from acutance.upscaling.task import Task, Upscaler, task_of, understood
from acutance.upscaling.windows import Needs, NetworkPass


def as_rgb_function(engine: Engine) -> Callable[[np.ndarray], np.ndarray]:
    """The engine as a function of RGB pictures, uint8 (h, w, 3) -> uint8 (H, W, 3).

    Whatever the network gives is taken, however bad, as long as it is finite: else RunError.
    """

    def enlarge(rgb: np.ndarray) -> np.ndarray:
        upscaler = Upscaler(engine)
        asked = understood(Picture(rgb).facts, upscaler, Enlargement())
        task = task_of(upscaler, replace(asked, strict=False))
        return whole_of(task, Picture(rgb), convert=to_uint8)[0]

    return enlarge


def as_reduction(reducer: Reducer) -> Callable[[np.ndarray], np.ndarray]:
    """A learned F as a function of RGB pictures, uint8 (H, W, 3) -> (h, w, 3).

    As a file would hold it: back in RGB, rounded. RunError for what is no picture.
    """

    def reduce(rgb: np.ndarray) -> np.ndarray:
        task = reduction_task(reducer, Picture(rgb).facts)
        return whole_of(task, Picture(rgb), convert=to_uint8)[0]

    return reduce


def as_luma_function(engine: Engine) -> Callable[[np.ndarray], np.ndarray] | None:
    """The engine as a function of luma, float64 (h, w) -> (H, W) in 0..255; None for RGB ones.

    Y of BT.601 as MATLAB scales it, neither clipped nor rounded.
    """
    card = engine.card
    if card.color != "luma":
        return None

    def enlarge(plane: np.ndarray) -> np.ndarray:
        height, width = plane.shape
        run = NetworkPass(finite(engine), card.scale, (height, width), Needs(None))
        part = Part(plane[:, :, None], whole((height, width)))
        target = whole((height * card.scale, width * card.scale))
        try:
            return run(part, target)[:, :, 0].astype(np.float64)
        except Fault as fault:
            raise failure(part.window, str(fault)) from fault

    return enlarge


def whole_of(
    task: Task, picture: Picture, *, convert: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray | None]:
    """All that a task makes of a picture, colours and alpha, as converted.

    It is cut by its size alone, whatever memory there is: a score is the same on any machine.
    """
    height = task.asked.size[0]
    source = RowBuffer(iter([picture]), picture.height, wrap=task.asked.wrap)
    colours, alpha = None, None
    top = 0
    for strip in strips(task, source, fixed_cut(task), convert=convert, told=silent):
        if colours is None:
            colours = np.empty((height, *strip.colours.shape[1:]), dtype=strip.colours.dtype)
            if strip.alpha is not None:
                alpha = np.empty((height, *strip.alpha.shape[1:]), dtype=strip.alpha.dtype)
        colours[top : top + len(strip.colours)] = strip.colours
        if alpha is not None:
            alpha[top : top + len(strip.colours)] = strip.alpha
        top += len(strip.colours)
    assert colours is not None
    return colours, alpha


def fixed_cut(task: Task) -> Cut:
    """Bands of PIECE_PX, as far as the network may be cut."""
    (height, width), size = task.asked.source_size, task.asked.size
    if not task.asked.may_be_cut or height * width <= PIECE_PX:
        return Cut(*size)
    overlap = task.needs(whole((1, 1))).rows.stop
    rows = max(PIECE_PX // width - 2 * overlap, overlap)
    count = ceil(height / rows)
    return Cut(ceil(height / count) * size[0] // height, size[1])
