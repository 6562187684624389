"""How fast engines run a network here: each is timed on small pictures, in turns."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from time import perf_counter

import numpy as np

from acutance.errors import RunError
from acutance.upscaling import ENGINES
from acutance.upscaling.engine import NamedEngine

TRIAL_S = 1.0  # for all engines together
_LEAST_PX, _MOST_PX = 48, 384  # side: smaller says little of large pictures, larger nothing more
_ROUNDS = 3
_APART = {"f32": 1e-3, "f16": 0.02, "bf16": 0.02, "int8": 0.1}
"""Difference in [0, 1] between two engines from which one of them must be wrong."""


@dataclass(frozen=True)
class Pace:
    """What an engine takes for one model on one machine."""

    start_s: float  # before the first picture, in a process that has not used it yet
    pixel_s: float  # for each lr pixel


def time_engines(engines: Mapping[str, NamedEngine], guess_s: float) -> dict[str, Pace]:
    """Time each engine on pictures of a size that `guess_s`, seconds for a pixel, makes fitting.

    Engines take turns, so that other work on the machine hits all alike; the best round counts.
    One that fails, or whose result is far from the first one's, is left out.
    """
    lr = _picture(engines, guess_s)
    first: np.ndarray | None = None
    times: dict[str, list[float]] = {}
    for name, engine in engines.items():
        try:
            sr = engine(lr)  # not timed: memory is taken and kernels are chosen
        except (RunError, MemoryError):
            continue
        if first is None:
            first = sr
        if sr.shape == first.shape and np.abs(sr - first).max() <= _apart(engine, first):
            times[name] = []
    end = perf_counter() + TRIAL_S
    for turn in range(_ROUNDS):
        for name, taken in times.items():
            if turn == 0 or perf_counter() < end:
                taken.append(_seconds(engines[name], lr))
    pixels = lr.shape[2] * lr.shape[3]
    return {name: Pace(_start_s(name), min(taken) / pixels) for name, taken in times.items()}


def seconds_for(engine: str, pace: Pace, pixels: int) -> float:
    """What the work takes by this engine, with its start where that is still to come."""
    return pixels * pace.pixel_s + (0.0 if is_running(engine) else pace.start_s)


def is_running(engine: str) -> bool:
    """Whether the package of the engine has been imported already."""
    return ENGINES.module(engine).ENGINE.package in sys.modules


def _picture(engines: Mapping[str, NamedEngine], guess_s: float) -> np.ndarray:
    runs = len(engines) * (_ROUNDS + 1)
    pixels = TRIAL_S / runs / max(guess_s, 1e-12)
    side = min(max(isqrt(int(min(pixels, 1e9))), _LEAST_PX), _MOST_PX)
    color = next(iter(engines.values())).card.color
    shape = (1, 1 if color == "luma" else 3, side, side)
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _apart(engine: NamedEngine, first: np.ndarray) -> float:
    return _APART[engine.precision] * max(1.0, float(np.abs(first).max()))


def _seconds(engine: NamedEngine, lr: np.ndarray) -> float:
    begun = perf_counter()
    engine(lr)
    return perf_counter() - begun


def _start_s(engine: str) -> float:
    return ENGINES.module(engine).ENGINE.start_s
