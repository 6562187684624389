"""Who wins at which budget: differences to the first arm against steps, one chart a set."""

from acutance.evaluation.judging import card_of
from acutance.study.charts import Chart, Curve
from acutance.study.compare.answers import Answers, Difference
from acutance.study.compare.figures.figure import Figure, chart_figure, name_arms


def winners(answers: Answers) -> tuple[Figure, ...]:
    """For the primary metric; nothing where there is but one budget."""
    question = answers.question
    first = question.losses[0]
    found = [d for d in answers.differences if d.metric == question.primary and d.against == first]
    if len({d.budget for d in found}) < 2:
        return ()
    sets = dict.fromkeys(d.set for d in found)
    return tuple(_figure(answers, name, [d for d in found if d.set == name]) for name in sets)


def _figure(answers: Answers, name: str, found: list[Difference]) -> Figure:
    question = answers.question
    names = name_arms(question)
    arms = [arm for arm in question.losses if any(d.arm == arm for d in found)]
    card = card_of(question.primary)
    unit = f", {card.unit}" if card.unit else ""
    above = "better" if card.direction == "higher" else "worse"
    first = names[question.losses[0]].tag
    chart = Chart(
        curves=tuple(_curve(arm, names[arm].tag, names[arm].look, found) for arm in arms),
        x_label="budget, steps (logarithmic)",
        y_label=f"{question.primary} minus that of {first}{unit} (above 0 is {above})",
        drawn="bars",
        log_x=True,
        marks=tuple(dict.fromkeys(float(d.budget) for d in found)),
        zero=True,
    )
    return chart_figure(name, chart)


def _curve(arm: str, tag: str, look: int, found: list[Difference]) -> Curve:
    mine = sorted((d for d in found if d.arm == arm), key=lambda d: d.budget)
    return Curve(
        name=arm,
        points=tuple((float(d.budget), d.found.mean) for d in mine),
        spread=tuple((d.found.low, d.found.high) for d in mine),
        tag=tag,
        look=look,
    )
