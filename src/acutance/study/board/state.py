"""What becomes of a run, as far as its log tells: whether it runs, and when it will be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from acutance.training.endless import ENDLESS

Name = Literal["running", "waiting", "stalled", "stopped", "done", "failed"]

LEAST_S = 60.0  # of silence before a run counts as stalled
OFTEN = 4.0  # as long as the longest pause of this sitting, at the least
SOON_S = 5.0  # within which a run that goes back to a snapshot says so


@dataclass(frozen=True)
class Signs:
    """The end of a log, and what the run's folder says beside it."""

    last: str = ""  # the newest event's name; "" before the first
    at: float = 0.0  # when it was written, seconds since 1970
    step: int = 0
    steps: int = 0
    pause_s: float = 0.0  # the longest between two lines of this sitting
    line_s: float = 0.0  # between two lines by the plan
    reason: str = ""  # why the run ended, or what the fault was
    failed: str = ""  # what a study wrote about it
    is_trial: bool = False  # of a search: it is scored between its steps and writes no end


@dataclass(frozen=True)
class State:
    """A state and why, or since when, in words."""

    name: Name
    why: str = ""


def state_of(signs: Signs, now: float) -> State:
    """The state at `now`, seconds since 1970.

    A process that is killed writes nothing, so a run is stalled once it has been silent for
    four times its longest pause, and a minute at least.
    """
    if signs.failed:
        return State("failed", signs.failed)
    if signs.last == "fault" and now - signs.at > SOON_S:
        return State("failed", signs.reason)
    ended = _ENDED.get(signs.last)
    if ended is not None:
        return ended(signs)
    is_whole = signs.is_trial and signs.step >= signs.steps
    if now - signs.at <= patience_s(signs) and not (is_whole and signs.last == "waited"):
        return State("running")
    return _silent(signs, is_whole=is_whole)


_ENDED: dict[str, Callable[[Signs], State]] = {
    "": lambda _: State("waiting", "not begun yet"),
    "end": lambda signs: State("done", signs.reason),
    "interrupted": lambda signs: State("stopped", f"by Ctrl-C at step {signs.step:,}"),
}


def _silent(signs: Signs, *, is_whole: bool) -> State:
    if is_whole:
        return State("done", "all steps done")
    if signs.is_trial:
        return State("stopped", f"halted at step {signs.step:,}")
    return State("stalled", f"no word since step {signs.step:,}")


def patience_s(signs: Signs) -> float:
    """How long a run may be silent."""
    return max(LEAST_S, OFTEN * max(signs.pause_s, signs.line_s))


def pace_s(beats: Sequence[tuple[float, int]]) -> float | None:
    """Seconds a step by the newest lines (time, step) of this sitting, scoring and saving too."""
    if len(beats) < 2 or beats[-1][1] <= beats[0][1]:
        return None
    (began, first), (ended, last) = beats[0], beats[-1]
    return max(0.0, ended - began) / (last - first)


def left_s(signs: Signs, pace: float | None, now: float) -> float | None:
    """Seconds until the last step by this pace; None where nothing can be said.

    A run that its scores alone stop has no length.
    """
    if pace is None or not 0 < signs.steps < ENDLESS:
        return None
    steps = max(0, signs.steps - signs.step)
    return max(0.0, steps * pace - max(0.0, now - signs.at))
