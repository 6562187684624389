"""What a search found: its trials, and the front with what fresh seeds say of it."""

from dataclasses import dataclass

from acutance.study.statistics import PairedResult
from acutance.study.tune.question import Tuning

REPORT = "report.html"  # in the folder of a search


@dataclass(frozen=True)
class Tried:
    """One finished trial. `steps` is where it halted; only whole ones can be on the front."""

    number: int
    loss: str
    params: dict[str, float]
    values: tuple[float, ...]
    steps: int


@dataclass(frozen=True)
class Member:
    """A trial of the front, and what fresh seeds say of it: each metric less that of the start."""

    trial: Tried
    names: tuple[str, ...]  # of the picks that it is
    again: tuple[PairedResult, ...]  # one for each metric; empty where it was not run again
    means: tuple[float, ...]  # of the fresh runs
    holds: bool  # on the front of the fresh runs, too


@dataclass(frozen=True)
class Found:
    """The answer of a search."""

    tuning: Tuning
    start: tuple[float, ...]  # what is compared with: the model that trials begin from, or bicubic
    trials: tuple[Tried, ...]
    failed: tuple[int, ...]
    reference: tuple[float, ...]  # corner of the hypervolume: the worst of the whole trials
    area: tuple[float, ...]  # hypervolume after each trial
    importance: dict[str, dict[str, float]]  # metric -> knob -> share
    front: tuple[Member, ...]
