"""What a balancing rule is told of a step, and the rule that all of them keep."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Measured:
    """Of one micro-batch and K units (a term, or a group of shares); idle units have 0.

    `values` are the weighted values, mean over the pictures; `norms` those of the gradients at
    the output; `products` (K, K) the inner products of the weighted gradients, where asked for.
    """

    values: Tensor
    norms: Tensor
    products: Tensor | None = None


class Balance(nn.Module, ABC):
    """Weights (K,) for the units of a sum; a rule says what follows from what was measured.

    All micro-batches of a step get the same weights: those that `start` gives at its first one.
    What the micro-batches measured, weighted by their parts of the batch, goes to `finish` when
    the step is complete. A step that was abandoned is forgotten. Nothing is read back from the
    device; the buffers are what a checkpoint keeps.
    """

    wants_products = False
    weights: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.register_buffer("weights", torch.ones(count))
        self._seen: list[tuple[float, Measured]] = []
        self.step = -1

    def weigh(self, measured: Measured, *, step: int, fraction: float) -> Tensor:
        """Weights for this step; `fraction` is the micro-batch's part of the step's pictures."""
        if step != self.step:
            self._seen, self.step = [], step
        if not self._seen:
            self.weights.copy_(self.start(measured))
        self._seen.append((fraction, measured))
        weights = self.weights.clone()
        if sum(part for part, _ in self._seen) > 1 - 1e-6:
            self.finish(self._seen)
            self._seen = []
        return weights

    @abstractmethod
    def start(self, measured: Measured) -> Tensor:
        """Weights of a step, given the measures of its first micro-batch."""

    def finish(self, seen: list[tuple[float, Measured]]) -> None:
        """Remember what a complete step measured."""


def mean_alive(rows: list[tuple[float, Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean of the rows (K,) where they are above 0 and finite, and whether any was."""
    total = torch.zeros_like(rows[0][1])
    parts = torch.zeros_like(rows[0][1])
    for fraction, row in rows:
        alive = (row > 0) & row.isfinite()
        total = total + torch.where(alive, row, 0.0) * fraction
        parts = parts + alive * fraction
    return total / parts.clamp_min(1e-12), parts > 0
