"""ONNX files made elsewhere carry no card: what they are is learnt by running small pictures."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from acutance.errors import InputError, RunError
from acutance.models.card import ModelCard

_TYPES = {"tensor(float)": np.dtype(np.float32), "tensor(float16)": np.dtype(np.float16)}
_COLORS = {1: "luma", 3: "rgb"}
_PROBE_PX = (17, 19)  # unlike, odd, and large enough for a network with a few strides
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)  # of the sides, tried in this order
_REACHES = (12, 24, 48, 96)  # lr pixels tried, each costs four times the one before
_PATIENCE_S = 2.0  # for finding the reach; beyond it the picture is never cut
_ROUNDING = 1e-4  # of sums made in another order; f16 files give more, and are not cut
_MOST_SCALE = 16

Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Port:
    """The input of a network."""

    name: str
    dtype: np.dtype
    channels: int


def check_ports(path: Path, inputs: Sequence[tuple[str, str, list[int | str | None]]]) -> Port:
    """The one input (n, c, h, w) that a picture can be given to. (name, type, shape) of each."""
    if len(inputs) != 1:
        raise _unfit(path, f"it has {len(inputs)} inputs, not one picture")
    name, kind, shape = inputs[0]
    if kind not in _TYPES:
        raise _unfit(path, f"its input is {kind}, not float")
    if len(shape) != 4:
        raise _unfit(path, f"its input has {len(shape)} axes, not picture, channel, row, column")
    channels = shape[1]
    if channels not in _COLORS:
        wanted = "channels come last" if shape[3] in _COLORS else f"it has {channels} channels"
        raise _unfit(path, f"its input is {_words(shape)}: {wanted}, not 1 or 3 on the second axis")
    fixed = [size for size in shape[2:] if isinstance(size, int)]
    if fixed or (shape[0] not in (1, None) and not isinstance(shape[0], str)):
        raise _unfit(
            path,
            f"it takes pictures of one size only, {_words(shape)}. "
            "Export it again with dynamic axes for height and width",
        )
    assert isinstance(channels, int)
    return Port(name, _TYPES[kind], channels)


def probed_card(path: Path, port: Port, run: Run) -> ModelCard:
    """The card of a network without one: what it needs is measured, colour is the channels'.

    The multiple is the smallest with which a picture is taken. The reach is found by changing
    one pixel by much, both ways, and looking how far the result differs; None where it is beyond
    what a couple of seconds can show, or not the same everywhere. Pictures in [0, 1] are assumed,
    as nearly all such files want them.
    """
    scale, multiple = _scale(path, port, run)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelCard(
        architecture="onnx",
        scale=scale,
        color=_COLORS[port.channels],
        reach=_reach(port, run, scale, multiple),
        multiple=multiple,
        name=path.stem,
        weights=digest,
    )


def _scale(path: Path, port: Port, run: Run) -> tuple[int, int]:
    """Scale, and the multiple that sides must be of."""
    refused: InputError | None = None
    for multiple in _MULTIPLES:
        try:
            return _scale_at(path, port, run, [side * multiple for side in _PROBE_PX]), multiple
        except InputError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _scale_at(path: Path, port: Port, run: Run, sides: Sequence[int]) -> int:
    height, width = sides
    lr = _noise(port.channels, height, width, seed=0)
    try:
        sr = run(lr)
    except RunError as error:
        raise _unfit(
            path, f"it does not run on a picture of {width}x{height} pixels ({error})"
        ) from error
    made = f"it makes {_words(sr.shape)} out of {_words(lr.shape)}"
    if sr.ndim != 4 or sr.shape[:2] != lr.shape[:2]:
        raise _unfit(path, made)
    scale = sr.shape[2] // height
    if sr.shape[2:] != (scale * height, scale * width) or not 1 <= scale <= _MOST_SCALE:
        raise _unfit(path, f"{made}, no whole number of times")
    if not np.isfinite(sr).all():
        raise _unfit(path, "a plain picture comes out as numbers that are not finite")
    return scale


def _reach(port: Port, run: Run, scale: int, multiple: int) -> int | None:
    begun = perf_counter()
    for most in _REACHES:
        found = _changed_within(port, run, (scale, multiple), most)
        if found is not None:
            return found if _moves_along(port, run, (scale, multiple), found) else None
        if 4 * (perf_counter() - begun) > _PATIENCE_S:
            return None
    return None


def _changed_within(port: Port, run: Run, steps: tuple[int, int], most: int) -> int | None:
    """How far from a pixel the result depends on it; None: farther than was looked."""
    scale, multiple = steps
    side = -(-(2 * most + 3 + multiple) // multiple) * multiple
    farthest = 0
    for seed, value in enumerate((8.0, -8.0)):  # far outside, so that no small weight is missed
        lr = _noise(port.channels, side, side, seed=seed)
        sr = run(lr)
        for middle in range(most + 1, most + 1 + multiple):  # each place within a multiple
            other = lr.copy()
            other[:, :, middle, middle] = value
            for places in np.nonzero((sr != run(other)).any(axis=(0, 1))):
                if places.size:
                    pixels = places // scale
                    farthest = max(farthest, middle - pixels.min(), pixels.max() - middle)
            if farthest > most:
                return None
    return int(farthest)


def _moves_along(port: Port, run: Run, steps: tuple[int, int], reach: int) -> bool:
    """Whether a picture moved by the multiple gives the result moved likewise, inside its border.

    Networks with windows do not, and the reach found at one place says nothing of others.
    """
    scale, multiple = steps
    side = -(-(2 * reach + 16 + multiple) // multiple) * multiple
    lr = _noise(port.channels, side, side, seed=2)
    whole, moved = run(lr), run(lr[:, :, multiple:, multiple:])
    near, by = scale * (reach + 1), scale * multiple
    inner = whole[:, :, by + near : -near, by + near : -near]
    other = moved[:, :, near:-near, near:-near]
    return bool(np.abs(inner - other).max() <= _ROUNDING * max(1.0, float(np.abs(inner).max())))


def _noise(channels: int, height: int, width: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((1, channels, height, width), dtype=np.float32)


def _words(shape: Sequence[int | str | None]) -> str:
    return "x".join("?" if size is None else str(size) for size in shape)


def _unfit(path: Path, reason: str) -> InputError:
    return InputError(f"{path} cannot be used for pictures: {reason}. Use another model file.")
