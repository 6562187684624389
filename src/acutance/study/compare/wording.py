"""The answers in words and tables: one sentence an arm, for people; rows, for machines."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite, isnan

from acutance.study.compare.answers import Answers, Difference, Mixed
from acutance.study.numbers import in_unit, interval
from acutance.study.view.verdict import to_json


def sentences(answers: Answers) -> list[str]:
    """One sentence for each pair of arms at each budget, about the primary metric."""
    question = answers.question
    primary = [d for d in answers.differences if d.metric == question.primary]
    pairs = dict.fromkeys((d.budget, d.arm, d.against) for d in primary)
    return [
        _sentence([d for d in primary if (d.budget, d.arm, d.against) == pair], question.primary)
        for pair in pairs
    ]


def _sentence(found: Sequence[Difference], metric: str) -> str:
    """Sets with the same verdict are told together."""
    first = found[0]
    by_word: dict[str, list[Difference]] = {}
    for difference in found:
        by_word.setdefault(difference.verdict.word, []).append(difference)
    parts = [_part(word, group, metric) for word, group in by_word.items()]
    return (
        f"{first.arm} against {first.against} at {first.budget:,} steps: " + "; ".join(parts) + "."
    )


def _part(word: str, group: Sequence[Difference], metric: str) -> str:
    shown = ", ".join(_evidence(difference) for difference in group)
    if word in ("better", "worse"):
        return f"{word} in {metric} on {shown}"
    if word == "no difference shown":
        return f"no difference in {metric} shown on {shown}"
    return f"not enough seeds to tell on {shown}"


def _evidence(difference: Difference) -> str:
    found, metric = difference.found, difference.metric
    mean = in_unit(found.mean, metric, signed=True)
    if found.seeds < 2:
        return f"{difference.set} ({mean}, of one seed)"
    text = f"{difference.set} ({mean}, {interval(found.low, found.high, metric)}"
    text += f", p {p_value(difference.p_holm)}"
    if difference.verdict.word == "not enough seeds":
        needed = difference.verdict.seeds_needed
        text += f"; {needed} seeds would do" if needed else "; more seeds than is sensible"
    return text + ")"


def p_value(p: float) -> str:
    """p to two digits, and never a bare 0; nothing is known of one seed."""
    if isnan(p):
        return "-"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


HEAD = (
    "steps",
    "arm",
    "against",
    "set",
    "metric",
    "difference",
    "95 % interval",
    "p",
    "p (Holm)",
    "effect",
    "noise of seeds",
    "verdict",
)


def table_rows(answers: Answers) -> list[tuple[str, ...]]:
    """Every difference as a row for people, under HEAD."""
    return [
        (
            f"{d.budget:,}",
            d.arm,
            d.against,
            d.set,
            d.metric,
            in_unit(d.found.mean, d.metric, signed=True),
            interval(d.found.low, d.found.high, d.metric),
            p_value(d.found.p),
            p_value(d.p_holm),
            f"{d.found.effect:+.1f}",
            in_unit(d.noise, d.metric),
            d.verdict.word,
        )
        for d in answers.differences
    ]


def as_markdown(answers: Answers) -> str:
    """The sentences and the table as Markdown."""
    lines = [f"- {sentence}" for sentence in (*sentences(answers), *people_lines(answers))]
    lines += ["", "| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    lines += ["| " + " | ".join(row) + " |" for row in table_rows(answers)]
    lines += [f"\nNot carried out: {name}." for name in answers.missing]
    return "\n".join(lines) + "\n"


def as_csv(answers: Answers) -> str:
    """One line a difference, numbers in full."""
    rows = [_flat(difference) for difference in answers.differences]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def as_json(answers: Answers) -> dict[str, object]:
    """Everything that was found; what is not a finite number is null."""
    return {
        "verdicts": sentences(answers),
        "question": asdict(answers.question),
        "means": [_finite(asdict(mean)) for mean in answers.means],
        "differences": [_finite(_flat(difference)) for difference in answers.differences],
        "missing": list(answers.missing),
        "people": None if answers.people is None else to_json(answers.people),
        "dial": [_mixed(at) for at in answers.dial],
    }


def people_lines(answers: Answers) -> list[str]:
    """What people chose, and how often each metric prefers the same; nothing without a test."""
    people = answers.people
    if people is None:
        return []
    ranks = "; ".join(
        f"{people.names[one.side]} {one.strength:+.2f} ({one.low:+.2f} to {one.high:+.2f})"
        for one in people.ranks
    )
    lines = [
        f"People, by {people.choices} choices in {people.persons} "
        f"file{'s' * (people.persons > 1)}: {ranks}."
    ]
    for one in people.agreements:
        if not one.pair:
            low, high = (100 * end for end in one.interval)
            lines.append(
                f"{one.metric} prefers what they chose in {one.agreed} of {one.decided} "
                f"({100 * one.agreed / one.decided:.0f} %, {low:.0f} to {high:.0f} %)."
            )
    return lines


def _flat(difference: Difference) -> dict[str, object]:
    table = asdict(difference)
    word = table.pop("verdict")
    return {**table.pop("found"), **table, "verdict": word["word"], "needed": word["seeds_needed"]}


def _mixed(at: Mixed) -> dict[str, object]:
    """A mixture, and how far it is from the first arm."""
    score = _finite({"share": at.share, **asdict(at.mean)})
    return {**score, "difference": _finite(asdict(at.apart))}


def _finite(row: dict[str, object]) -> dict[str, object]:
    """JSON has neither infinity nor nan."""
    return {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in row.items()}
