"""The processes that train one network together: one a device, each with its slice of a batch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


class Ties(Protocol):
    """What processes can tell each other. All of them must call the same, in the same order."""

    def add(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, the same bits in each; `tensor` is left as it is."""
        ...

    def hear(self, said: Any) -> list[Any]:
        """What each process says, in the order of their ranks."""
        ...

    def listen(self, said: Any) -> Any:
        """What the first one says; the others' is of no account."""
        ...

    def any(self, flag: bool) -> bool:
        """Whether one of them says yes."""
        ...


@dataclass(frozen=True)
class Team:
    """This process among those of a run.

    The same weights are in each, and move by the same gradient: the sum of what the slices of a
    batch give. The first one, which leads, is the only one that writes and displays. Without
    `ties` a process works off its slice as if alone, to be timed.
    """

    rank: int = 0
    ranks: int = 1
    local: int = 1  # of the processes, on this host
    ties: Ties | None = None
    by_fabric: bool = False  # they were started for Fabric: its devices are as many

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks to people."""
        return self.rank == 0

    @property
    def part(self) -> tuple[int, int]:
        """Which slice of how many."""
        return self.rank, self.ranks

    def apart(self) -> "Team":
        """The same slice without the others."""
        return replace(self, ties=None)

    def total(self, tensor: Tensor) -> Tensor:
        """The sum over all processes; without gradient."""
        return tensor if self.ties is None else self.ties.add(tensor.detach())

    def summed(self, tensor: Tensor) -> Tensor:
        """The same, through which gradients go: each process feels what it is to all of them."""
        return tensor if self.ties is None else _Sum.apply(tensor, self.ties)  # pyright: ignore[reportReturnType]

    def mean(self, tensor: Tensor) -> Tensor:
        """The mean over the entries of all processes, of which some may have more than others."""
        if self.ties is None:
            return tensor.mean()
        count = self.total(tensor.new_full((), float(tensor.numel())))
        return self.summed(tensor.sum()) / count

    def sum_gradients(self, module: nn.Module) -> None:
        """Add up the gradients of `module` over the processes, in place, in one exchange.

        Not by the wrapper of DDP: that one wants every output of the network in every backward
        pass, and a parameter that a step has no use for would get a gradient of 0, not none.
        """
        found = [p.grad for p in module.parameters() if p.grad is not None]
        if self.ties is None or not found:
            return
        flat = self.ties.add(torch.cat([gradient.flatten() for gradient in found]))
        pieces = flat.split([gradient.numel() for gradient in found])
        for gradient, piece in zip(found, pieces, strict=True):
            gradient.copy_(piece.view(gradient.shape))

    def hear(self, said: T) -> list[T]:
        """What each process says, in the order of their ranks."""
        return [said] if self.ties is None else self.ties.hear(said)

    def from_leader(self, make: Callable[[], T]) -> T:
        """What `make` gives in the process that leads; it is called nowhere else."""
        return make() if self.ties is None else self.ties.listen(make() if self.leads else None)

    def any(self, flag: bool) -> bool:
        """Whether one of the processes says yes."""
        return flag if self.ties is None else self.ties.any(flag)

    def wait(self) -> None:
        """Until all have come to this place."""
        self.hear(None)


ALONE = Team()


class _Sum(torch.autograd.Function):
    """The sum over the processes; back comes what it weighs in each of them, summed as well."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, ties: Ties) -> Tensor:
        ctx.ties = ties
        return ties.add(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.ties.add(gradients[0]), None
