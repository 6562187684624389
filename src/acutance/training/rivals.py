"""The networks that a loss trains against: each has its own optimiser and takes its own step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.built import output_name
from acutance.losses.objective import Moment, Objective
from acutance.losses.slopes import Scene
from acutance.losses.terms import Term
from acutance.training.collapse import WARM_UP, measured
from acutance.training.guard import Fault, Guard
from acutance.training.team import ALONE, Team

BETAS = (0.9, 0.99)  # of Adam, as Real-ESRGAN's code has them for its discriminator


@runtime_checkable
class Adversary(Protocol):
    """A loss with a network that learns beside the one that is trained (losses.adversarial.gan)."""

    discriminator: nn.Module
    rate: float  # of its Adam
    ahead: int | float  # of the term's start, in steps or as a share of the run
    learns_every: int  # steps; 0: where the term counts
    sure: float  # mean logits so far apart leave it nothing to learn
    judged: Tensor | None  # mean logits of results and originals at the last call, (2,)

    def discriminate(self, sr: Tensor, hr: Tensor, *, turn: int, first: int) -> Tensor: ...

    def settle(self) -> None: ...

    def look_across(self, mean: Callable[[Tensor], Tensor]) -> None: ...


@dataclass(frozen=True)
class Rival:
    """The adversary of one term. It learns where the term counts, or as its options say."""

    term: Term
    loss: Adversary
    optimiser: torch.optim.Optimizer
    guard: Guard

    def turn(self, moment: Moment) -> int | None:
        """Which of its steps this is; None where it rests."""
        if moment.is_idle(self.term):
            return None
        return self.term.schedule.rival_turn_at(
            moment.step, moment.steps, ahead=self.loss.ahead, every=self.loss.learns_every
        )

    def is_warm(self, step: int, steps: int) -> bool:
        """Whether the term has been in force for long enough to judge what it does."""
        return self.term.schedule.steps_in_full(step, steps) >= WARM_UP

    def set_rate(self, share: float) -> None:
        """Its own rate times the share of the full rate that the run has come to."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.loss.rate * share

    def look(self, step: int) -> Fault | None:
        """What became non-finite since the last look. Reads from the device."""
        fault = self.guard.look(step, self.loss.discriminator, None)
        return Fault(fault.step, f"the discriminator of {self.term}", ()) if fault else None

    def forget(self) -> None:
        """Drop what was added up and seen, after a roll-back."""
        self.optimiser.zero_grad(set_to_none=True)
        self.guard.reset()


def make_rivals(
    objective: Objective, device: torch.device, team: Team = ALONE
) -> tuple[Rival, ...]:
    """A rival for each adversarial term; raises InputError for one inside another loss."""
    found = [(b.term, b.loss) for b in objective.terms if isinstance(b.loss, Adversary)]
    inside = [m for m in objective.modules() if isinstance(m, Adversary)]
    if len(inside) > len(found):
        raise InputError(
            f"'{objective.expression}' has an adversarial loss inside another loss, which may "
            "show it other pictures than those its discriminator learns from. Let it be a term."
        )
    for term, loss in found:
        if loss.ahead and not term.schedule.start:
            raise InputError(
                f"The term '{term}' counts from the first step, so its discriminator cannot begin "
                "ahead of it. Give the term a start, as in start=1000, or leave ahead out."
            )
    if team.ranks > 1:
        for _, loss in found:
            loss.look_across(team.mean)
    return tuple(_rival(term, loss, device) for term, loss in found)


def learn(rivals: tuple[Rival, ...], scene: Scene, moment: Moment, first: int) -> Tensor:
    """Add up the gradient of a micro-batch, whose first picture is the `first` of the batch.

    A rival sees what its term sees: another level, or the result made small. Returns the mean of
    what each pays, (R,), 0 where it is idle.
    """
    paid = [scene.hr.new_zeros(()) for _ in rivals]
    outputs = {name: output.detach() for name, output in scene.outputs.items()}
    for place, rival in enumerate(rivals):
        turn = rival.turn(moment)
        if turn is not None:
            sr, hr = scene.pair(output_name(rival.term.schedule.on), outputs)
            value = rival.loss.discriminate(sr, hr, turn=turn, first=first).mean()
            (value * moment.fraction).backward()
            paid[place] = value.detach()
            if rival.loss.judged is not None and moment.total is not None:
                rival.loss.judged = moment.total(
                    rival.loss.judged * (moment.fraction / moment.whole)
                )
    return torch.stack(paid) if paid else scene.hr.new_zeros(0)


def look_at(rivals: tuple[Rival, ...], scene: Scene, moment: Moment) -> Tensor | None:
    """What `measured` says of the pictures that each rival is shown, (R, 3 + c).

    Of a rival whose output is absent at this step, it is the picture itself that is measured.
    """
    if not rivals:
        return None
    shown = ["sr" if moment.is_idle(r.term) else output_name(r.term.schedule.on) for r in rivals]
    pairs = [scene.pair(on, scene.outputs) for on in shown]
    return torch.stack([measured(sr, hr, scene.extras["lr"]) for sr, hr in pairs])


def move(rivals: tuple[Rival, ...], moment: Moment, team: Team) -> None:
    """Move their weights by the gradients that have been added up, in all processes alike."""
    for rival in rivals:
        if rival.turn(moment) is not None:
            team.sum_gradients(rival.loss.discriminator)
            rival.guard.watch_network(moment.step, rival.loss.discriminator)
            rival.optimiser.step()
            rival.optimiser.zero_grad(set_to_none=True)
            rival.loss.settle()


def _rival(term: Term, loss: Adversary, device: torch.device) -> Rival:
    weights = loss.discriminator.parameters()
    optimiser = torch.optim.Adam(weights, lr=loss.rate, betas=BETAS, fused=True)
    return Rival(term, loss, optimiser, Guard((), 0, device))
