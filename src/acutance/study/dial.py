"""The curve between two models of one origin: mixtures of their weights, without any training.

Wang et al.: ESRGAN (ECCV Workshops 2018), sec. 3.4, "network interpolation": between a network of
high fidelity and a perceptual one trained on from it, every share is a network of its own, and the
share is a dial from the one to the other.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.evaluation.judging import DEFAULT_METRICS
from acutance.evaluation.scoring import Scores
from acutance.evaluation.sets import find_sets
from acutance.models.card import read_card
from acutance.storage import write_atomically
from acutance.study.score import evaluate

POINTS = 8  # with both ends


@dataclass(frozen=True)
class Point:
    """One mixture: the share of the second model in it, 0 to 1, and its scores."""

    share: float
    scores: Scores


def dial(
    models: tuple[str | Path, str | Path],
    data: Sequence[str | Path],
    *,
    points: int = POINTS,
    metrics: Sequence[str] = DEFAULT_METRICS,
    protocol: str = "y@1",
    degrade: str = "",
    kept: Path | None = None,
) -> Iterator[Point]:
    """Score `points` mixtures of two models on `data`, both ends included, evenly apart.

    Each is given as soon as it is scored. In the folder `kept` the scores of each point stay in a
    file of their own, so that the same call goes on where it was stopped; other weights, pictures,
    metrics or protocols are other files. `degrade` makes lr, as for `evaluate`. Raises InputError
    for models that are not of one origin.
    """
    pictures = [[s.name, [p.name for p in s.pictures]] for s in find_sets(list(map(Path, data)))]
    asked = [pictures, list(metrics), protocol, *([degrade] if degrade else [])]
    for share in shares(points):
        model = mixture(str(models[0]), str(models[1]), share)
        path = kept / f"{_key(models, share, asked)}.json" if kept is not None else None
        if path is not None and path.exists():
            yield Point(share, _read(path))
            continue
        scores = evaluate(model, data, metrics=metrics, protocol=protocol, degrade=degrade)
        if path is not None:
            write_atomically(path, json.dumps(scores.to_json(), indent=1) + "\n")
        yield Point(share, scores)


def shares(points: int) -> list[float]:
    """`points` numbers from 0 to 1, evenly apart."""
    if points < 2:
        raise InputError(f"A dial has 2 points or more, not {points}: its ends are two.")
    return [k / (points - 1) for k in range(points)]


def mixture(one: str, other: str, share: float) -> str:
    """Two models in the words of `--model`, "a:0.7,b:0.3" where the other's `share` is 0.3."""
    part = round(share, 6)
    return f"{one}:{round(1 - part, 6):g},{other}:{part:g}"


def _key(models: tuple[str | Path, str | Path], share: float, asked: object) -> str:
    digests = [read_card(Path(model)).weights for model in models]
    text = json.dumps([digests, round(share, 6), asked])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path) -> Scores:
    try:
        return Scores.from_json(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # no text, no JSON, or no scores
        raise InputError(f"{path} is damaged. Delete it and give the same command.") from error
