"""One page a study, for people: the verdict, then what it rests on, then how to have it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from acutance.errors import InputError, MissingPackageError
from acutance.evaluation.scoring import Scores
from acutance.storage import write_atomically
from acutance.study.compare.answers import Answers, Difference
from acutance.study.compare.figures.bands import learning_curves
from acutance.study.compare.figures.costs import cost_table, people_table, score_table
from acutance.study.compare.figures.figure import Figure, Named, name_arms
from acutance.study.compare.figures.forest import Forest, forest, sign
from acutance.study.compare.figures.pictures import strips
from acutance.study.compare.figures.plane import perception_metrics, planes
from acutance.study.compare.figures.shares import Pulls, pulls
from acutance.study.compare.figures.winners import winners
from acutance.study.compare.question import Question, Study
from acutance.study.compare.runs import Run
from acutance.study.compare.wording import HEAD, people_lines, sentences, table_rows
from acutance.study.crops import Strip
from acutance.study.report import Table, render
from acutance.study.score import evaluate
from acutance.training.record import read_log

BICUBIC = "bicubic.json"  # the scores of no network at all, kept beside the page


@dataclass(frozen=True)
class Statement:
    """One sentence of the verdict, and its words with the sets they are about."""

    arm: Named
    against: Named
    steps: str
    marks: tuple[tuple[str, str], ...]
    sentence: str


@dataclass(frozen=True)
class StudyPage:
    """What the page shows, in this order."""

    title: str
    lead: str
    arms: tuple[Named, ...]
    statements: tuple[Statement, ...]
    missing: tuple[str, ...]
    forests: tuple[Forest, ...]
    winners: tuple[Figure, ...]
    planes: tuple[Figure, ...]
    people: Table | None  # of a blind test
    people_said: tuple[str, ...]
    sets: tuple[str, ...]
    dial: tuple[Named, ...]  # the arms between which the planes have a curve
    curves: tuple[Figure, ...]
    pulls: Pulls
    strips: tuple[Strip, ...]
    costs: Table | None
    scores: Table
    differences: Table
    remarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    settings: str


def write_page(
    path: Path, study: Study, answers: Answers, runs: Sequence[Run], record: Mapping[str, Any]
) -> None:
    """Write the page of a study, finished or not, as one HTML file without any outside part.

    `record` is what was settled when the study began. Crops need the models of the runs and are
    left out where these are gone; the scores of bicubic are kept beside the page.
    """
    from markupsafe import Markup

    page = _page(path.parent, study, answers, runs, record)
    values = {"page": page, "sign": lambda word: Markup(sign(word))}
    write_atomically(path, render("study.html", values))


def _page(
    folder: Path, study: Study, answers: Answers, runs: Sequence[Run], record: Mapping[str, Any]
) -> StudyPage:
    question = study.question
    done = [run for run in runs if run.scores() is not None]
    bicubic = _bicubic(folder, study) if perception_metrics(question) else None
    return StudyPage(
        title=_title(question),
        lead=_lead(study),
        arms=tuple(name_arms(question).values()),
        statements=_statements(answers),
        missing=answers.missing,
        forests=tuple(forest(answers, metric) for metric in question.metrics),
        winners=winners(answers),
        planes=planes(answers, bicubic),
        people=people_table(answers),
        people_said=tuple(people_lines(answers)[1:]),
        sets=tuple(dict.fromkeys(mean.set for mean in answers.means)),
        dial=tuple(name_arms(question)[arm] for arm in question.dial if answers.dial),
        curves=learning_curves(question, done),
        pulls=pulls(question, done),
        strips=strips(study, done),
        costs=cost_table(question, done),
        scores=score_table(answers),
        differences=Table(HEAD, tuple(table_rows(answers)), text=(1, 2, 3, 4, 11)),
        remarks=_remarks(question),
        facts=_facts(question, runs, record),
        settings=tomli_w.dumps(study.to_tables()),
    )


def _title(question: Question) -> str:
    first, *others = question.losses
    if len(others) == 1:
        return f"Is {others[0]} better than {first}?"
    return f"Is any of {len(others)} losses better than {first}?"


def _lead(study: Study) -> str:
    question, network = study.question, study.recipe.network
    budgets = ", ".join(f"{steps:,}" for steps in question.steps)
    fit = " of the first loss, the others within its time" if question.equal == "time" else ""
    sets = ", ".join(Path(folder).name for folder in question.test)
    return (
        f"The network {network.name} learned to enlarge pictures {network.scale} times under each "
        f"of {len(question.losses)} losses, with {question.seeds} seeds, for {budgets} steps{fit}. "
        f"Runs of one seed begin with the same weights and see the same batches; only the loss "
        f"differs. Judged by {question.primary} on {sets} (protocol {question.protocol})."
    )


def _statements(answers: Answers) -> tuple[Statement, ...]:
    """The sentences, with their verdicts set apart."""
    names = name_arms(answers.question)
    found: dict[tuple[int, str, str], list[Difference]] = {}
    for d in answers.differences:
        if d.metric == answers.question.primary:
            found.setdefault((d.budget, d.arm, d.against), []).append(d)
    return tuple(
        Statement(names[arm], names[against], f"{budget:,}", _marks(mine), sentence)
        for ((budget, arm, against), mine), sentence in zip(
            found.items(), sentences(answers), strict=True
        )
    )


def _marks(found: Sequence[Difference]) -> tuple[tuple[str, str], ...]:
    """Each word with the sets that it holds for."""
    words = dict.fromkeys(d.verdict.word for d in found)
    return tuple((w, ", ".join(d.set for d in found if d.verdict.word == w)) for w in words)


def _bicubic(folder: Path, study: Study) -> Scores | None:
    """Scores of plain enlarging, read where they were kept; None where they cannot be had."""
    question, scale = study.question, study.recipe.network.scale
    path = folder / BICUBIC
    kept = _kept(path)
    if kept is not None and (kept.protocol, kept.scale) == (question.protocol, scale):
        asked = {(group, m) for group in _set_names(question) for m in question.metrics}
        if asked <= {(row.set, row.metric) for row in kept.rows}:
            return kept
    try:
        scores = evaluate(
            "bicubic",
            question.test,
            scale=scale,
            protocol=question.protocol,
            metrics=question.metrics,
            degrade=study.recipe.data.degrade,
        )
    except (InputError, MissingPackageError):
        return None  # a page may be written where pictures or weights are not at hand
    write_atomically(path, json.dumps(scores.to_json(), indent=1) + "\n")
    return scores


def _kept(path: Path) -> Scores | None:
    try:
        return Scores.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # InputError and JSONDecodeError are ValueErrors
        return None


def _set_names(question: Question) -> list[str]:
    places = [Path(folder).resolve() for folder in question.test]
    return [place.parent.name if place.name == "HR" else place.name for place in places]


def _remarks(question: Question) -> tuple[str, ...]:
    return (
        "p answers whether other seeds would show the difference again on these very pictures. "
        "The interval is for other seeds and other pictures of this kind, and so is wider: p can "
        "be small where the interval holds 0.",
        "p values are corrected by Holm's method over all arms, sets and budgets of a metric, so "
        f"that the chance of any false alarm among them stays below {question.alpha:g}. Metrics "
        f"other than {question.primary} form families of their own: they say what a difference "
        "costs, and do not decide.",
        "The grey band is the noise of the reference: one standard deviation of its mean score "
        "over seeds. A difference within it may be real, but is smaller than what the luck of one "
        "training changes.",
        "“No difference shown” is not “equal”: the interval tells how large a difference may "
        "still be. “Not enough seeds” is a reason to run more, and no hint of a difference.",
        "All of this holds for this network, these pictures and these budgets. Longer training, a "
        "larger network or another scale can turn an order around.",
    )


def _facts(
    question: Question, runs: Sequence[Run], record: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    plan = record["plan"]
    times = [e["time"] for run in runs for e in read_log(run.folder) if "time" in e]
    done = sum(run.scores() is not None for run in runs)
    when = f"{_day(min(times))} to {_day(max(times))}" if times else "not begun"
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        ("command", str(record["command"])),
        ("runs", f"{done} of {len(runs)}, seeds 0 to {question.seeds - 1}"),
        ("carried out", when),
        ("protocol", question.protocol),
        ("test sets", ", ".join(question.test)),
        ("fingerprint of the training pictures", str(plan["fingerprint"])),
        ("computed with", f"{plan['threads']} threads, {plan['precision']}, {plan['device']}"),
        ("versions", versions),
    )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
