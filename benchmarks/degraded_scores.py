"""Scores of models on B100 under a degradation, and how they differ from picture to picture."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance import evaluate
from acutance.evaluation.exchange import by_picture
from acutance.evaluation.scoring import Scores
from acutance.models.card import read_card
from acutance.storage import write_atomically
from acutance.study.statistics import picture_interval

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
SET, PROTOCOL, DEGRADE_SEED = "B100", "y@1", 0
DIGITS = 5


@dataclass(frozen=True)
class Condition:
    """How the pictures are made small. A picture's draws depend on its name alone."""

    name: str
    degrade: str  # "" is MATLAB's bicubic
    scale: int


def scored(model: str, seen: Condition, metrics: Sequence[str], kept: Path) -> Scores:
    """Of B100 under a condition; kept by the digest of the weights."""
    weights = read_card(Path(model)).weights if model != "bicubic" else model
    path = kept / f"{seen.name}-{weights[:16]}.json"
    if not path.exists():
        print(f"scoring {model} on {seen.name} pictures", flush=True)
        found = evaluate(
            model,
            DATA / SET,
            scale=seen.scale,
            protocol=PROTOCOL,
            metrics=tuple(metrics),
            degrade=seen.degrade,
            degrade_seed=DEGRADE_SEED,
        )
        write_atomically(path, json.dumps(found.to_json(), indent=1) + "\n")
    return Scores.from_json(json.loads(path.read_text(encoding="utf-8")))


def told(found: Mapping[str, Scores], subject: str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each model: its means, and by how much `subject` differs from it."""
    rows = []
    for name, scores in found.items():
        means = {metric: round(scores.mean(SET, metric), DIGITS) for metric in metrics}
        row: dict[str, Any] = {"model": name, "means": means}
        if name != subject:
            row["change"] = {m: change(found[subject], scores, m) for m in metrics}
        rows.append(row)
    return rows


def change(scores: Scores, reference: Scores, metric: str) -> list[float]:
    """Mean of the differences over the pictures, and its 95 % interval."""
    values = by_picture(scores, SET, metric) - by_picture(reference, SET, metric)
    found = (float(values.mean()), *picture_interval(values, seed=0))
    return [round(number, DIGITS) for number in found]
