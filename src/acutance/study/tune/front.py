"""The front of what no trial beats in everything: its rank, its area, its knee, its names."""

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from acutance.errors import MissingPackageError
from acutance.evaluation.judging import card_of

PICKS = ("most faithful", "balanced", "sharpest")


def higher_is_better(objective: Sequence[str]) -> list[bool]:
    """Of each metric."""
    return [card_of(metric).direction == "higher" for metric in objective]


def ranks(values: np.ndarray, objective: Sequence[str]) -> np.ndarray:
    """Non-domination rank of each row (trials, metrics): 0 is the front, 1 what is left without it.

    Source: Deb, Pratap, Agarwal, Meyarivan: NSGA-II (IEEE TEC 6, 2002), sec. III-A.
    """
    return moocore().pareto_rank(values, maximise=higher_is_better(objective))


def hypervolume(values: np.ndarray, reference: np.ndarray, objective: Sequence[str]) -> float:
    """The area (volume) between the front of the rows and `reference`, in the metrics' units.

    Rows that are not better than the reference in everything add nothing.
    """
    if not len(values):
        return 0.0
    maximise = higher_is_better(objective)
    return float(moocore().hypervolume(values, ref=reference, maximise=maximise))


def knee(front: np.ndarray, objective: Sequence[str]) -> int:
    """The member furthest from the line (plane) through the front's ends, each axis scaled to 1.

    Source: Das: On Characterizing the "Knee" of the Pareto Curve (Structural Optimization 18,
    1999). With one or two members, the first.
    """
    signs = np.where(higher_is_better(objective), 1.0, -1.0)
    good = front * signs
    low, high = good.min(axis=0), good.max(axis=0)
    scaled = (good - low) / np.where(high > low, high - low, 1.0)
    return int(scaled.sum(axis=1).argmax())  # the ends lie on the plane of equal sums


def picks(front: np.ndarray, objective: Sequence[str]) -> dict[str, int]:
    """Name -> member: best by the first metric of fidelity, the knee, best by one of perception.

    A search without both kinds has only "balanced".
    """
    found = {"balanced": knee(front, objective)}
    higher = higher_is_better(objective)
    for name, kind in (("most faithful", "fidelity"), ("sharpest", "perception")):
        columns = [k for k, metric in enumerate(objective) if card_of(metric).judges == kind]
        if columns:
            column = front[:, columns[0]]
            found[name] = int(column.argmax() if higher[columns[0]] else column.argmin())
    return {name: found[name] for name in PICKS if name in found}


def spread_along(front: np.ndarray, count: int, keep: Sequence[int] = ()) -> list[int]:
    """At most `count` members: those of `keep`, then evenly by the order of the first metric."""
    order = np.argsort(front[:, 0], kind="stable").tolist()
    even = [order[round(k * (len(order) - 1) / max(1, count - 1))] for k in range(count)]
    chosen = dict.fromkeys([*keep, *even])
    return sorted(list(chosen)[: max(count, len(set(keep)))])


def moocore() -> ModuleType:
    """The library for fronts; an extra."""
    try:
        import moocore as found
    except ImportError as error:
        raise MissingPackageError("moocore", "tune", "Searching for weights") from error
    return found
