"""What finetunes.py makes of scores: means, differences over pictures, prices, and the curve."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from acutance import evaluate
from acutance.evaluation.exchange import by_picture, exchange_interval, exchange_rate, standing
from acutance.evaluation.scoring import Scores
from acutance.models.card import read_card
from acutance.models.mixing import mixed, parse_mixture
from acutance.storage import write_atomically
from acutance.study.dial import mixture, shares
from acutance.study.statistics import picture_interval

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
METRICS, PROTOCOL = ("psnr", "ssim", "lpips", "niqe", "lr_psnr"), "y@1"
SCALE, POINTS, DIGITS = 4, 8, 5
BICUBIC = "bicubic"


def scored(model: str, sets: Sequence[str], kept: Path) -> Scores:
    """Of `model` on the sets of DATA; each set's scores are kept by the digest of the weights."""
    rows = []
    digest = BICUBIC if model == BICUBIC else digest_of(model)
    for name in sets:
        key = hashlib.sha256(json.dumps([digest, name, METRICS, PROTOCOL]).encode()).hexdigest()
        path = kept / f"{key[:16]}.json"
        if not path.exists():
            print(f"scoring {model} on {name}", flush=True)
            scale = SCALE if model == BICUBIC else None
            found = evaluate(model, DATA / name, scale=scale, protocol=PROTOCOL, metrics=METRICS)
            write_atomically(path, json.dumps(found.to_json(), indent=1) + "\n")
        rows += Scores.from_json(json.loads(path.read_text(encoding="utf-8"))).rows
    return Scores(model, SCALE, PROTOCOL, tuple(rows))


def digest_of(model: str) -> str:
    """Of the weights; those of a mixture's ends are those of its models."""
    parts = parse_mixture(model)
    if isinstance(parts, str):
        return read_card(Path(parts)).weights
    return mixed(parts).card.weights  # pyright: ignore


def rows_of(scores: Mapping[str, Scores], start: str) -> list[dict[str, object]]:
    """One row for each set and model; beside START its differences and its price."""
    return [
        {
            "set": name,
            "model": model,
            "pictures": len({row.picture for row in found.rows if row.set == name}),
            "means": means(found, name),
            **(against(found, scores[start], name) if model != start else {}),
        }
        for name in scores[start].sets()
        for model, found in scores.items()
    ]


def means(found: Scores, name: str) -> dict[str, float]:
    """The set's mean of every metric."""
    metrics = dict.fromkeys(row.metric for row in found.rows)
    return {metric: round(found.mean(name, metric), DIGITS) for metric in metrics}


def against(found: Scores, start: Scores, name: str) -> dict[str, object]:
    """Differences to START and the exchange rate, with 95 % intervals over the pictures."""
    differences = {}
    for metric in means(found, name):
        values = by_picture(found, name, metric) - by_picture(start, name, metric)
        found_here = (float(values.mean()), *picture_interval(values, seed=0))
        differences[metric] = [round(number, DIGITS) for number in found_here]
    price = exchange_rate(standing(found, name), standing(start, name))
    interval = exchange_interval(found, start, name) if price.rate is not None else None
    return {
        "against": differences,
        "exchange": {
            "rate": None if price.rate is None else round(price.rate, DIGITS),
            "interval": None if interval is None else [round(end, DIGITS) for end in interval],
            "reason": price.reason,
        },
    }


def curve(ends: tuple[str, str], group: str, kept: Path) -> list[dict[str, object]]:
    """The mixtures of two models on one set, both ends included."""
    return [
        {"share": share, "means": means(scored(mixture(*ends, share), [group], kept), group)}
        for share in shares(POINTS)
    ]
