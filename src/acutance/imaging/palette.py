"""Pictures with at most 256 colours, for GIF."""

import numpy as np
from PIL import Image

_MOST = 256
_HALF = 128  # alpha from which a pixel is seen: GIF knows only all and nothing


def to_palette(image: Image.Image, *, has_clear: bool = False) -> Image.Image:
    """An image (L, LA, RGB or RGBA) with a palette of its own.

    Exact where 256 colours are enough, one of them for the transparent pixels; else the colours
    are chosen by median cut and the rest is dithered (Floyd and Steinberg). With `has_clear` a
    transparent colour is there even if no pixel has it; `info["transparency"]` is its index.
    """
    seen = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"))
        seen = alpha >= _HALF if (alpha < _HALF).any() else None
    needs_clear = has_clear or seen is not None
    if image.mode == "L" and not needs_clear:
        return image
    rgb = image.convert("RGB")
    most = _MOST - 1 if needs_clear else _MOST
    result = _exact(rgb, most)
    if result is None:
        chosen = rgb.quantize(most, method=Image.Quantize.MEDIANCUT)
        result = rgb.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
    return _with_clear(result, rgb, seen) if needs_clear else result


def _exact(rgb: Image.Image, most: int) -> Image.Image | None:
    found = rgb.getcolors(most)
    if found is None:
        return None
    colours = np.array(sorted(colour for _, colour in found), np.uint8)
    packed = _packed(np.asarray(rgb))
    indices = np.searchsorted(_packed(colours), packed).astype(np.uint8)
    return _with_palette(indices, colours.ravel().tolist())


def _packed(values: np.ndarray) -> np.ndarray:
    """(..., 3) as one number each, in the order of red, green, blue."""
    red, green, blue = (values[..., channel].astype(np.uint32) for channel in range(3))
    return red << 16 | green << 8 | blue


def _with_clear(result: Image.Image, rgb: Image.Image, seen: np.ndarray | None) -> Image.Image:
    palette = result.getpalette() or []
    clear = len(palette) // 3  # behind the colours in use
    indices, under = np.array(result), [0, 0, 0]
    if seen is not None:
        indices[~seen] = clear
        # kept where it is the same under all that is transparent
        under = np.asarray(rgb)[~seen][0].tolist()
    image = _with_palette(indices, [*palette, *under])
    image.info["transparency"] = clear
    return image


def _with_palette(indices: np.ndarray, palette: list[int]) -> Image.Image:
    height, width = indices.shape
    image = Image.frombytes("P", (width, height), indices.tobytes())
    image.putpalette(palette)
    return image
