"""Weights that give each term its share of the gradient at the output picture."""

import torch
from torch import Tensor, nn

DECAY = 0.99  # of the running mean of the norms: a memory of about a hundred steps
LEAST, MOST = 1e-4, 1e4  # a term whose gradient vanishes must not be blown up without limit


class GradientShares(nn.Module):
    """w_k = p_k / mean(n_k) * mean(n_ref) for units k (terms or groups) with shares p_k.

    n_k is the norm of the unit's gradient at the output, per picture, then averaged; mean() its
    running mean, corrected for its start at 0; the reference is the first unit that has one, so
    that the size of an update stays that of the first term. The weights of a step come from the
    steps before it, so that all micro-batches of a step have the same; those of the very first
    step come from its first micro-batch. A unit whose gradient is zero or not finite keeps its
    last weight and mean. Nothing is read back from the device.
    """

    mean: Tensor
    count: Tensor
    weights: Tensor
    shares: Tensor

    def __init__(self, shares: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(shares)))
        self.register_buffer("count", torch.zeros(len(shares)))
        self.register_buffer("weights", torch.tensor(shares))
        self.register_buffer("shares", torch.tensor(shares), persistent=False)
        self._norms: list[Tensor] = []  # of the micro-batches of the step that is under way
        self._parts: list[float] = []
        self._step = -1

    def weigh(self, norms: Tensor, *, step: int, fraction: float) -> Tensor:
        """Weights (units,) for this step, given the norms of a micro-batch, 0 for idle units.

        `fraction` is the micro-batch's part of the step's pictures; the step ends with the
        micro-batch that completes 1. What an abandoned step had measured is forgotten.
        """
        if step != self._step:
            self._norms, self._parts, self._step = [], [], step
        if not self._norms:
            self.weights.copy_(self._next_weights(norms))
        self._norms.append(norms)
        self._parts.append(fraction)
        weights = self.weights.clone()
        if sum(self._parts) > 1 - 1e-6:
            self._remember()
        return weights

    def _next_weights(self, norms: Tensor) -> Tensor:
        old = self.count > 0
        corrected = self.mean / (1 - DECAY**self.count).clamp_min(torch.finfo(torch.float32).tiny)
        expected = torch.where(old, corrected, norms)
        known = (expected > 0) & expected.isfinite()
        first = known.to(torch.float32).argmax()  # the first unit that has a norm
        reference = expected.gather(0, first[None])
        weights = self.shares * reference / torch.where(known, expected, 1.0)
        return torch.where(known, weights.clamp(LEAST, MOST), self.weights)

    def _remember(self) -> None:
        parts = torch.stack(self._norms)
        fractions = parts.new_tensor(self._parts)[:, None]
        alive = (parts > 0) & parts.isfinite()
        share = (fractions * alive).sum(dim=0)
        norms = (torch.where(alive, parts, 0.0) * fractions).sum(dim=0) / share.clamp_min(1e-12)
        seen = share > 0
        self.mean.copy_(torch.where(seen, DECAY * self.mean + (1 - DECAY) * norms, self.mean))
        self.count.add_(seen)
        self._norms, self._parts = [], []
