"""Metrics by name: made ready before any work, and called with the pictures that each asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import isclass

import numpy as np

from acutance.errors import InputError
from acutance.evaluation.protocols import Protocol
from acutance.imaging.colour import luma
from acutance.metrics import METRICS
from acutance.metrics.card import Card

DEFAULT_METRICS = ("psnr", "ssim")


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric that is ready to be called, as its card says."""

    name: str
    card: Card
    judge: Callable[..., float]


@dataclass(frozen=True, eq=False)
class Pictures:
    """One result `sr`, its original, and the small picture it was made from, by one protocol."""

    sr: np.ndarray
    hr: np.ndarray
    lr: np.ndarray
    rule: Protocol
    scale: int

    @cached_property
    def inner(self) -> tuple[np.ndarray, np.ndarray]:
        """sr and hr without the border."""
        border = self.rule.border * self.scale
        inside = (slice(border, -border or None),) * 2
        return self.sr[inside], self.hr[inside]

    @cached_property
    def compared(self) -> tuple[np.ndarray, np.ndarray]:
        """sr and hr as the protocol compares them."""
        sr, hr = self.inner
        if self.rule.channel == "luma" and not self.rule.enlarges_luma:
            return luma(sr), luma(hr)
        return sr, hr

    def shown_to(self, card: Card) -> tuple[np.ndarray, ...]:
        """What a metric of this card is called with."""
        if card.sees == "compared":
            sr, hr = self.compared
        elif card.sees == "whole":
            sr, hr = self.sr, self.hr
        else:
            sr, hr = self.inner
        return {"hr": (sr, hr), "lr": (sr, self.lr), "nothing": (sr,)}[card.beside]


def open_metrics(names: Sequence[str], rule: Protocol) -> tuple[Metric, ...]:
    """The metrics `names`, each once, in their order.

    Raises InputError for an unknown name, for one that the protocol has no pictures for, and
    where a metric's weights or packages are not at hand.
    """
    if not names:
        raise InputError(f"No metric is named. Known: {', '.join(METRICS.names())}.")
    cards = {name: card_of(name) for name in names}
    for name, card in cards.items():
        if rule.enlarges_luma and card.sees in ("colours", "whole"):
            raise InputError(
                f"{rule.name} enlarges luma alone, and {name} sees colours. "
                "Use --protocol y@1, or leave this metric out."
            )
    return tuple(Metric(name, card, _ready(name)) for name, card in cards.items())


def card_of(name: str) -> Card:
    """What the metric `name` says of itself."""
    card = getattr(METRICS.module(name), "CARD", None)
    if not isinstance(card, Card):
        raise InputError(
            f"The metric '{name}' of {METRICS.place(name)} has no CARD beside it, so it is not "
            "known how to read its values. Add one (acutance.metrics.card)."
        )
    return card


def _ready(name: str) -> Callable[..., float]:
    """A function as it is; a class, which keeps what it has loaded, made once."""
    found = METRICS.load(name)
    if isclass(found):
        return METRICS.load(name)()
    return found


def judged(metrics: Sequence[Metric], pictures: Pictures) -> dict[str, float]:
    """The value of each metric."""
    return {m.name: m.judge(*pictures.shown_to(m.card)) for m in metrics}
