"""Find what became non-finite without reading anything back from the device at every step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Fault:
    """The first thing that went wrong since the last look."""

    step: int
    what: str  # "the term 0.1*fft", "the gradient of the network", "the smooth weights"
    pictures: tuple[int, ...]  # numbers in the batch; empty where no picture can be named

    def describe(self, names: tuple[str, ...]) -> str:
        """One line for the log and the terminal."""
        where = f" on {', '.join(names)}" if names else ""
        return f"{self.what} was not finite at step {self.step}{where}"


def first_of(faults: Iterable[Fault | None]) -> Fault | None:
    """The first of what was found, in one or several processes; the pictures of all of them."""
    found = [fault for fault in faults if fault is not None]
    if not found:
        return None
    first = min(found, key=lambda fault: (fault.step, not fault.pictures))
    alike = [f.pictures for f in found if (f.step, f.what) == (first.step, first.what)]
    return replace(first, pictures=tuple(sorted({k for pictures in alike for k in pictures})))


class Guard:
    """Small tensors on the device that remember the first bad step and its pictures.

    `watch_terms` and `watch_weights` only enqueue work; `look` reads once and is called where
    the loop reads from the device anyway. Terms are judged by their values and by the gradient
    that they give each picture, so that the term is named and not just the sum.
    """

    def __init__(self, terms: tuple[str, ...], pictures: int, device: torch.device) -> None:
        self.terms = terms
        self._step = torch.full((len(terms),), -1, device=device)
        self._good = torch.ones(len(terms), pictures, dtype=torch.bool, device=device)
        self._network_step = torch.full((), -1, device=device)

    def watch_terms(self, step: int, finite: Tensor, offset: int = 0) -> None:
        """`finite` (K, n): whether each term's value and gradient were finite for each picture.

        `offset` is the place of the first of the n pictures in the whole batch.
        """
        new = (self._step < 0) | (self._step == step)
        bad = ~finite.all(dim=1)
        part = self._good[:, offset : offset + finite.shape[1]]
        part.logical_and_(finite | ~new[:, None])
        self._step = torch.where(bad & new, step, self._step)

    def watch_network(self, step: int, network: nn.Module) -> None:
        """Watch the network's gradient: its norm is finite only if every entry is."""
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        bad = ~nn.utils.get_total_norm(gradients).isfinite()
        self._network_step = torch.where(bad & (self._network_step < 0), step, self._network_step)

    def look(self, step: int, network: nn.Module, smooth: nn.Module | None) -> Fault | None:
        """The first fault since the last look, or None. Reads from the device."""
        steps = self._step.tolist()
        known = [(at, k) for k, at in enumerate(steps) if at >= 0]
        network_step = int(self._network_step)
        if known and (network_step < 0 or min(known)[0] <= network_step):
            at, k = min(known)
            pictures = (~self._good[k]).nonzero().flatten().tolist()
            return Fault(at, f"the term {self.terms[k]}", tuple(pictures))
        if network_step >= 0:
            return Fault(network_step, "the gradient of the network", ())
        if not all_finite(network):
            return Fault(step, "the network", ())
        if smooth is not None and not all_finite(smooth):
            return Fault(step, "the smooth weights", ())
        return None

    def reset(self) -> None:
        """Forget everything, after a roll-back."""
        self._step.fill_(-1)
        self._good.fill_(True)
        self._network_step.fill_(-1)


def all_finite(module: nn.Module) -> bool:
    """Whether every parameter and buffer is finite."""
    tensors = [t for t in module.state_dict().values() if t.is_floating_point()]
    return bool(torch.stack([t.isfinite().all() for t in tensors]).all()) if tensors else True
