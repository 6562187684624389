"""The scores of one picture by every side, as the page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from acutance.errors import InputError
from acutance.evaluation.judging import Metric, Pictures, judged, open_metrics
from acutance.evaluation.protocols import Protocol, find_protocol


@dataclass(frozen=True, eq=False)
class Judging:
    """Metrics that are ready, and the protocol; without a scale there is no border."""

    metrics: tuple[Metric, ...]
    rule: Protocol
    scale: int | None

    @property
    def words(self) -> str:
        """The protocol, as it stands beside the numbers."""
        if self.scale is None:
            return f"{self.rule.name}, the whole picture: no scale is known that sets a border"
        return f"{self.rule.name} at x{self.scale}"


def open_judging(names: Sequence[str], protocol: str, scale: int | None) -> Judging:
    """Raises InputError for unknown names, and for what needs packages or weights that lack."""
    rule = find_protocol(protocol)
    if rule.enlarges_luma:
        raise InputError(f"{protocol} enlarges luma alone, not pictures. Use y@1 or rgb@1.")
    metrics = open_metrics(names, rule)
    if scale is None:
        rule = replace(rule, border=0)
        metrics = tuple(metric for metric in metrics if metric.card.beside != "lr")
    return Judging(metrics, rule, scale)


def values_of(
    judging: Judging, sr: np.ndarray, hr: np.ndarray, lr: np.ndarray | None
) -> dict[str, float | None]:
    """As `measured`, for a page: None where a value is not finite, which JSON has no word for."""
    found = measured(judging, sr, hr, lr)
    return {name: value if isfinite(value) else None for name, value in found.items()}


def measured(
    judging: Judging, sr: np.ndarray, hr: np.ndarray, lr: np.ndarray | None
) -> dict[str, float]:
    """Each metric's value of one picture, uint8 (H, W, 3). Raises InputError for other sizes."""
    if sr.shape != hr.shape:
        raise InputError(
            f"it has {sr.shape[1]}x{sr.shape[0]} pixels, the reference {hr.shape[1]}x{hr.shape[0]}"
        )
    border = 2 * judging.rule.border * (judging.scale or 1)
    asked = [m for m in judging.metrics if m.card.beside != "lr" or lr is not None]
    least = border + max((metric.card.least_side_px for metric in asked), default=1)
    if min(sr.shape[:2]) < least:
        raise InputError(f"it is smaller than the {least}x{least} pixels that scores need")
    low = np.empty((0, 0, 3), np.uint8) if lr is None else lr
    return judged(asked, Pictures(sr, hr, low, judging.rule, judging.scale or 1))


def heads(judging: Judging) -> list[dict[str, Any]]:
    """The metrics as the page names them."""
    return [
        {"name": m.name, "unit": m.card.unit, "higher": m.card.direction == "higher"}
        for m in judging.metrics
    ]
