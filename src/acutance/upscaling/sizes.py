"""How large the result is to be, exact to the pixel, and how often a network is run for it."""

import math
from fractions import Fraction

from acutance.errors import InputError
from acutance.upscaling.settings import Size

MOST_OUTPUT_PIXELS = 10_000_000_000  # 30 GB as 8-bit RGB: a 30000x20000 picture enlarged x4
LONGEST_SIDE = 1_000_000  # px, of TIFF and PNG readers at large
_MOST_PARTS = 10_000  # of a pixel that a scale counts in


def target_size(size: tuple[int, int], wanted: Size, *, native: int | None) -> tuple[int, int]:
    """(H, W) of the result for a picture of `size` (H, W); sides are rounded half up.

    `native` is the scale of the model, which counts where nothing is wanted; None: it has none.
    Raises InputError for a contradiction or a result of no or of too many pixels.
    """
    height, width = _sides(size, wanted, native=native)
    if min(height, width) < 1:
        raise InputError(
            f"A picture of {size[1]}x{size[0]} would become {width}x{height}: no pixels. "
            "Ask for a larger size."
        )
    if height * width > MOST_OUTPUT_PIXELS or max(height, width) > LONGEST_SIDE:
        raise InputError(
            f"A picture of {size[1]}x{size[0]} would become {width}x{height}, more than the "
            f"{MOST_OUTPUT_PIXELS // 10**6} million pixels, or {LONGEST_SIDE} a side, that are "
            "made. Ask for a smaller size, or cut it into parts."
        )
    return height, width


def ratio_of(scale: int | float | Fraction | str) -> Fraction:
    """The ratio that is meant: 1.1 is 11/10 and 1.3333333 is 4/3, although no float is either.

    Raises InputError for what is no finite number.
    """
    if isinstance(scale, Fraction):
        return scale
    try:
        return Fraction(str(scale)).limit_denominator(_MOST_PARTS)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"The scale must be a number above 0, not {scale}.") from None


def passes_for(size: tuple[int, int], target: tuple[int, int], *, native: int) -> int:
    """The fewest runs of a network after which the picture is at least as large as `target`.

    So the last step makes it smaller, with care for aliases, and never blurs it up. None where
    it is not to be enlarged; a network that keeps the size is run once.
    """
    if native == 1:
        return 1
    passes = 0
    while size[0] * native**passes < target[0] or size[1] * native**passes < target[1]:
        passes += 1
    return passes


def _sides(size: tuple[int, int], wanted: Size, *, native: int | None) -> tuple[int, int]:
    height, width = size
    given = [name for name in _WAYS if getattr(wanted, name) is not None]
    if len(given) > 1:
        raise InputError(f"The size is given twice, by {' and by '.join(given)}. Give one of them.")
    if wanted.width is not None:
        return _half_up(height * _ratio("width", wanted.width) / width), wanted.width
    if wanted.height is not None:
        return wanted.height, _half_up(width * _ratio("height", wanted.height) / height)
    scale = _scale(size, wanted, native=native)
    return _half_up(height * scale), _half_up(width * scale)


def _scale(size: tuple[int, int], wanted: Size, *, native: int | None) -> Fraction:
    height, width = size
    if wanted.scale is not None:
        return _ratio("scale", wanted.scale)
    if wanted.fit is not None:
        across, down = (_ratio("fit", side) for side in wanted.fit)
        return min(across / width, down / height)
    if wanted.megapixels is not None:
        pixels = _ratio("megapixels", wanted.megapixels) * 10**6
        return Fraction(math.sqrt(pixels / (height * width)))
    if native is None:
        raise InputError("The model 'bicubic' has no scale of its own. Give one: --scale 2")
    return Fraction(native)


def _ratio(name: str, value: Fraction | float) -> Fraction:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"The {name} must be above 0, not {value}.")
    return Fraction(value)


def _half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


_WAYS = ("scale", "width", "height", "fit", "megapixels")
