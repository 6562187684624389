"""One piece of a picture through a network: uint8 in, uint8 out, by colour and by kind."""

import numpy as np

from acutance.errors import RunError
from acutance.imaging.colour import luma, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from acutance.imaging.resample import resize
from acutance.upscaling.engine import Engine

CHROMA_REACH = 2  # lr pixels that the bicubic enlargement of Cb and Cr sees
_GREY_TO_LUMA = 219 / 255  # BT.601: black is 16, white 235


def enlarge_piece(pixels: np.ndarray, engine: Engine, *, first_row: int) -> np.ndarray:
    """uint8 (h, w, 1 or 3) -> uint8 (H, W, same), all at once. `first_row` is for messages."""
    is_grey = pixels.shape[2] == 1
    if engine.card.color == "luma":
        make = _grey_by_luma if is_grey else _rgb_by_luma
    else:
        make = _grey_by_rgb if is_grey else run
    return to_uint8(make(pixels, engine, first_row=first_row))


def _rgb_by_luma(pixels: np.ndarray, engine: Engine, *, first_row: int) -> np.ndarray:
    """Y through the network, Cb and Cr by bicubic."""
    ycc = rgb_to_ycbcr(pixels)
    y = run(ycc[:, :, :1], engine, first_row=first_row)
    chroma = resize(ycc[:, :, 1:], scale=engine.card.scale)
    return ycbcr_to_rgb(np.concatenate([y, chroma], axis=2))


def _grey_by_luma(pixels: np.ndarray, engine: Engine, *, first_row: int) -> np.ndarray:
    """As if the grey were red, green and blue: Y spans 16..235."""
    y = run(16 + _GREY_TO_LUMA * pixels, engine, first_row=first_row)
    return (y - 16) / _GREY_TO_LUMA


def _grey_by_rgb(pixels: np.ndarray, engine: Engine, *, first_row: int) -> np.ndarray:
    """Red, green and blue alike through the network; the luma of the result."""
    rgb = run(np.repeat(pixels, 3, axis=2), engine, first_row=first_row)
    return (luma(rgb)[:, :, None] - 16) / _GREY_TO_LUMA


def run(planes: np.ndarray, engine: Engine, *, first_row: int) -> np.ndarray:
    """Planes (h, w, c) in 0..255 through the network to float32 (H, W, c) in 0..255, checked."""
    height, width, channels = planes.shape
    scale = engine.card.scale
    lr = planes.astype(np.float32) / np.float32(255)
    sr = engine(lr.transpose(2, 0, 1)[None])
    expected = (1, channels, height * scale, width * scale)
    if sr.shape != expected:
        raise RunError(f"The engine gave an array of {sr.shape} instead of {expected}: a defect.")
    if not np.isfinite(sr).all():
        raise RunError(
            f"Rows {first_row} to {first_row + height} of the picture came out of the network as "
            "numbers that are not finite, so nothing is written. The model is damaged: take an "
            "earlier one, or try another engine."
        )
    return sr[0].transpose(1, 2, 0) * np.float32(255)
