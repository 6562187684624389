"""Enlarge a picture that is in memory."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from acutance.imaging.colour import from_levels
from acutance.imaging.depth import white_of
from acutance.imaging.picture import Picture
from acutance.upscaling.finishing import Tally, as_picture, without_cast
from acutance.upscaling.memory import Plan, planned
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.streams import RowBuffer
from acutance.upscaling.strips import Rows, silent, strips
from acutance.upscaling.task import Upscaler

Progress = Callable[[float], None]  # the share that is done


def enlarge_picture(
    picture: Picture, upscaler: Upscaler, how: Enlargement, *, progress: Progress = silent
) -> Picture:
    """The enlarged picture, of the same depth, grey or colour as it was, with its metadata.

    Raises InputError for a size that cannot be made, RunError rather than give a wrong picture.
    """
    return enlarge_by(planned(picture.facts, upscaler, how), picture, progress=progress)


def alike(upscaler: Upscaler, how: Enlargement) -> Callable[[Picture], Picture]:
    """`enlarge_picture` for many in a row, such as frames: planned once for those of one form."""
    plan: Plan | None = None

    def enlarge(picture: Picture) -> Picture:
        nonlocal plan
        if plan is None or plan.task.asked.source != picture.facts:
            plan = planned(picture.facts, upscaler, how)
        return enlarge_by(plan, picture)

    return enlarge


def enlarge_by(plan: Plan, picture: Picture, *, progress: Progress = silent) -> Picture:
    """The enlarged picture, by a plan made for its facts."""
    facts = plan.task.asked.source
    height, width = plan.task.asked.size
    pixels = np.empty((height, width, facts.channels), dtype=facts.dtype)
    alpha = np.empty((height, width), dtype=facts.dtype) if facts.has_alpha else None
    before = Tally(facts.channels)
    before.add(picture.pixels, picture.alpha, white=white_of(facts.dtype))
    source = RowBuffer(iter([picture]), facts.height, wrap=plan.task.asked.wrap)
    top = 0
    for rows in made_rows(plan, source, before, folder=Path(gettempdir()), progress=progress):
        pixels[top : top + rows.height] = rows.pixels
        if alpha is not None:
            alpha[top : top + rows.height] = rows.alpha
        top += rows.height
    return Picture(pixels, alpha, picture.metadata)


def made_rows(
    plan: Plan, source: Rows, before: Tally, *, folder: Path, progress: Progress
) -> Iterator[Picture]:
    """The rows of the result, of the picture's own depth, from top to bottom.

    `before` has to be the mean colour of all of the source when its last row has been read.
    """
    facts = plan.task.asked.source
    finish = partial(from_levels, dtype=facts.dtype)
    late = plan.task.asked.how.fix_colour or plan.cut.overlap > 0
    made = strips(plan.task, source, plan.cut, convert=_kept if late else finish, told=progress)
    if plan.task.asked.how.fix_colour:
        made = without_cast(made, before, folder=folder, channels=facts.channels)
    for strip in made:
        yield as_picture(strip.each(finish) if late else strip)


def _kept(levels: np.ndarray) -> np.ndarray:
    return levels.astype(np.float32, copy=False)
