"""What each term of a sum did: its share of the gradient over time, and where terms pull."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from acutance.study.charts import Chart, Curve
from acutance.study.compare.figures.figure import Figure, Named, chart_figure
from acutance.study.compare.question import Question
from acutance.study.compare.runs import Run
from acutance.study.report import Table
from acutance.training.record import read_log

MOST_POINTS = 40  # of a line: neighbours are averaged


@dataclass(frozen=True)
class Pulls:
    """Charts of shares, one an arm with several terms, and the table of cosines."""

    figures: tuple[Figure, ...]
    cosines: Table | None


def pulls(question: Question, runs: Sequence[Run]) -> Pulls:
    """Of the runs at the largest budget, means over seeds."""
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for arm in question.losses:
        mine = [r for r in runs if (r.loss, r.budget) == (arm, question.steps[-1])]
        logs = [[e for e in read_log(run.folder) if e["event"] == "step"] for run in mine]
        logs = [log for log in logs if log]
        if not logs or len(logs[0][0]["terms"]) < 2:
            continue
        figures.append(_figure(arm, logs))
        rows += [(arm, pair, f"{cosine:+.2f}") for pair, cosine in _cosines(logs).items()]
    head = ("loss", "terms", "mean cosine")
    return Pulls(tuple(figures), Table(head, tuple(rows), text=(0, 1)) if rows else None)


def _figure(arm: str, logs: Sequence[Sequence[dict[str, Any]]]) -> Figure:
    legend = tuple(Named(k, str(k + 1), name) for k, name in enumerate(logs[0][0]["terms"]))
    curves = tuple(
        Curve(named.name, _thinned(_mean_share(logs, named.name)), tag=named.tag, look=named.look)
        for named in legend
    )
    return chart_figure(arm, Chart(curves, "step", "share of the gradient, %"), legend)


def _mean_share(logs: Sequence[Sequence[dict[str, Any]]], term: str) -> list[tuple[float, float]]:
    """Per cent at every step that some seed wrote down, over the seeds that did."""
    found: dict[int, list[float]] = {}
    for log in logs:
        for event in log:
            if term in event["terms"]:
                found.setdefault(event["step"], []).append(100 * event["terms"][term]["share"])
    return [(float(step), fmean(values)) for step, values in sorted(found.items())]


def _thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    size = -(-len(points) // MOST_POINTS)
    pieces = [points[k : k + size] for k in range(0, len(points), size)]
    return tuple((fmean(x for x, _ in piece), fmean(y for _, y in piece)) for piece in pieces)


def _cosines(logs: Sequence[Sequence[dict[str, Any]]]) -> dict[str, float]:
    """Of each pair of terms, over all lines of all seeds."""
    found: dict[str, list[float]] = {}
    for log in logs:
        for event in log:
            for pair, cosine in event.get("cosines", {}).items():
                found.setdefault(pair, []).append(cosine)
    return {pair: fmean(values) for pair, values in found.items()}
