"""One update of the weights, from bytes to the optimiser."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from acutance.data.batches import Batch, slices
from acutance.imaging import operators
from acutance.losses.objective import Combined, Moment, Objective
from acutance.losses.slopes import Scene
from acutance.models.levels import level_name
from acutance.training.guard import Guard
from acutance.training.guides import Guides, guided
from acutance.training.optimisers import clip_gradient
from acutance.training.precision import scaler_of
from acutance.training.recipe import OptimChoice
from acutance.training.record import Plan
from acutance.training.rivals import Rival, learn, look_at, move
from acutance.training.schedules import rate_share, smooth_decay
from acutance.training.team import ALONE, Team


@dataclass
class Work:
    """What an update touches. `smooth` is None where the optimiser averages by itself."""

    fabric: Fabric
    network: nn.Module  # as fabric wrapped it
    optimiser: torch.optim.Optimizer
    smooth: nn.Module | None
    objective: Objective
    guard: Guard
    luma: bool
    scale: int
    guides: Guides = field(default_factory=dict)  # what other networks make of the lr
    rivals: tuple[Rival, ...] = ()  # of adversarial terms
    lower: tuple[int, ...] = ()  # levels that the network has below its scale
    upto: int | None = None  # the level that this step is for; None: the network's own
    from_hr: bool = False  # F learns too: the network is given hr, and makes its own lr
    team: Team = ALONE

    @property
    def absent(self) -> frozenset[str]:
        """Lower levels that the network does not give beside sr at this step."""
        upto = self.scale if self.upto is None else self.upto
        return frozenset(level_name(level) for level in self.lower if level >= upto)


@dataclass(frozen=True)
class Reading:
    """What a step tells, still on the device: (K,) each, means over the batch's pictures."""

    values: Tensor
    norms: Tensor
    weights: Tensor
    rivals: Tensor  # (R,) what the rivals pay
    cosines: Tensor | None = None  # (K, K) between the gradients, at steps that are logged
    sights: Tensor | None = None  # (R, 3 + c) of what the rivals are shown, likewise


def as_pictures(pixels: Tensor, *, luma: bool) -> Tensor:
    """Levels (n, h, w, 3) to float32 (n, c, h, w) in [0, 1], channels last in memory.

    (n, h, w, 1) is luma already.
    """
    planes = pixels.permute(0, 3, 1, 2).to(torch.get_default_dtype(), copy=True).div_(255)
    return operators.luma(planes) if luma and planes.shape[1] == 3 else planes


@dataclass(frozen=True)
class Part:
    """What is looked at at once: a micro-batch, or this process's slice of one."""

    batch: Batch
    first: int  # place of its first picture in the batch
    together: int  # pictures of the micro-batch in all processes


def parts_of(batch: Batch, size: int, *, pieces: int, part: tuple[int, int]) -> Iterator[Part]:
    """The parts of a batch of `size` pictures in `pieces`, of which `batch` holds the slices."""
    at = 0
    wholes = slices(size, pieces=pieces)
    for mine, whole in zip(slices(size, pieces=pieces, part=part), wholes, strict=True):
        yield Part(batch.part(at, at + len(mine)), mine.start, len(whole))
        at += len(mine)


def accumulate(work: Work, parts: Iterator[Part], total: int, plan: Plan, step: int) -> Reading:
    """Add up the gradient of `total` pictures that come in parts; equal to one big batch."""
    readings: list[tuple[float, Reading]] = []
    is_logged = (step + 1) % plan.log_every == 0 or step + 1 == plan.steps
    for held in parts:
        part, first = held.batch, held.first
        lr = as_pictures(_to(work, part.lr), luma=work.luma)
        hr = as_pictures(_to(work, part.hr), luma=work.luma)
        share = len(part.pictures) / total
        given = hr if work.from_hr else lr
        outputs = named_outputs(_run(work, given))
        together = held.together / total
        moment = Moment(step, plan.steps, share, work.absent, together, work.team.total)
        extras = {"lr": lr, "scale": work.upto or work.scale}
        extras |= guided(work.guides, work.objective, moment, given, work.upto)
        if part.taught is not None:
            extras["teacher"] = as_pictures(_to(work, part.taught), luma=work.luma)
        combined = work.objective.combine(
            outputs,
            hr,
            moment,
            extras=extras,
            with_cosines=is_logged,
        )
        work.guard.watch_terms(step, combined.finite, first)
        _backward(work.fabric, outputs, combined)
        scene = Scene(outputs, hr, extras)
        paid = learn(work.rivals, scene, moment, first)
        sights = look_at(work.rivals, scene, moment) if is_logged else None
        values = combined.values.mean(dim=1)
        told = (values, combined.norms, combined.weights, paid, combined.cosines, sights)
        readings.append((share, Reading(*told)))
    found = _mean(readings)
    return _over_all(found, work.team) if is_logged else found


def named_outputs(made: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    """What a network gave, by name: a single picture is "sr"."""
    return made if isinstance(made, dict) else {"sr": made}


def _run(work: Work, given: Tensor) -> Tensor | dict[str, Tensor]:
    """No layer above the step's level is run, so none gets a gradient, not even 0."""
    return work.network(given) if work.upto is None else work.network(given, upto=work.upto)


def _backward(fabric: Fabric, outputs: dict[str, Tensor], combined: Combined) -> None:
    """One backward pass through the network, from all outputs that a term depends on."""
    gradients = combined.gradients
    if len(gradients) == 1:
        fabric.backward(outputs["sr"], gradient=combined.gradient)
        return
    # a number whose gradients at the outputs are those asked for: one call, whatever the strategy
    parts = [(outputs[name] * gradient).sum() for name, gradient in gradients.items()]
    fabric.backward(torch.stack(parts).sum())


def finish_update(work: Work, choice: OptimChoice, plan: Plan, step: int) -> None:
    """Move the weights by the gradient that has been added up, then the smooth weights."""
    work.team.sum_gradients(work.network)
    strategy = work.fabric.strategy
    strategy.precision.unscale_gradients(work.optimiser)
    if scaler_of(work.fabric) is None:  # which finds a scale by trying: see Job.look
        work.guard.watch_network(step, work.network)
    clip_gradient(work.network, choice.clip)
    strategy.optimizer_step(work.optimiser)
    move(work.rivals, Moment(step, plan.steps, absent=work.absent), work.team)
    if work.smooth is not None:
        blend = get_ema_multi_avg_fn(smooth_decay(step, plan.ema))
        blend(list(work.smooth.parameters()), list(work.network.parameters()), 0)
        # statistics of batch norm are running averages already, and its counters whole numbers
        for kept, found in zip(work.smooth.buffers(), work.network.buffers(), strict=True):
            kept.copy_(found)


def set_rate(work: Work, choice: OptimChoice, plan: Plan, step: int, factor: float) -> float:
    """The rate of this step, set on every group."""
    rate = (
        plan.rate
        * factor
        * rate_share(
            step,
            plan.steps,
            schedule=plan.schedule,
            warmup=plan.warmup_steps / plan.steps or choice.warmup,
            milestones=choice.milestones,
            gamma=choice.gamma,
        )
    )
    for group in work.optimiser.param_groups:
        group["lr"] = rate
    for rival in work.rivals:
        rival.set_rate(rate / plan.rate)
    return rate


def smooth_copy(network: nn.Module, decay: float) -> nn.Module | None:
    """A copy to hold the running average of the weights; None for decay 0."""
    return copy.deepcopy(network).requires_grad_(False).eval() if decay > 0 else None


def _to(work: Work, pixels: object) -> Tensor:
    tensor = torch.from_numpy(pixels)  # pyright: ignore[reportArgumentType]
    return tensor.to(work.fabric.device, non_blocking=True)


def _mean(readings: list[tuple[float, Reading]]) -> Reading:
    if len(readings) == 1 and readings[0][0] == 1:
        return readings[0][1]
    return Reading(
        sum(share * r.values for share, r in readings),  # pyright: ignore[reportArgumentType]
        sum(share * r.norms for share, r in readings),  # pyright: ignore[reportArgumentType]
        readings[-1][1].weights,
        sum(share * r.rivals for share, r in readings),  # pyright: ignore[reportArgumentType]
        readings[0][1].cosines,  # of the first part: a table of directions, not a sum
        _mean_sights(readings),
    )


def _over_all(mine: Reading, team: Team) -> Reading:
    """The sum of what each process has of the means."""
    return replace(
        mine,
        values=team.total(mine.values),
        norms=team.total(mine.norms),
        rivals=team.total(mine.rivals),
        sights=None if mine.sights is None else team.total(mine.sights),
    )


def _mean_sights(readings: list[tuple[float, Reading]]) -> Tensor | None:
    seen = [share * r.sights for share, r in readings if r.sights is not None]
    return torch.stack(seen).sum(dim=0) if seen else None
