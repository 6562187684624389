"""What a study of so many seeds can show, told before it starts."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from acutance.evaluation.scored_terms import shared_networks
from acutance.losses.expression import parse_loss
from acutance.study.compare.answers import Answers, Difference
from acutance.study.compare.question import Question
from acutance.study.numbers import in_unit
from acutance.study.power import POWER, smallest_difference, smallest_p


def plan_lines(question: Question, earlier: Answers | None) -> list[str]:
    """Lines for people: the runs, the smallest p, and the smallest difference that can show."""
    arms, seeds, budgets = len(question.losses), question.seeds, question.steps
    steps = sum(budgets) * arms * seeds
    floor = smallest_p(seeds).sign_flip
    lines = [
        f"{arms * seeds * len(budgets)} runs: {arms} losses, {seeds} seeds, "
        f"{' and '.join(f'{b:,}' for b in budgets)} steps; {steps:,} steps in all",
        f"smallest p: of the t test any; of sign flips, which need no normal spread, {floor:.2g}",
    ]
    lines += [
        f"{loss}: {term} looks through the network that {metric} scores by, so its {metric} says "
        "nothing of what people see"
        for loss in question.losses
        for term, metric in shared_networks(parse_loss(loss), question.metrics)
    ]
    found = [] if earlier is None else list(_smallest(question, earlier))
    return lines + (
        found
        or [
            "how small a difference can show is not known before a first study: try few steps "
            "and seeds with another --run, then name it by --prior"
        ]
    )


def _smallest(question: Question, earlier: Answers) -> Iterator[str]:
    """By set, from the spread of paired differences in runs that are done."""
    primary = [d for d in earlier.differences if d.metric == question.primary]
    known = [d for d in primary if d.found.seeds > 1]
    for group in dict.fromkeys(d.set for d in known):
        mine = [d for d in known if d.set == group]
        sd = _pooled(mine)
        alpha = question.alpha / family_size(question, len({d.set for d in known}))
        least = smallest_difference(sd, question.seeds, alpha=alpha)
        yield (
            f"{group}: a true difference of {in_unit(least, question.primary)} is shown with "
            f"{POWER:.0%} chance (pairs of seeds spread by {in_unit(sd, question.primary)})"
        )


def _pooled(found: list[Difference]) -> float:
    """One standard deviation of several pairs of arms, each weighed by its degrees of freedom."""
    freedom = np.array([d.found.seeds - 1 for d in found])
    return sqrt(float(freedom @ np.array([d.found.sd**2 for d in found])) / float(freedom.sum()))


def family_size(question: Question, sets: int) -> int:
    """Comparisons that one metric's p values are corrected for."""
    arms = len(question.losses)
    pairs = arms * (arms - 1) // 2 if question.against == "all" else arms - 1
    return pairs * sets * len(question.steps)
