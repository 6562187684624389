"""Make pictures small by a learned F: what is given, or a file."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np

from acutance.imaging.picture import Facts, Picture
from acutance.upscaling.enlarging import enlarge_by
from acutance.upscaling.memory import Plan
from acutance.upscaling.picture import taken
from acutance.upscaling.pipeline import Enlarged, Work, metadata_beside, remade
from acutance.upscaling.reduction import Reducer, open_reducer, reduction_task
from acutance.upscaling.settings import Output
from acutance.upscaling.strips import Cut, silent

if TYPE_CHECKING:
    from PIL.Image import Image

PIECE_PX = 256 * 1024  # of the small picture that are made at once, about
_LEAST_ROWS = 16  # of a strip: with fewer most of the work would be what lies around it

Given = TypeVar("Given", np.ndarray, "Image", Picture)


@overload
def shrink(image: str | Path, *, model: str | Path | Reducer) -> Picture: ...
@overload
def shrink(image: Given, *, model: str | Path | Reducer) -> Given: ...
def shrink(
    image: "np.ndarray | Image | Picture | str | Path", *, model: str | Path | Reducer
) -> "np.ndarray | Image | Picture":
    """Make a picture small by the F that a run learned; of the same kind, depth and channels.

    `image` is what `upscale` takes: an array (H, W) or (H, W, 1 to 4) of uint8, uint16 or float32
    (0..1), a PIL image, a Picture, or the path of a file, which gives a Picture. `model` is the
    folder of a run that was trained with network.shrink, its shrink.safetensors, or what
    `open_reducer` gave. Sides that the scale does not divide lose what is left over, below and to
    the right. Raises InputError for what cannot be read or made, RunError rather than give a
    wrong picture.
    """
    reducer = model if isinstance(model, Reducer) else open_reducer(model)
    picture, back = taken(image)
    return back(enlarge_by(planned_reduction(picture.facts, reducer), picture))


def shrink_file(
    source: Path,
    target: Path,
    reducer: Reducer,
    output: Output,
    *,
    progress: Callable[[float], None] = silent,
) -> Enlarged:
    """Make the picture file `source` small, into `target`, whole or not at all, strip by strip.

    Its metadata come along as `output` says. Raises InputError for what cannot be read, made or
    written, RunError rather than write a wrong picture.
    """
    work = Work(
        partial(_facts_of_result, reducer=reducer, output=output),
        lambda facts, _held: planned_reduction(facts, reducer),
        "pytorch",
        keeps_colour=False,  # rows that are left over count in the one mean and not in the other
    )
    return remade(source, target, work, output, progress=progress)


def planned_reduction(facts: Facts, reducer: Reducer) -> Plan:
    """Cut a picture of these facts into strips; the result does not depend on the cut."""
    task = reduction_task(reducer, facts)
    height, width = task.asked.size
    rows = min(max(PIECE_PX // width, _LEAST_ROWS), height)
    return Plan(task, Cut(rows, width), bytes=0)


def _facts_of_result(facts: Facts, *, reducer: Reducer, output: Output) -> Facts:
    height, width = reduction_task(reducer, facts).asked.size
    card = reducer.card
    made_by = f"acutance {version('acutance')}, F {card.name}, weights {card.weights[:12]}"
    made_by += f", x1/{card.scale}"
    metadata = metadata_beside(facts.metadata, (width, height), made_by, output)
    return replace(facts, width=width, height=height, metadata=metadata)
