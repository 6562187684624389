"""What the answers of a blind test say: the ranking, and which metrics agree with people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from acutance.errors import InputError
from acutance.metrics.card import Card
from acutance.study.view.content import changed
from acutance.study.view.ranking import Rank, rank, share_interval
from acutance.study.view.scoring import Judging, measured
from acutance.study.view.shown import REFERENCE, Shown
from acutance.study.view.trials import Answers, Choice

Values = Mapping[tuple[str, str, str], float]  # (metric, picture, side) -> larger is better


KIND = "acutance blind ranking"


@dataclass(frozen=True)
class Agreement:
    """How often a metric prefers what people chose; `pair` is () for all pairs together.

    Ties of people and of the metric are left out of `decided`.
    """

    metric: str
    pair: tuple[str, ...]
    agreed: int
    decided: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share."""
        return share_interval(self.agreed, self.decided)


@dataclass(frozen=True)
class Verdict:
    """The sides by strength, how often each beat each, and the metrics' agreement."""

    names: tuple[str, ...]
    ranks: tuple[Rank, ...]
    wins: np.ndarray
    ties: int
    choices: int
    persons: int
    agreements: tuple[Agreement, ...] = ()


def judge(answers: Sequence[Answers], values: Values | None = None) -> Verdict:
    """The verdict of one or several files of the same sides. Raises InputError for others."""
    names = tuple(answers[0].head["names"])
    for other in answers[1:]:
        if set(other.head["names"]) != set(names):
            raise InputError(
                f"The files compare different things: {', '.join(names)}, and "
                f"{', '.join(other.head['names'])}. Report on them one by one."
            )
        first = answers[0].head
        differing = changed(first["content"], other.head["content"])
        differing += ["scale"] if first.get("scale") != other.head.get("scale") else []
        if differing:
            raise InputError(
                f"The files compare different pictures: their {', '.join(differing)} differ. "
                "Report on them one by one."
            )
    choices = [choice for one in answers for choice in one.choices]
    if not choices:
        raise InputError("No pair has been judged yet. Repeat the command of the test to begin.")
    wins = np.zeros((len(names), len(names)))
    for choice in choices:
        left, right = names.index(choice.left), names.index(choice.right)
        share = {"left": 1.0, "tie": 0.5, "right": 0.0}[choice.choice]
        wins[left, right] += share
        wins[right, left] += 1 - share
    return Verdict(
        names=names,
        ranks=tuple(rank(wins)),
        wins=wins,
        ties=sum(choice.choice == "tie" for choice in choices),
        choices=len(choices),
        persons=len(answers),
        agreements=_agreements(choices, names, values or {}),
    )


def metric_values(shown: Shown, judging: Judging, choices: Sequence[Choice]) -> Values:
    """Each metric's value of each picture that was judged, turned so that larger is better."""
    names = shown.exhibition.names
    items = {item.name: k for k, item in enumerate(shown.exhibition.items)}
    found: dict[tuple[str, str, str], float] = {}
    sign = {metric.name: sign_of(metric.card) for metric in judging.metrics}
    wanted = {(c.picture, side) for c in choices for side in (c.left, c.right)}
    for picture, side in sorted(wanted):
        item = items.get(picture)
        if item is None or side not in names:
            continue
        layers = shown.layers(item)
        layer = f"s{names.index(side)}"
        if layer not in layers or REFERENCE not in layers:
            continue
        pixels, hr = shown.pixels(item, layer), shown.pixels(item, REFERENCE)
        for metric, value in measured(judging, pixels, hr, shown.small(item)).items():
            if not isnan(value):  # which is neither better nor worse than anything
                found[metric, picture, side] = sign[metric] * value
    return found


def sign_of(card: Card) -> int:
    """What a value is multiplied by so that larger is better."""
    return 1 if card.direction == "higher" else -1


def _agreements(
    choices: Sequence[Choice], names: Sequence[str], values: Values
) -> tuple[Agreement, ...]:
    metrics = dict.fromkeys(metric for metric, _, _ in values)
    pairs: list[tuple[str, ...]] = [(), *combinations(names, 2)]
    found = []
    for metric in metrics:
        for pair in pairs:
            mine = [c for c in choices if not pair or {c.left, c.right} == set(pair)]
            votes = [vote for c in mine if (vote := _vote(c, metric, values)) is not None]
            if votes:
                found.append(Agreement(metric, pair, sum(votes), len(votes)))
    return tuple(found)


def _vote(choice: Choice, metric: str, values: Values) -> bool | None:
    """Whether the metric prefers the same; None for ties and where a value lacks."""
    left = values.get((metric, choice.picture, choice.left))
    right = values.get((metric, choice.picture, choice.right))
    if choice.choice == "tie" or left is None or right is None or left == right:
        return None
    return (left > right) == (choice.choice == "left")


def rank_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Side, strength, interval, chance against the average, wins: for people."""
    return [
        (
            verdict.names[one.side],
            f"{one.strength:+.2f}",
            f"{one.low:+.2f} to {one.high:+.2f}",
            f"{100 * one.chance:.0f} %",
            f"{one.wins:g} of {one.compared}",
        )
        for one in verdict.ranks
    ]


RANK_HEAD = ("side", "strength", "95 % interval", "chosen over the average", "won")
AGREEMENT_HEAD = ("metric", "pair", "agrees", "95 % interval", "choices")


def agreement_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Metric, pair, share of the choices it agrees with, interval: for people."""
    rows = []
    for one in verdict.agreements:
        low, high = (100 * end for end in one.interval)
        share = f"{100 * one.agreed / one.decided:.0f} %"
        pair = " / ".join(one.pair) or "all"
        rows.append((one.metric, pair, share, f"{low:.0f} to {high:.0f} %", str(one.decided)))
    return rows


def notes(verdict: Verdict) -> list[str]:
    """What is needed to read the ranking."""
    return [
        f"{verdict.choices} choices in {verdict.persons} file{'s' * (verdict.persons > 1)}, "
        f"{verdict.ties} ties (half a win each).",
        "Bradley-Terry: the strength is a log odds, 0 the average of these; 95 % intervals by "
        "profile likelihood, for these persons and pictures, choices taken as independent.",
    ]


def to_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as a file."""
    return {
        "kind": KIND,
        "sides": [
            {
                "name": verdict.names[one.side], "strength": one.strength, "low": one.low,
                "high": one.high, "wins": one.wins, "compared": one.compared,
            }
            for one in verdict.ranks
        ],
        "agreements": [
            {
                "metric": one.metric, "pair": list(one.pair), "agreed": one.agreed,
                "decided": one.decided,
            }
            for one in verdict.agreements
        ],
        "choices": verdict.choices, "ties": verdict.ties, "files": verdict.persons,
        "names": list(verdict.names), "wins": verdict.wins.tolist(),
    }  # fmt: skip


def from_json(content: Mapping[str, Any], path: Path) -> Verdict:
    """What `to_json` gave; InputError where it is no ranking, or a damaged one."""
    try:
        if content["kind"] != KIND:
            raise ValueError(f"it is of the kind '{content['kind']}'")
        names = tuple(content["names"])
        ranks = [
            Rank(
                names.index(one["name"]), one["strength"], one["low"], one["high"], one["wins"],
                one["compared"],
            )
            for one in content["sides"]
        ]  # fmt: skip
        agreements = [
            Agreement(one["metric"], tuple(one["pair"]), one["agreed"], one["decided"])
            for one in content["agreements"]
        ]
        counts = (content["ties"], content["choices"], content["files"])
        wins = np.array(content["wins"], dtype=float)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no ranking of a blind test ({error}). Write it again by acutance view "
            "--blind --report FILE -o RANKING.json."
        ) from error
    return Verdict(names, tuple(ranks), wins, *counts, tuple(agreements))
