"""Time a few real steps to choose threads and precision, and to turn minutes into steps."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from acutance.models.processor import has_native_bf16

WARM_UP = 3
TIMED = 8
LONGEST_S = 4.0  # a candidate is not tried for longer, however slow its steps
WORTH = 0.95  # a candidate must be this much faster than the plain choice to be taken


@dataclass(frozen=True)
class Pace:
    """A way to compute and what a step took with it."""

    threads: int
    precision: str
    step_s: float


def time_steps(run_step: Callable[[int], None]) -> float:
    """Median seconds of a step, after a warm-up; few steps where they are long."""
    began = time.perf_counter()
    times: list[float] = []
    for step in range(WARM_UP + TIMED):
        start = time.perf_counter()
        run_step(step)
        times.append(time.perf_counter() - start)
        if len(times) >= 2 and time.perf_counter() - began > LONGEST_S:
            break
    return statistics.median(times[min(WARM_UP, len(times) - 1) :])


def choose_pace(
    threads: int | str,
    precision: str,
    stepper: Callable[[str], Callable[[int], None]],
    *,
    note: Callable[[str], None],
) -> Pace:
    """Try what is left open on the CPU: all threads or one, fp32 or (where native) bf16.

    `stepper(precision)` builds a throw-away copy of the training step.
    """
    most = torch.get_num_threads()
    counts = [threads] if isinstance(threads, int) else sorted({most, 1}, reverse=True)
    first = "fp32" if precision == "auto" else precision
    best = _fastest([_try(count, first, stepper) for count in counts])
    if precision == "auto" and has_native_bf16():
        best = _fastest([best, _try(best.threads, "bf16", stepper)])
    torch.set_num_threads(best.threads)
    plural = "s" if best.threads > 1 else ""
    note(f"{best.threads} thread{plural}, {best.precision}: {1000 * best.step_s:.1f} ms a step")
    return best


def _try(threads: int, precision: str, stepper: Callable[[str], Callable[[int], None]]) -> Pace:
    torch.set_num_threads(threads)
    return Pace(threads, precision, time_steps(stepper(precision)))


def _fastest(tried: list[Pace]) -> Pace:
    """The first unless another is clearly faster: noise should not change the arithmetic."""
    best = tried[0]
    for pace in tried[1:]:
        if pace.step_s < WORTH * best.step_s:
            best = pace
    return best


def steps_in(minutes: float, *, spent_s: float, step_s: float, other_s: float) -> int:
    """How many steps fit into `minutes`, after what is spent and what else must be done.

    A tenth is kept back: steps are a little slower in a long run than in a trial, and snapshots
    take their time. However long the start took, a quarter of the minutes is for training.
    """
    whole = 60 * minutes
    left = max(whole - spent_s - other_s, whole / 4)
    return max(1, int(0.9 * left / step_s))
