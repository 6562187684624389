"""Weights learned with the network: each term has an uncertainty of its own."""

import torch
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.balance.measured import Balance, Measured, mean_alive
from acutance.losses.contract import Contract

RATE = 0.01  # of the descent on s; its optimum s = log L is reached in a few hundred steps


class Uncertainty(Balance):
    """Minimises the sum of exp(-s_k) L_k / 2 + s_k / 2 over s_k too; the weights are exp(-s_k) / 2.

    The s_k start at the values of the first step, where the weights are right at once, and follow
    by plain descent: ds/dt = (exp(-s) L - 1) / 2, which is fast enough for losses that fall.
    All weighted terms tend to the same value, so a term that can be negative is refused.
    Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty (CVPR 2018), sec. 3.2.
    """

    s: Tensor
    known: Tensor

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.register_buffer("s", torch.zeros(count))
        self.register_buffer("known", torch.zeros(count))

    def start(self, measured: Measured) -> Tensor:
        """exp(-s) / 2, with s from this micro-batch where it is not known yet."""
        alive = (measured.values > 0) & measured.values.isfinite()
        begins = alive & (self.known == 0)
        self.s.copy_(torch.where(begins, _log(measured.values, alive), self.s))
        self.known.copy_(torch.where(begins, 1.0, self.known))
        return torch.exp(-self.s) / 2

    def finish(self, seen: list[tuple[float, Measured]]) -> None:
        """One step of descent on s."""
        values, alive = mean_alive([(part, measured.values) for part, measured in seen])
        slope = (1 - torch.exp(-self.s) * values) / 2
        self.s.sub_(torch.where(alive, RATE * slope, 0.0))


def refuse_negative(names_and_contracts: list[tuple[str, Contract]]) -> None:
    """Raise InputError for a term whose value has no lower bound of 0."""
    for name, contract in names_and_contracts:
        if contract.can_be_negative:
            raise InputError(
                f"The balance 'uncertainty' cannot weigh '{name}', whose value can be negative. "
                "Use shares ('80% l1 + 20% ...') or the balance 'pcgrad'."
            )


def _log(values: Tensor, alive: Tensor) -> Tensor:
    return torch.where(alive, values, 1.0).log()
