"""What an arm costs, seconds a step beside the first; and what it reached, with seeds' noise."""

from collections.abc import Sequence
from math import isnan
from statistics import median

from acutance.study.compare.answers import Answers, Mean
from acutance.study.compare.figures.figure import name_arms
from acutance.study.compare.question import Question
from acutance.study.compare.runs import Run
from acutance.study.numbers import digits, in_unit
from acutance.study.report import Table
from acutance.training.record import read_log


def cost_table(question: Question, runs: Sequence[Run]) -> Table | None:
    """Median time of a step over the logs of all runs given."""
    paces = {arm: _pace([r for r in runs if r.loss == arm]) for arm in question.losses}
    known = {arm: pace for arm, pace in paces.items() if pace is not None}
    if not known:
        return None
    names = name_arms(question)
    first = known.get(question.losses[0])
    rows = tuple(
        (
            names[arm].tag,
            arm,
            f"{1000 * pace:.1f} ms",
            f"{pace / first:.2f} times" if first else "–",
        )
        for arm, pace in known.items()
    )
    return Table(("", "loss", "a step", "of the first"), rows, text=(0, 1))


def _pace(runs: Sequence[Run]) -> float | None:
    times = [e["step_s"] for run in runs for e in read_log(run.folder) if e["event"] == "step"]
    return median(times) if times else None


def score_table(answers: Answers) -> Table:
    """Mean scores and the noise of seeds, one row for each set, budget and arm."""
    question = answers.question
    names = name_arms(question)
    places = dict.fromkeys((m.set, m.budget, m.arm) for m in answers.means)
    found = {(m.set, m.budget, m.arm, m.metric): m for m in answers.means}
    rows = tuple(
        (
            names[arm].tag,
            arm,
            group,
            f"{budget:,}",
            *(_cell(found.get((group, budget, arm, metric))) for metric in question.metrics),
        )
        for group, budget, arm in places
    )
    return Table(("", "loss", "set", "steps", *question.metrics), rows, text=(0, 1, 2))


def people_table(answers: Answers) -> Table | None:
    """The ranking of a blind test, beside each arm's mean scores at the largest budget."""
    people, question = answers.people, answers.question
    if people is None:
        return None
    names, budget = name_arms(question), question.steps[-1]
    found = {(m.arm, m.metric, m.set): m for m in answers.means if m.budget == budget}
    sets = list(dict.fromkeys(group for _, _, group in found))
    rows = []
    for one in people.ranks:
        arm = people.names[one.side]
        scored = [[found.get((arm, m, group)) for group in sets] for m in question.metrics]
        rows.append((
            names[arm].tag,
            arm,
            f"{one.strength:+.2f}",
            f"{one.low:+.2f} to {one.high:+.2f}",
            f"{one.wins:g} of {one.compared}",
            *(" / ".join(digits(m.mean, m.metric) if m else "–" for m in row) for row in scored),
        ))  # fmt: skip
    head = ("", "loss", "strength", "95 % interval", "won", *question.metrics)
    return Table(head, tuple(rows), text=(0, 1))


def _cell(mean: Mean | None) -> str:
    if mean is None:
        return "–"
    if isnan(mean.noise):  # of one seed
        return in_unit(mean.mean, mean.metric)
    return f"{digits(mean.mean, mean.metric)} ± {in_unit(mean.noise, mean.metric)}"
