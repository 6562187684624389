"""The front in words and rows."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from acutance.evaluation.judging import card_of
from acutance.study.numbers import digits, interval
from acutance.study.statistics import PairedResult
from acutance.study.tune.found import REPORT, Found, Member


def front_head(found: Found) -> tuple[str, ...]:
    """The head of the table of the front."""
    heads = [f"{metric} {card_of(metric).unit}".strip() for metric in found.tuning.search.objective]
    return ("trial", "loss", *heads, *(f"{head}, fresh, less the start" for head in heads), "")


def front_rows(found: Found) -> list[tuple[str, ...]]:
    """One row a member, from the least of the first metric to the most."""
    metrics = found.tuning.search.objective
    return [
        (
            str(member.trial.number),
            member.trial.loss,
            *(digits(v, m) for v, m in zip(member.trial.values, metrics, strict=True)),
            *_fresh(member, metrics),
            ", ".join(
                [*member.names, *([] if member.holds or not member.again else ["fell back"])]
            ),
        )
        for member in found.front
    ]


def _fresh(member: Member, metrics: Sequence[str]) -> list[str]:
    if not member.again:
        return ["-"] * len(metrics)
    return [gain(result, m) for result, m in zip(member.again, metrics, strict=True)]


def gain(result: PairedResult, metric: str) -> str:
    """+0.012 (-0.003 to +0.020)."""
    mean = digits(result.mean, metric, signed=True)
    return f"{mean} ({interval(result.low, result.high, metric)})"


def summary(found: Found, place: Path) -> list[str]:
    """How much was tried, what mattered, and the command for each pick."""
    steps = sum(trial.steps for trial in found.trials)
    lines = [
        f"\n{len(found.trials)} trials, {steps:,} steps, {len(found.failed)} failed; "
        f"hypervolume {found.area[-1]:.4g} against "
        + ", ".join(
            f"{metric} {digits(value, metric)}"
            for metric, value in zip(found.tuning.search.objective, found.reference, strict=True)
        )
    ]
    for metric, shares in found.importance.items():
        if shares:
            told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
            lines.append(f"what moves {metric}: {told}")
    for member in found.front:
        for name in member.names:
            lines.append(apply_command(place, name))
    return [*lines, f"\n{place / REPORT}"]


def apply_command(place: Path, name: str) -> str:
    """What trains in full with a pick of the search in `place`."""
    pick = name.replace(" ", "-")
    return f"acutance tune apply {shlex.quote(str(place))} {pick} --run runs/{pick}"
