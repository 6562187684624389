"""Make a model ready, and enlarge what is given: an array, a PIL image, a Picture or a file."""

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, overload

import numpy as np

from acutance.errors import InputError
from acutance.imaging.files import read_picture, recognised
from acutance.imaging.picture import Picture
from acutance.models.card import at_level
from acutance.upscaling.arrays import from_array, from_pil, is_pil, to_array, to_pil
from acutance.upscaling.choice import AUTO, open_engine
from acutance.upscaling.engine import Engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.picking import is_open, pick_model
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
    model: "str | Path | Engine | nn.Module | None" = None,
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> Picture: ...
@overload
def upscale(
    image: Given,
    *,
    model: "str | Path | Engine | nn.Module | None" = None,
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> Given: ...
def upscale(
    image: "np.ndarray | Image | Picture | str | Path",
    *,
    model: "str | Path | Engine | nn.Module | None" = None,
    scale: int | float | Fraction | None = None,
    tile: int | None = None,
    engine: str = AUTO,
    how: Enlargement = PLAIN,
) -> "np.ndarray | Image | Picture":
    """Enlarge a picture; what comes back is of the same kind, depth and number of channels.

    `image` is an array (H, W) or (H, W, 1 to 4) of uint8, uint16 or float32 (0..1), whose second
    or fourth channel is alpha; a PIL image; a Picture; or the path of a file, which gives a
    Picture: it keeps the depth and metadata, and `imaging.files.write_picture` writes it.

    `model` is a bundled name, a run folder, a model file, what `load_model` or `open_engine` gave
    (for many pictures), or "bicubic". Without one it is "photo" for a JPEG (a file, or a PIL image
    read from one), "small" for anything else, or the best of the bundled at hand. `scale` is the
    model's own unless given: any number above 0. `tile` is the side of the pieces in lr pixels: 0
    for the whole at once, None for pieces that fit the memory; it does not change the result. `how`
    says what else can be asked.
    Raises InputError for what cannot be read or made, RunError rather than give a wrong picture.
    """
    if scale is not None:
        how = replace(how, size=Size(scale=ratio_of(scale)))
    if tile is not None:
        how = replace(how, tile=tile)
    picture, back = taken(image)
    if model is None or isinstance(model, str | Path):
        model = _model_for(image, (picture.height, picture.width), model, how.size)
    upscaler = open_upscaler(model, engine=engine, pixels=picture.height * picture.width)
    return back(enlarge_picture(picture, upscaler, how))


def _model_for(
    image: object, size: tuple[int, int], model: str | Path | None, wanted: Size
) -> str | Path:
    """The file that `model` means for a picture of this size (H, W)."""
    if model is not None and not is_open(model):
        return at_level(model, wanted.scale)
    if isinstance(image, str | Path):
        is_jpeg = recognised(Path(image)).name == "JPEG"
    else:
        is_jpeg = getattr(image, "format", None) in ("JPEG", "MPO")  # PIL's; arrays have none
    return pick_model(model, wanted, size, is_jpeg=is_jpeg).file


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
