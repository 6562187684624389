"""Make a model ready, and enlarge what is given: an array, a PIL image, a Picture or a file."""

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, overload

import numpy as np

from acutance.errors import InputError
from acutance.imaging.files import read_picture
from acutance.imaging.picture import Picture
from acutance.models.card import at_level
from acutance.upscaling.arrays import from_array, from_pil, is_pil, to_array, to_pil
from acutance.upscaling.choice import AUTO, open_engine
from acutance.upscaling.engine import Engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.settings import Enlargement, Size
from acutance.upscaling.sizes import ratio_of
from acutance.upscaling.task import Upscaler

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import nn

BICUBIC = "bicubic"
PLAIN = Enlargement()

Given = TypeVar("Given", np.ndarray, "Image", Picture)


@overload
def upscale(
    image: str | Path,
    *,
    model: "str | Path | Engine | nn.Module",
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> Picture: ...
@overload
def upscale(
    image: Given,
    *,
    model: "str | Path | Engine | nn.Module",
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> Given: ...
def upscale(
    image: "np.ndarray | Image | Picture | str | Path",
    *,
    model: "str | Path | Engine | nn.Module",
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> "np.ndarray | Image | Picture":
    """Enlarge a picture; what comes back is of the same kind, depth and number of channels.

    `image` is an array (H, W) or (H, W, 1 to 4) of uint8, uint16 or float32 (0..1), whose second
    or fourth channel is alpha; a PIL image; a Picture; or the path of a file, which gives a
    Picture: it keeps the depth and metadata, and `imaging.files.write_picture` writes it.

    `model` is a run folder, a model file, what `load_model` or `open_engine` gave (for many
    pictures), or "bicubic". `scale` is the model's own unless given: any number above 0. `tile`
    is the side of the pieces in lr pixels: 0 for the whole at once, None for pieces that fit the
    memory; it does not change the result. `how` says what else can be asked.
    Raises InputError for what cannot be read or made, RunError rather than give a wrong picture.
    """
    if scale is not None:
        how = replace(how, size=Size(scale=ratio_of(scale)))
    if tile is not None:
        how = replace(how, tile=tile)
    if isinstance(model, str | Path):
        model = at_level(model, how.size.scale)
    picture, back = taken(image)
    upscaler = open_upscaler(model, engine=engine, pixels=picture.height * picture.width)
    return back(enlarge_picture(picture, upscaler, how))


def open_upscaler(
    model: "str | Path | Engine | nn.Module",
    *,
    engine: str = AUTO,
    pixels: int | None = None,
    base: "str | Path | Engine | nn.Module" = BICUBIC,
) -> Upscaler:
    """Make `model` ready; `pixels`, where known, is how many lr pixels are to come.

    `base` is what strength 0 means: "bicubic", or a model that invents nothing.
    """
    strong, weak = (_opened(given, engine=engine, pixels=pixels) for given in (model, base))
    return Upscaler(strong, weak)


def _opened(
    model: "str | Path | Engine | nn.Module", *, engine: str, pixels: int | None
) -> Engine | None:
    if model == BICUBIC:
        return None
    if isinstance(model, str | Path):
        return open_engine(model, engine=engine, pixels=pixels)
    torch = sys.modules.get("torch")  # where it is not imported, nobody has a network to give
    if torch is None or not isinstance(model, torch.nn.Module):
        return cast("Engine", model)
    from acutance.upscaling.pytorch import engine_of

    return engine_of(cast("nn.Module", model))


def taken(
    image: "np.ndarray | Image | Picture | str | Path",
) -> "tuple[Picture, Callable[[Picture], np.ndarray | Image | Picture]]":
    """Any picture as ours, and how to give the result back as what it was."""
    if isinstance(image, Picture):
        return image, lambda larger: larger
    if isinstance(image, np.ndarray):
        return from_array(image), lambda larger: to_array(larger, like=image)
    if isinstance(image, str | Path):
        return read_picture(Path(image)), lambda larger: larger
    if is_pil(image):
        return from_pil(image), lambda larger: to_pil(larger, like=image)
    raise InputError(
        f"A picture is an array, a PIL image, a Picture or a path, not {type(image).__name__}."
    )
