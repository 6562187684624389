"""What a study's runs say beyond the answers of `compare`: claims, other studies, fixed models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from acutance.evaluation.judging import card_of
from acutance.evaluation.scoring import Scores
from acutance.models.bundled import IN_8_BITS
from acutance.models.listing import listed_models
from acutance.storage import write_atomically
from acutance.study.compare.answers import (
    BOOTSTRAP_SEED,
    Scored,
    groups_of,
    scores_of,
    table_of,
)
from acutance.study.compare.question import Question
from acutance.study.compare.runs import Run
from acutance.study.score import evaluate
from acutance.study.statistics import PairedResult, compare_paired, holm
from study_plans import Plan

LEVEL = 0.01  # below it a claim is held to be shown
FIXED = "fixed.json"  # in a study's folder: scores of bicubic and of models that it did not train


@dataclass(frozen=True)
class Row:
    """One arm against another on one set: arm minus against, in the metric's unit."""

    arm: str
    against: str
    budget: int
    set: str
    metric: str
    found: PairedResult
    p_holm: float

    @property
    def gain(self) -> float:
        """How much better, in the metric's unit; below 0: worse."""
        return self.found.mean * (1 if card_of(self.metric).direction == "higher" else -1)

    def to_json(self) -> dict[str, Any]:
        """Flat, with the interval."""
        table = asdict(self)
        return {**table.pop("found"), **table}


def family(
    question: Question, scores: Scored, arm: str, against: str, budget: int
) -> tuple[Row, ...]:
    """Two arms on every set by the primary metric, the sets as one family of Holm's.

    Seeds are those under which both arms are done.
    """
    places = [(budget, group, question.primary) for group in groups_of(question)]
    return compared(question, scores, [(arm, against)], places)


def compared(
    question: Question,
    scores: Scored,
    pairs: Sequence[tuple[str, str]],
    places: Sequence[tuple[int, str, str]],
) -> tuple[Row, ...]:
    """Pairs of arms at (budget, set, metric) as one family; without those that were not run."""
    found: list[Row] = []
    for arm, against in pairs:
        for place in places:
            table = table_of(replace(question, losses=(arm, against)), scores, place)
            if len(table) == 2:
                result = compare_paired(table[arm] - table[against], seed=BOOTSTRAP_SEED)
                found.append(Row(arm, against, *place, result, result.p))
    adjusted = holm([row.found.p for row in found])
    return tuple(replace(row, p_holm=float(p)) for row, p in zip(found, adjusted, strict=True))


def holds(rows: Sequence[Row]) -> bool:
    """Whether the arm is better on every set, at the level of claims."""
    return bool(rows) and all(row.gain > 0 and row.p_holm < LEVEL for row in rows)


def claims(plan: Plan) -> list[dict[str, Any]]:
    """The claim at every budget, and then the same arm against each of the others."""
    if plan.claim is None:
        return []
    question, scores = plan.study.question, scores_of(_done(plan))
    others = [loss for loss in question.losses if loss != plan.claim.arm]
    others.sort(key=lambda loss: loss != plan.claim.against)
    found = []
    for budget in question.steps:
        for against in others:
            rows = family(question, scores, plan.claim.arm, against, budget)
            is_claim = against == plan.claim.against
            found.append({"claimed": is_claim, **as_claim(rows), "level": LEVEL})
    return [one for one in found if one["rows"]]


def as_claim(rows: Sequence[Row]) -> dict[str, Any]:
    """A family of tests, and what comes of it."""
    return {
        "holds": holds(rows),
        "worse_on": [row.set for row in rows if row.gain < 0],
        "rows": [row.to_json() for row in rows],
    }


def beside(plan: Plan, other: Plan) -> list[dict[str, Any]]:
    """Every arm against the first of another study, by seed and picture; Holm's for each metric."""
    question, first = plan.study.question, other.study.question.losses[0]
    reference = f"{first} ({other.name})"
    scores = {
        **scores_of(_done(plan)),
        **{(reference, b, s): v for (a, b, s), v in scores_of(_done(other)).items() if a == first},
    }
    pairs = [(arm, reference) for arm in question.losses]
    found: list[Row] = []
    for metric in question.metrics:
        places = [(b, group, metric) for b in question.steps for group in groups_of(question)]
        found += compared(question, scores, pairs, places)
    return [row.to_json() for row in found]


def shifted(runs: Sequence[Run], first_seed: int) -> Scored:
    """Scores of runs whose seeds begin elsewhere, as if they began at 0."""
    return {(a, b, seed - first_seed): v for (a, b, seed), v in scores_of(runs).items()}


def overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, bool]:
    """Whether two rows of one set have the same sign, and intervals that overlap."""
    return {
        "same_sign": (one["mean"] > 0) == (other["mean"] > 0),
        "overlap": one["low"] <= other["high"] and other["low"] <= one["high"],
    }


def fixed_scores(plan: Plan) -> list[dict[str, Any]]:
    """Means of bicubic and of `fixed_models`, by set and metric."""
    question, scale = plan.study.question, plan.study.recipe.network.scale
    subjects = {"bicubic": "", **fixed_models(scale)}
    path = plan.folder / FIXED
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    asked = {"protocol": question.protocol, "metrics": list(question.metrics)}
    for name, weights in subjects.items():
        about = {**asked, "weights": weights}
        if name not in kept or kept[name]["about"] != about:
            kept[name] = {"about": about, "scores": _scored(name, question, scale).to_json()}
            write_atomically(path, json.dumps(kept, indent=1) + "\n")
    read = {name: Scores.from_json(kept[name]["scores"]) for name in subjects}
    return [
        {"model": name, "set": group, "metric": metric, "mean": scores.mean(group, metric)}
        for name, scores in read.items()
        for group in scores.sets()
        for metric in question.metrics
    ]


def fixed_models(scale: int) -> dict[str, str]:
    """The bundled models of a scale by name, with the hash of their weights.

    Those in 8 bits are left out, and those for pictures made small in another way.
    """
    return {
        f"{m.family}-x{scale}": m.card.weights
        for m in listed_models()
        if m.card.scale == scale and not m.card.degradation
        if not m.family.endswith(IN_8_BITS)
    }


def _scored(name: str, question: Question, scale: int) -> Scores:
    folders = [Path(folder) for folder in question.test]
    return evaluate(
        name, folders, scale=scale, protocol=question.protocol, metrics=question.metrics
    )


def _done(plan: Plan) -> list[Run]:
    return [run for run in plan.runs() if run.is_done(plan.study.question)]
