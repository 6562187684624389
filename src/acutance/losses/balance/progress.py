"""Rules that give more weight to the terms that fall more slowly than the others."""

import torch
from torch import Tensor

from acutance.losses.balance.measured import Balance, Measured, mean_alive


class AverageProgress(Balance):
    """Dynamic weight average: w = K softmax(r / T), r_k the mean of an epoch over that before.

    An epoch is `epoch` steps, because the value of a single batch says little; in the first two
    w is 1. T = 2. Liu, Johns, Davison: End-to-End Multi-Task Learning with Attention (CVPR 2019),
    sec. 3.3.
    """

    last: Tensor
    before: Tensor
    total: Tensor
    steps: Tensor
    temperature = 2.0
    epoch = 200

    def __init__(self, count: int) -> None:
        super().__init__(count)
        for name in ("last", "before", "total", "steps"):
            self.register_buffer(name, torch.zeros(count))

    def start(self, measured: Measured) -> Tensor:  # noqa: ARG002
        """Equal weights until two epochs are known."""
        known = (self.before > 0) & (self.last > 0)
        ratio = torch.where(known, self.last / torch.where(known, self.before, 1.0), 1.0)
        return self.count * torch.softmax(ratio / self.temperature, dim=0)

    def finish(self, seen: list[tuple[float, Measured]]) -> None:
        """Add the step to its epoch; the last step of an epoch moves the means on."""
        values, alive = mean_alive([(part, measured.values) for part, measured in seen])
        self.total.add_(torch.where(alive, values, 0.0))
        self.steps.add_(alive)
        if (self.step + 1) % self.epoch == 0:
            self.before.copy_(self.last)
            self.last.copy_(self.total / self.steps.clamp_min(1))
            self.total.zero_()
            self.steps.zero_()


class RelativeProgress(Balance):
    """ReLoBRaLo: w = a (r w_before + (1 - r) w_start) + (1 - a) w_last, with a = 0.999.

    w_last = K softmax(L / L of the last step), w_start likewise against the first step; r is 1,
    and 0 with a probability of 1 in 1000, drawn from the step's number, so that a continued run
    draws the same. Bischof, Kraus: Multi-Objective Loss Balancing (2021), sec. 3.
    """

    first: Tensor
    last: Tensor
    inertia = 0.999
    lookback = 0.999

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.register_buffer("first", torch.zeros(count))
        self.register_buffer("last", torch.zeros(count))

    def start(self, measured: Measured) -> Tensor:  # noqa: ARG002
        """The weights that the last step left."""
        return self.weights

    def finish(self, seen: list[tuple[float, Measured]]) -> None:
        """Compare the step's values with those of the last and of the first step."""
        values, alive = mean_alive([(part, measured.values) for part, measured in seen])
        old = alive & (self.last > 0)
        since_start = self._relative(values, self.first, old)
        since_last = self._relative(values, self.last, old)
        generator = torch.Generator().manual_seed(self.step)
        keeps = float(torch.rand((), generator=generator)) < self.lookback
        history = self.weights if keeps else since_start
        blended = self.inertia * history + (1 - self.inertia) * since_last
        self.weights.copy_(torch.where(old.any(), blended, self.weights))
        self.first.copy_(torch.where(alive & (self.first == 0), values, self.first))
        self.last.copy_(torch.where(alive, values, self.last))

    def _relative(self, values: Tensor, then: Tensor, known: Tensor) -> Tensor:
        ratio = torch.where(known, values / torch.where(known, then, 1.0), 1.0)
        return self.count * torch.softmax(ratio, dim=0)
