"""Which bundled model enlarges a picture: by what the picture is, and by how much it is to grow."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path

from acutance.errors import InputError
from acutance.models.bundled import (
    FOR_JPEG,
    FOR_OTHERS,
    USUAL,
    best_scale,
    families,
    family,
    listed,
    passes_of,
)
from acutance.upscaling.settings import Size
from acutance.upscaling.sizes import target_size


@dataclass(frozen=True)
class Pick:
    """A bundled model's file, and why it was taken; no reason where it is just what was asked."""

    file: Path
    why: str = ""


def is_open(model: object) -> bool:
    """Whether the file is picked for each picture: no model is named, or a bundled family is."""
    return model is None or (isinstance(model, str | Path) and bool(family(model)))


def pick_model(
    model: str | Path | None, wanted: Size, source: tuple[int, int] | None, *, is_jpeg: bool
) -> Pick:
    """The file of a family, or without `model` of the family that fits the picture.

    A JPEG gets "photo", which was trained on what codecs and cameras do, anything else "small";
    the next best where these are not bundled. `source` is (H, W) where it is known.
    """
    factor = _factor(wanted, source)
    name = _fitting(factor, is_jpeg=is_jpeg) if model is None else str(model)
    files = families()[name]
    if factor is None:
        scale = USUAL if model is None else min(files)
        return Pick(files[scale], _why(is_jpeg, name) if model is None else "")
    scale = best_scale(files, factor)
    reasons = [_why(is_jpeg, name)] if model is None else []
    if factor == int(factor) and factor not in files and factor > 1:
        reasons.append(_detour(name, files, factor))
    return Pick(files[scale], "; ".join(reasons))


def _factor(wanted: Size, source: tuple[int, int] | None) -> Fraction | float | None:
    """How many times larger the result is, along the side that grows most; None: as the model."""
    if wanted.scale is not None:
        return wanted.scale if isfinite(wanted.scale) else None  # whoever enlarges it says so
    if source is None or wanted == Size():
        return None
    try:
        target = target_size(source, wanted, native=None)
    except InputError:  # likewise
        return None
    return max(Fraction(large, small) for large, small in zip(target, source, strict=True))


def _fitting(factor: Fraction | float | None, *, is_jpeg: bool) -> str:
    """The family to take: the fewest runs of its network, then the order of preference."""
    order = FOR_JPEG if is_jpeg else FOR_OTHERS
    found = families()
    able = [name for name in order if USUAL in found.get(name, {})]
    if not able:
        raise InputError(
            "This installation brings no model. Install acutance again, or name one by --model."
        )
    if factor is None:
        return able[0]
    asked = factor
    return min(able, key=lambda name: passes_of(best_scale(found[name], asked), asked))


def _why(is_jpeg: bool, name: str) -> str:
    what = "for a JPEG" if is_jpeg else "for what is no JPEG"
    if name != (FOR_JPEG if is_jpeg else FOR_OTHERS)[0]:
        what = f"the best at hand {what}"
    return f"{what}, as --model was not given"


def _detour(name: str, scales: Collection[int], factor: Fraction | float) -> str:
    scale = best_scale(scales, factor)
    passes = passes_of(scale, factor)
    runs = "one run" if passes == 1 else f"{passes} runs"
    reduced = "" if scale**passes == factor else " and a reduction"
    return f"{name} is there for {listed(scales)}, so x{int(factor)} takes {runs}{reduced}"
