"""From the scores of many runs to differences with error bars, each with its verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acutance.evaluation.judging import card_of
from acutance.evaluation.scoring import Scores
from acutance.evaluation.sets import find_set
from acutance.study.compare.question import Question
from acutance.study.power import Verdict, verdict
from acutance.study.statistics import PairedResult, compare_paired, holm, seed_noise

if TYPE_CHECKING:  # runs need torch, and answers do not
    from acutance.study.compare.runs import Run
    from acutance.study.view.verdict import Verdict as Ranking

BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Mean:
    """One arm's score on one set: the mean over seeds and pictures, and how seeds spread."""

    arm: str
    budget: int
    set: str
    metric: str
    mean: float
    noise: float  # standard deviation over seeds of the set's mean
    seeds: int


@dataclass(frozen=True)
class Difference:
    """One arm against another at one budget: arm minus against, in the metric's unit."""

    arm: str
    against: str
    budget: int
    set: str
    metric: str
    found: PairedResult
    p_holm: float  # corrected over arms, sets and budgets of this metric
    noise: float  # of `against`: what seeds alone move the set's mean by
    verdict: Verdict


@dataclass(frozen=True)
class Mixed:
    """A mixture of the dial's arms: the share of the second, and its score as of an arm."""

    share: float
    mean: Mean
    apart: PairedResult  # mixture minus the dial's first arm


@dataclass(frozen=True)
class Answers:
    """What a study found."""

    question: Question
    means: tuple[Mean, ...]
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]  # runs that failed or were not carried out
    dial: tuple[Mixed, ...] = ()  # at the largest budget
    people: "Ranking | None" = None  # of a blind test, sides called by their arms


Place = tuple[int, str, str]  # budget, set, metric
Table = dict[str, np.ndarray]  # arm -> (seeds, pictures)
Scored = Mapping[tuple[str, int, int], Scores]  # of (arm, budget, seed)


def answer(question: Question, runs: "Sequence[Run]") -> Answers:
    """Read the scores of all runs that are done and compare them."""
    done = [run for run in runs if run.is_done(question)]
    scores = scores_of(done)
    means: list[Mean] = []
    found: list[Difference] = []
    for place in product(question.steps, groups_of(question), question.metrics):
        table = table_of(question, scores, place)
        means += [mean_of(arm, values, place) for arm, values in table.items()]
        found += [_difference(table, pair, place) for pair in _pairs(question, table)]
    missing = tuple(run.name for run in runs if run not in done)
    return Answers(question, tuple(means), tuple(_judged(question, found)), missing)


def groups_of(question: Question) -> list[str]:
    """The names of the test sets."""
    return [find_set(Path(folder)).name for folder in question.test]


def scores_of(done: "Sequence[Run]") -> Scored:
    """The scores of runs that have any."""
    read = [(run, run.scores()) for run in done]
    return {(run.loss, run.budget, run.seed): table for run, table in read if table is not None}


def table_of(question: Question, scores: Scored, place: Place) -> Table:
    """The values of each arm, of the seeds under which all arms are done that have any.

    An arm that failed under every seed is left out; one that failed under some shortens the
    others to its seeds, for pairs are what is compared. A picture that some run made perfectly
    has no finite PSNR and is left out of all.
    """
    budget, group, metric = place
    seeds = range(question.seeds)
    arms = [a for a in question.losses if any((a, budget, s) in scores for s in seeds)]
    common = [s for s in seeds if all((a, budget, s) in scores for a in arms)]
    if not arms or not common:
        return {}
    whole = np.array(
        [[_values(scores[arm, budget, s], group, metric) for s in common] for arm in arms]
    )
    finite = np.isfinite(whole).all(axis=(0, 1))
    if not finite.any():
        return {}
    return dict(zip(arms, whole[:, :, finite], strict=True))


def _values(scores: Scores, group: str, metric: str) -> list[float]:
    """By picture, in the order of names."""
    rows = {r.picture: r.value for r in scores.rows if (r.set, r.metric) == (group, metric)}
    return [rows[name] for name in sorted(rows)]


def _pairs(question: Question, table: Table) -> list[tuple[str, str]]:
    """(arm, against): every arm against the first, or every later one against every earlier."""
    arms = list(table)
    if question.against == "all":
        return [(later, earlier) for earlier, later in combinations(arms, 2)]
    first = question.losses[0]
    return [(arm, first) for arm in arms if arm != first] if first in table else []


def mean_of(arm: str, values: np.ndarray, place: Place) -> Mean:
    """Over seeds and pictures, of `values` (seeds, pictures)."""
    budget, group, metric = place
    return Mean(arm, budget, group, metric, float(values.mean()), seed_noise(values), len(values))


def _difference(table: Table, pair: tuple[str, str], place: Place) -> Difference:
    """Not yet judged: p is corrected over all of a metric."""
    arm, against = pair
    budget, group, metric = place
    found = compare_paired(table[arm] - table[against], seed=BOOTSTRAP_SEED)
    return Difference(
        arm=arm,
        against=against,
        budget=budget,
        set=group,
        metric=metric,
        found=found,
        p_holm=found.p,
        noise=seed_noise(table[against]),
        verdict=Verdict("no difference shown"),
    )


def _judged(question: Question, found: Sequence[Difference]) -> Iterator[Difference]:
    """With Holm's correction over arms, sets and budgets of each metric, and the verdicts."""
    adjusted: dict[int, float] = {}
    for metric in question.metrics:
        mine = [k for k, difference in enumerate(found) if difference.metric == metric]
        adjusted |= zip(mine, holm([found[k].found.p for k in mine]), strict=True)
    for k, difference in enumerate(found):
        yield replace(
            difference,
            p_holm=adjusted[k],
            verdict=verdict(
                difference.found,
                adjusted[k],
                direction=card_of(difference.metric).direction,
                noise=difference.noise,
                alpha=question.alpha,
            ),
        )
