"""How sure a network is of each pixel: from its second output to a picture and to numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.picture import Picture
from acutance.imaging.png import encode_png
from acutance.models.card import ModelCard
from acutance.storage import write_atomically
from acutance.upscaling.engine import Engine, SpreadEngine
from acutance.upscaling.picture import cut_into_bands, joined, upscale_picture

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
    check_sigma_target(path, overwrite=overwrite)
    grey = GREY_LEVELS * np.sqrt(np.mean(np.square(sigma), axis=2, keepdims=True))
    said = f"Predicted sigma: {GREY_LEVELS} grey levels are 1 level of 255, white is 51 or more."
    pixels = np.rint(grey.clip(0, 255)).astype(np.uint8)
    write_atomically(path, encode_png(pixels, text={"Description": said}))


def sigma_path(target: Path) -> Path:
    """Where the picture of sigma stands: beside the result."""
    return target.with_name(f"{target.stem}.uncertainty.png")


def check_sigma_target(path: Path, *, overwrite: bool) -> None:
    """Refuse before the work what writing would refuse after it."""
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already. Use --overwrite to replace it, or give another name."
        )


class _Recorder:
    """An engine that keeps what the network says beside sr, piece by piece."""

    def __init__(self, engine: SpreadEngine) -> None:
        self.card = engine.card
        self._engine = engine
        self.means: list[np.ndarray] = []
        self.sigmas: list[np.ndarray] = []

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        sr, log_scale = self._engine.with_spread(lr)
        self.means.append(_levels(sr))
        self.sigmas.append(_levels(sigma_of(log_scale, self.card)))
        return sr


def _levels(planes: np.ndarray) -> np.ndarray:
    return planes[0].transpose(1, 2, 0) * np.float32(255)


def _enlarge(picture: Picture, engine: Engine) -> Sure:
    assert isinstance(engine, SpreadEngine)
    recorder = _Recorder(engine)
    larger = upscale_picture(picture, recorder)
    cut, scale = cut_into_bands(picture.pixels, engine.card), engine.card.scale
    return Sure(
        larger,
        joined(recorder.means, cut, scale=scale),
        joined(recorder.sigmas, cut, scale=scale),
    )
