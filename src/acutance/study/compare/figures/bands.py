"""Learning curves: the mean validation PSNR over seeds, in a band from the worst to the best."""

from collections.abc import Sequence

from acutance.study.charts import Chart, Curve
from acutance.study.compare.figures.figure import Figure, Named, chart_figure, name_arms
from acutance.study.compare.question import Question
from acutance.study.compare.runs import Run
from acutance.training.record import read_log

LEFT_OUT = 0.2  # of the steps: the first rise would flatten all that differs later


def learning_curves(question: Question, runs: Sequence[Run]) -> tuple[Figure, ...]:
    """One chart a budget, of runs that came to their end."""
    names = name_arms(question)
    figures = []
    for budget in question.steps:
        drawn = [
            curve
            for arm in question.losses
            if (curve := _curve([r for r in runs if (r.loss, r.budget) == (arm, budget)], names))
        ]
        if drawn:
            chart = Chart(tuple(drawn), "step", "validation PSNR-Y, dB")
            figures.append(chart_figure(f"{budget:,} steps", chart))
    return tuple(figures)


def _curve(runs: Sequence[Run], names: dict[str, Named]) -> Curve | None:
    """Of one arm at one budget: where every one of its seeds was scored."""
    logs = [_scored(run) for run in runs]
    steps = sorted(set.intersection(*(set(log) for log in logs))) if logs else []
    if not steps:
        return None
    late = [step for step in steps if step >= LEFT_OUT * steps[-1]]
    steps = late if len(late) > 1 else steps
    by_step = [[log[step] for log in logs] for step in steps]
    named = names[runs[0].loss]
    return Curve(
        name=named.name,
        points=tuple(
            (float(step), sum(values) / len(values))
            for step, values in zip(steps, by_step, strict=True)
        ),
        spread=tuple((min(values), max(values)) for values in by_step),
        tag=named.tag,
        look=named.look,
    )


def _scored(run: Run) -> dict[int, float]:
    return {e["step"]: e["psnr"] for e in read_log(run.folder) if e["event"] in {"score", "end"}}
