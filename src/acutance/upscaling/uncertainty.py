"""How sure a network is of each pixel: from its second output to a picture and to numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.colour import from_levels, to_levels
from acutance.imaging.picture import Picture
from acutance.imaging.png import encode_png
from acutance.imaging.resample import resizing
from acutance.imaging.tiles import Part, Window, whole
from acutance.models.card import ModelCard
from acutance.storage import check_free, write_atomically
from acutance.upscaling.checks import Fault
from acutance.upscaling.engine import Engine, SpreadEngine
from acutance.upscaling.planes import Colours
from acutance.upscaling.scoring import whole_of
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.task import Task, Upscaler, needs_of, understood
from acutance.upscaling.windows import NetworkPass

FLOOR = 1 / 1024  # in [0, 1]: the smallest spread of the losses that train it
GREY_LEVELS = 5  # of the picture of sigma, for one level of sigma: white is 51 levels and more


@dataclass(frozen=True, eq=False)
class Sure:
    """A result with its error bars: before rounding, float32 (H, W, 1 or 3) in 0..255.

    One channel is luma (16..235), three are colour, as the network works.
    """

    picture: Picture
    mean: np.ndarray
    sigma: np.ndarray


def says_how_sure(engine: Engine | None) -> bool:
    """Whether the engine runs a network that predicts a spread."""
    return engine is not None and engine.card.head == "spread" and isinstance(engine, SpreadEngine)


def with_sigma(engine: Engine | None) -> Callable[[Picture], Sure]:
    """The engine as a function that enlarges a picture and says how sure it is of each value."""
    if engine is None or not says_how_sure(engine):
        raise InputError(
            "The model does not say how sure it is. Train one that does: "
            "acutance train --head spread --loss 'l1(stop=0.1) + gaussian_nll(start=0.1)'"
        )
    return lambda picture: _enlarge(picture, engine)


def sigma_of(log_scale: np.ndarray, card: ModelCard) -> np.ndarray:
    """The standard deviation in [0, 1]: the predicted scale, or sqrt(2) of it for a Laplace b."""
    scale = np.sqrt(np.exp(2 * log_scale) + np.float32(FLOOR**2))
    return scale * np.float32(math.sqrt(2)) if "laplace_nll" in card.loss else scale


def write_sigma(path: Path, sigma: np.ndarray, *, overwrite: bool = False) -> None:
    """Write sigma as a grey PNG of GREY_LEVELS for each level of sigma; the file says so itself.

    Of three channels it is the root of the mean square.
    """
    check_free(path, overwrite=overwrite)
    grey = GREY_LEVELS * np.sqrt(np.mean(np.square(sigma), axis=2, keepdims=True))
    said = f"Predicted sigma: {GREY_LEVELS} grey levels are 1 level of 255, white is 51 or more."
    pixels = np.rint(grey.clip(0, 255)).astype(np.uint8)
    write_atomically(path, encode_png(pixels, text={"Description": said}))


def sigma_path(target: Path) -> Path:
    """Where the picture of sigma stands: beside the result."""
    return target.with_name(f"{target.stem}.uncertainty.png")


@dataclass(frozen=True, eq=False)
class _WithSpread:
    """The network's planes and beside them, as as many channels more, their sigma."""

    run: NetworkPass
    colours: Colours

    def needs(self, window: Window) -> Window:
        return self.run.needs(window)

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        seen = self.colours.seen(part.cut(self.needs(window)))[:, :, : self.colours.channels]
        return self.run(Part(seen, self.needs(window)), window)


def _enlarge(picture: Picture, engine: Engine) -> Sure:
    assert isinstance(engine, SpreadEngine)
    asked = understood(picture.facts, Upscaler(engine), Enlargement())
    card, size = engine.card, asked.source_size
    colours = Colours(card.color, picture.is_grey)
    run = NetworkPass(partial(_sr_and_sigma, engine), card.scale, size, needs_of(card, asked))
    enlarge = resizing(size, asked.size)
    task = Task(_WithSpread(run, colours), enlarge, asked)
    made, alpha = whole_of(task, picture, convert=lambda levels: levels)
    mean, sigma = np.split(made, 2, axis=2)
    chroma = None
    if colours.has_chroma:
        seen = colours.seen(to_levels(picture.pixels))
        chroma = enlarge(Part(seen[:, :, 1:], whole(size)), whole(asked.size))
    pixels = from_levels(colours.shown(mean, chroma), picture.pixels.dtype)
    if alpha is not None:
        alpha = from_levels(alpha[:, :, 0], picture.pixels.dtype)
    return Sure(Picture(pixels, alpha, picture.metadata), mean, sigma)


def _sr_and_sigma(engine: SpreadEngine, lr: np.ndarray) -> np.ndarray:
    sr, log_scale = engine.with_spread(lr)
    made = np.concatenate([sr, sigma_of(log_scale, engine.card)], axis=1)
    if not np.isfinite(made).all():
        raise Fault("as numbers that are not finite", halvings=1)
    return made
