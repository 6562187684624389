"""Weights that give each term its share of the gradient at the output picture."""

import torch
from torch import Tensor

from acutance.losses.balance.measured import Balance, Measured, mean_alive

DECAY = 0.99  # of the running mean of the norms: a memory of about a hundred steps
LEAST, MOST = 1e-4, 1e4  # a term whose gradient vanishes must not be blown up without limit


class GradientShares(Balance):
    """w_k = p_k / mean(n_k) * mean(n_ref) for units k (terms or groups) with shares p_k.

    n_k is the norm of the unit's gradient at the output, per picture, then averaged; mean() its
    running mean, corrected for its start at 0; the reference is the first unit that has one, so
    that the size of an update stays that of the first term. The weights of a step come from the
    steps before it; those of the very first step come from its first micro-batch. A unit whose
    gradient is zero or not finite keeps its last weight and mean.
    """

    mean: Tensor
    seen_steps: Tensor
    shares: Tensor

    def __init__(self, shares: tuple[float, ...]) -> None:
        super().__init__(len(shares))
        self.register_buffer("mean", torch.zeros(len(shares)))
        self.register_buffer("seen_steps", torch.zeros(len(shares)))
        self.register_buffer("weights", torch.tensor(shares))
        self.register_buffer("shares", torch.tensor(shares), persistent=False)

    def start(self, measured: Measured) -> Tensor:
        """Weights from the running means, or from this micro-batch where there is none yet."""
        norms = measured.norms
        old = self.seen_steps > 0
        start = (1 - DECAY**self.seen_steps).clamp_min(torch.finfo(torch.float32).tiny)
        expected = torch.where(old, self.mean / start, norms)
        known = (expected > 0) & expected.isfinite()
        first = known.to(torch.float32).argmax()  # the first unit that has a norm
        reference = expected.gather(0, first[None])
        weights = self.shares * reference / torch.where(known, expected, 1.0)
        return torch.where(known, weights.clamp(LEAST, MOST), self.weights)

    def finish(self, seen: list[tuple[float, Measured]]) -> None:
        """Move the running means by this step's norms."""
        norms, alive = mean_alive([(part, measured.norms) for part, measured in seen])
        self.mean.copy_(torch.where(alive, DECAY * self.mean + (1 - DECAY) * norms, self.mean))
        self.seen_steps.add_(alive)
