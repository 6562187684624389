"""Time a few real steps to choose threads and precision, and to turn minutes into steps."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from acutance.imaging.parallel import core_count
from acutance.models.processor import has_native_bf16
from acutance.training.levels import Turns

WARM_UP = 3
TIMED = 8
MADE = 3  # batches
MOST_MAKERS = 16  # threads that degrade; each holds a batch
LONGEST_S = 4.0  # a candidate is not tried for longer, however slow its steps
WORTH = 0.95  # a candidate must be this much faster than the plain choice to be taken
ONE_LEVEL = Turns((1,))


@dataclass(frozen=True)
class Pace:
    """A way to compute and what a step took with it."""

    threads: int
    precision: str
    step_s: float


def time_steps(run_step: Callable[[int], None], turns: Turns = ONE_LEVEL) -> float:
    """Median seconds of a step, after a warm-up; few steps where they are long.

    `run_step` takes all levels of `turns` in turn from the start. They are timed apart, and the
    mean is weighed as the run will have them.
    """
    began = time.perf_counter()
    shares, trial = turns.shares(), turns.together()
    times: dict[int, list[float]] = {level: [] for level in shares}
    for step in range(len(shares) * (WARM_UP + TIMED)):
        start = time.perf_counter()
        run_step(step)
        times[trial.level_at(step, 0)].append(time.perf_counter() - start)
        fewest = min(map(len, times.values()))
        if fewest >= 2 and time.perf_counter() - began > LONGEST_S:
            break
    warm = {level: found[min(WARM_UP, len(found) - 1) :] for level, found in times.items()}
    return sum(share * statistics.median(warm[level]) for level, share in shares.items())


def choose_pace(
    threads: int | str,
    precision: str,
    stepper: Callable[[str], Callable[[int], None]],
    *,
    turns: Turns = ONE_LEVEL,
    note: Callable[[str], None],
) -> Pace:
    """Try what is left open on the CPU: all threads or one, fp32 or (where native) bf16.

    `stepper(precision)` builds a throw-away copy of the training step, and takes all levels of
    `turns` in turn from the start.
    """
    most = torch.get_num_threads()
    counts = [threads] if isinstance(threads, int) else sorted({most, 1}, reverse=True)
    first = "fp32" if precision == "auto" else precision
    best = _fastest([_try(count, first, stepper, turns) for count in counts])
    if precision == "auto" and has_native_bf16():
        best = _fastest([best, _try(best.threads, "bf16", stepper, turns)])
    torch.set_num_threads(best.threads)
    plural = "s" if best.threads > 1 else ""
    note(f"{best.threads} thread{plural}, {best.precision}: {1000 * best.step_s:.1f} ms a step")
    return best


def _try(
    threads: int,
    precision: str,
    stepper: Callable[[str], Callable[[int], None]],
    turns: Turns,
) -> Pace:
    torch.set_num_threads(threads)
    return Pace(threads, precision, time_steps(stepper(precision), turns))


def idle_cores(threads: int, device: str) -> int:
    """Cores that may degrade pictures while the network works on others, or feeds a GPU."""
    return min(MOST_MAKERS, core_count() - (threads if device == "cpu" else 1))


def paced(step_s: float, make: Callable[[int], object], *, makers: int) -> float:
    """Seconds of a step whose batch takes a while: beside its `makers`, or after it without any."""
    times = []
    for step in range(MADE):
        start = time.perf_counter()
        make(step)
        times.append(time.perf_counter() - start)
    making_s = statistics.median(times)
    return max(step_s, making_s / makers) if makers > 0 else step_s + making_s


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
