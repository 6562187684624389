"""Upscale one picture, in bands where it is large."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, cast, overload

import numpy as np

from acutance.errors import InputError
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.imaging.tiles import Band, bands
from acutance.models.card import ModelCard
from acutance.upscaling.choice import AUTO, open_engine
from acutance.upscaling.engine import Engine
from acutance.upscaling.planes import CHROMA_REACH, enlarge_piece, run

if TYPE_CHECKING:
    from torch import nn

BICUBIC = "bicubic"
BAND_PX = 512 * 1024
"""lr pixels worked on at once: 130 MiB for each layer of 64 features. More is no faster."""


@overload
def upscale(
    image: np.ndarray,
    *,
    model: "str | Path | Engine | nn.Module",
    engine: str = AUTO,
    scale: int | None = None,
) -> np.ndarray: ...
@overload
def upscale(
    image: Picture,
    *,
    model: "str | Path | Engine | nn.Module",
    engine: str = AUTO,
    scale: int | None = None,
) -> Picture: ...
def upscale(
    image: np.ndarray | Picture,
    *,
    model: "str | Path | Engine | nn.Module",
    engine: str = AUTO,
    scale: int | None = None,
) -> np.ndarray | Picture:
    """Enlarge a picture; what comes back is of the same kind.

    `image` is a Picture, or a uint8 array (H, W), (H, W, 1) or (H, W, 3). `model` is a run folder,
    a model file, what `load_model` or `open_engine` gave (for many pictures), or "bicubic", which
    needs `scale`. Large pictures are worked on in bands whose joined result is that of the whole.
    """
    pixels = image.pixels if isinstance(image, Picture) else _as_pixels(image)
    height, width = pixels.shape[:2]
    upscaler = open_upscaler(model, engine=engine, scale=scale, pixels=height * width)
    if isinstance(image, Picture):
        return upscaler.enlarge(image)
    sr = upscaler.enlarge(Picture(pixels)).pixels
    return sr[:, :, 0] if image.ndim == 2 else sr


def upscale_file(
    source: str | Path,
    output: str | Path,
    *,
    model: "str | Path | Engine | nn.Module",
    engine: str = AUTO,
    overwrite: bool = False,
) -> Path:
    """Enlarge the picture file `source` into `output`, whose ending names the format."""
    target = Path(output)
    picture = read_picture(Path(source))
    check_target(target, picture, overwrite=overwrite)
    larger = upscale(picture, model=model, engine=engine)
    write_picture(target, larger, overwrite=overwrite)
    return target


@dataclass(frozen=True)
class Upscaler:
    """A model ready for many pictures."""

    scale: int
    enlarge: Callable[[Picture], Picture]
    engine: Engine | None = None  # None for bicubic


def open_upscaler(
    model: "str | Path | Engine | nn.Module",
    *,
    engine: str = AUTO,
    scale: int | None = None,
    pixels: int | None = None,
) -> Upscaler:
    """Make `model` ready; `pixels`, where known, is how many lr pixels are to come."""
    if model == BICUBIC:
        if scale is None:
            raise InputError("The model 'bicubic' has no scale of its own. Give one: --scale 2")
        return Upscaler(scale, partial(_by_bicubic, scale=scale))
    if isinstance(model, str | Path):
        opened = open_engine(model, engine=engine, pixels=pixels)
    else:
        opened = _as_engine(model)
    if scale not in (None, opened.card.scale):
        raise InputError(
            f"The model enlarges x{opened.card.scale}, not x{scale}. "
            "Leave the scale out, or choose a model made for it."
        )
    return Upscaler(opened.card.scale, partial(upscale_picture, engine=opened), opened)


def upscale_picture(picture: Picture, engine: Engine, *, band_px: int = BAND_PX) -> Picture:
    """Enlarge `picture` by the engine's network; grey stays grey, alpha goes by bicubic."""
    pixels = upscale_pixels(picture.pixels, engine, band_px=band_px)
    if picture.alpha is None:
        return Picture(pixels)
    return Picture(pixels, resize(picture.alpha, scale=engine.card.scale))


def upscale_pixels(pixels: np.ndarray, engine: Engine, *, band_px: int = BAND_PX) -> np.ndarray:
    """Enlarge uint8 (H, W, 1 or 3); more than `band_px` pixels are done in bands of rows.

    Bands overlap by the network's reach, so that the joined result is that of the whole picture.
    A network without a reach is never cut. Raises RunError rather than give a wrong picture.
    """
    cut = cut_into_bands(pixels, engine.card, band_px=band_px)
    if len(cut) == 1:
        return enlarge_piece(pixels, engine, first_row=0)
    parts = (
        enlarge_piece(pixels[band.start : band.stop], engine, first_row=band.start) for band in cut
    )
    return joined(parts, cut, scale=engine.card.scale)


def cut_into_bands(pixels: np.ndarray, card: ModelCard, *, band_px: int = BAND_PX) -> list[Band]:
    """How `upscale_pixels` cuts a picture, in the order in which the engine sees the bands."""
    height, width, _ = pixels.shape
    if card.reach is None or height * width <= band_px:
        return bands(height, rows=height, overlap=0)
    overlap = max(card.reach, CHROMA_REACH)
    rows = max(band_px // width - 2 * overlap, overlap)
    rows = ceil(height / ceil(height / rows))  # alike, so that blocks of memory fit again
    return bands(height, rows=rows, overlap=overlap)


def joined(parts: Iterable[np.ndarray], cut: list[Band], *, scale: int) -> np.ndarray:
    """The enlarged bands (h, w, c) put together, each without what it shares with others."""
    whole: np.ndarray | None = None
    for part, band in zip(parts, cut, strict=True):
        if whole is None:
            whole = np.empty((cut[-1].keep_stop * scale, *part.shape[1:]), dtype=part.dtype)
        top = (band.keep_start - band.start) * scale
        bottom = (band.keep_stop - band.start) * scale
        whole[band.keep_start * scale : band.keep_stop * scale] = part[top:bottom]
    assert whole is not None
    return whole


def as_rgb_function(engine: Engine) -> Callable[[np.ndarray], np.ndarray]:
    """The engine as a function of RGB pictures, uint8 (h, w, 3) -> uint8 (H, W, 3)."""
    return lambda rgb: upscale_pixels(rgb, engine)


def as_luma_function(engine: Engine) -> Callable[[np.ndarray], np.ndarray] | None:
    """The engine as a function of luma, float64 (h, w) -> (H, W) in 0..255; None for RGB ones.

    Y of BT.601 as MATLAB scales it, neither clipped nor rounded.
    """
    if engine.card.color != "luma":
        return None

    def enlarge(plane: np.ndarray) -> np.ndarray:
        return run(plane[:, :, None], engine, first_row=0)[:, :, 0].astype(np.float64)

    return enlarge


def check_target(target: Path, picture: Picture, *, overwrite: bool) -> None:
    """Refuse before the work what writing would refuse after it."""
    if target.exists() and not overwrite:
        raise InputError(
            f"{target} exists already. Use --overwrite to replace it, or give another name."
        )
    if target.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{target} ends in '{target.suffix}', which is not a picture format that can be "
            f"written. Use one of {', '.join(ENDINGS)}."
        )
    if picture.alpha is not None and target.suffix.lower() in (".jpg", ".jpeg"):
        raise InputError(
            f"{target}: JPEG cannot keep transparency. Write .png or .webp instead, "
            "or remove the alpha channel first."
        )


def _as_engine(model: "Engine | nn.Module") -> Engine:
    torch = sys.modules.get("torch")  # where it is not imported, nobody has a network to give
    if torch is None or not isinstance(model, torch.nn.Module):
        return cast("Engine", model)
    from acutance.upscaling.pytorch import engine_of

    return engine_of(cast("nn.Module", model))


def _by_bicubic(picture: Picture, *, scale: int) -> Picture:
    alpha = None if picture.alpha is None else resize(picture.alpha, scale=scale)
    return Picture(resize(picture.pixels, scale=scale), alpha)


def _as_pixels(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in _CHANNELS:
        raise InputError(
            f"A picture is uint8 of shape (H, W), (H, W, 1) or (H, W, 3), not {image.dtype} of "
            f"shape {image.shape}. For transparency give a Picture(pixels, alpha)."
        )
    return image[:, :, None] if image.ndim == 2 else image


_CHANNELS = ((), (1,), (3,))
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
