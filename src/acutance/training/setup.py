"""Build what a run works with, from its recipe and plan, in the one order that is repeatable."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import nn

from acutance.data.batches import Batch, slices
from acutance.data.pool import Grid
from acutance.errors import InputError
from acutance.evaluation.judging import Metric
from acutance.imaging.parallel import core_count
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Objective
from acutance.models import build
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.models.levels import levels_of
from acutance.models.memory import keep_large_blocks
from acutance.models.rescaling import Rescaler
from acutance.models.spread import load_weights
from acutance.training.endless import check_moments
from acutance.training.guard import Fault, Guard, first_of
from acutance.training.guides import check_teacher_used, make_guides
from acutance.training.levels import Turns, patch_at, trained_levels, turns_of
from acutance.training.networks import CHANNELS, blank_card
from acutance.training.optimisers import (
    check_norms,
    make_optimiser,
    to_scoring_weights,
    to_training_weights,
)
from acutance.training.perceptual import open_perceptual
from acutance.training.pictures import Pictures
from acutance.training.precision import make_fabric, scaler_of
from acutance.training.recipe import NetworkChoice, Recipe
from acutance.training.record import Plan
from acutance.training.rivals import make_rivals
from acutance.training.shrinkers import with_shrinker
from acutance.training.slicing import check_alone, check_slices, check_team
from acutance.training.snapshots import Progress, State, save_snapshot
from acutance.training.step import Part, Work, parts_of, smooth_copy
from acutance.training.team import ALONE, Team
from acutance.training.two_stages import first_stage, has_first

SUPPLIES = ("lr", "scale")  # what a loss may ask for besides sr and hr
LEAST_SCALE = 2.0**-10  # of gradients in fp16; it begins at 2^16, and a normal run stays above 1
GRID_CHUNK = 64  # patches of the whole set worked off at a time by gd


@dataclass
class Job:
    """A run in memory."""

    recipe: Recipe
    plan: Plan
    folder: Path
    pictures: Pictures
    bare: nn.Module  # the network without fabric's wrapping
    work: Work
    progress: Progress
    state: State
    turns: Turns  # which level each step is for
    team: Team = ALONE

    @cached_property
    def grid(self) -> Grid:
        """Patches that cover the whole set, for plain gradient descent."""
        return self.pictures.pool.grid(self.plan.patch, seed=self.recipe.seed)

    @cached_property
    def metric(self) -> Metric | None:
        """What is judged beside PSNR and SSIM, where the run stops by it."""
        return open_perceptual(self.plan.perceptual)

    def level_at(self, step: int) -> int:
        """The scale that a step is for: the network's own, or a level below it."""
        return self.turns.level_at(step, self.plan.steps)

    def batch(self, step: int) -> Batch:
        """This process's part of a step's batch, of its level: a pure function of seed and step."""
        pool = self.pictures.pool_at(self.level_at(step))
        size, pieces = self.recipe.data.batch, self.recipe.optim.accumulate
        return pool.batch(self.recipe.seed, step, size=size, part=self.team.part, pieces=pieces)

    def parts(self, batch: Batch) -> tuple[Iterator[Part], int]:
        """What one update looks at, in parts: the batch, or for gd the whole set."""
        if self.recipe.optim.name != "gd":
            size, pieces = self.recipe.data.batch, self.recipe.optim.accumulate
            return parts_of(batch, size, pieces=pieces, part=self.team.part), size
        return self._grid_parts(), self.grid.grid_count

    def _grid_parts(self) -> Iterator[Part]:
        count = self.grid.grid_count
        if self.team.ranks == 1:
            for first in range(0, count, GRID_CHUNK):
                last = min(first + GRID_CHUNK, count)
                yield Part(self.grid.grid_batch(first, last), first, last - first)
            return
        pieces = grid_pieces(count)
        wholes = slices(count, pieces=pieces)
        for mine, whole in zip(
            slices(count, pieces=pieces, part=self.team.part), wholes, strict=True
        ):
            yield Part(self.grid.grid_batch(mine.start, mine.stop), mine.start, len(whole))

    def look(self) -> Fault | None:
        """What became non-finite since the last look, in any of the processes."""
        step, work = self.progress.step, self.work
        found = [work.guard.look(step, self.bare, work.smooth), self._look_at_scale(step)]
        found += [rival.look(step) for rival in work.rivals]
        mine = min((f for f in found if f), key=lambda fault: fault.step, default=None)
        return first_of(self.team.hear(mine))

    def _look_at_scale(self, step: int) -> Fault | None:
        """In fp16 what overflows is left out and the scale lowered: near 0 it was in vain."""
        scaler = self.state.scaler
        lost = scaler is not None and scaler.get_scale() < LEAST_SCALE
        return Fault(step, "the gradient of the network", ()) if lost else None

    def save(self, *, best: bool = False) -> None:
        """Write a snapshot, which one of the processes does."""
        if self.team.leads:
            save_snapshot(self.folder, self.state, best=best)

    def names_of(self, fault: Fault) -> tuple[str, ...]:
        """The pictures of a fault, found again from its step."""
        if not fault.pictures:
            return ()
        pool = self.pictures.pool_at(self.level_at(fault.step))
        if self.recipe.optim.name == "gd":
            numbers = self.grid.crops.pictures
        else:
            whole = pool.batch(self.recipe.seed, fault.step, size=self.recipe.data.batch)
            numbers = whole.pictures
        return tuple(dict.fromkeys(pool.names[numbers[k]] for k in fault.pictures))

    def to_training(self) -> None:
        """Weights and layers as training needs them."""
        self.work.network.train()
        to_training_weights(self.work.optimiser)

    def to_scoring(self) -> nn.Module:
        """The network that is scored and saved."""
        to_scoring_weights(self.work.optimiser)
        chosen = self.work.smooth if self.work.smooth is not None else self.bare
        return chosen.eval()

    def card(self, scores: dict[str, object]) -> ModelCard:
        """What the model file says of itself."""
        return make_card(self.recipe, self.progress.step, scores)


def make_card(recipe: Recipe, steps: int, scores: dict[str, object]) -> ModelCard:
    """What a model of `recipe` says of itself after `steps`."""
    choice = recipe.network
    return replace(
        blank_card(choice),
        levels=trained_levels(recipe),
        name=f"{choice.name.replace(':', '-')}_x{choice.scale}",
        loss=str(parse_loss(recipe.loss.expression)),
        steps=steps,
        data=", ".join(Path(p).name for p in recipe.data.photos),
        degradation=recipe.data.degrade,
        scores=scores,
    )


def build_network(choice: NetworkChoice, seed: int) -> nn.Module:
    """The network at its seeded start, or with the weights of `choice.start`.

    A start of another scale lends every layer of equal shape: all but those that make the scale.
    With `choice.shrink` it is a Rescaler, whose network that enlarges begins as without.
    """
    torch.manual_seed(seed)
    network = build(
        choice.name,
        scale=choice.scale,
        channels=CHANNELS[choice.color],
        arguments=choice.arguments,
        head=choice.head,
    )
    if choice.start:
        trained = load_model(choice.start)
        try:
            load_weights(network, trained)
        except RuntimeError as error:
            card = cast(ModelCard, trained.card)
            raise InputError(
                f"--from {choice.start} is {card.architecture} at x{card.scale}, "
                f"not {choice.name} at x{choice.scale}. Train the same network."
            ) from error
    return with_shrinker(network, choice) if choice.shrink else network


def channels_of(network: nn.Module) -> int:
    """1 for a luma network, 3 for RGB."""
    return cast(int, network.channels)


def outputs_of(network: nn.Module) -> tuple[str, ...]:
    """Names of what the network gives beside sr; a network that gives more says so itself."""
    return tuple(getattr(network, "outputs", ()))


def _check_outputs_used(network: nn.Module, objective: Objective) -> None:
    """What no term looks at would be learned by nobody, and stay as it began."""
    asked = {name for built in objective.terms for name in (*built.needs, built.term.schedule.on)}
    if "log_scale" in outputs_of(network) and "log_scale" not in asked:
        raise InputError(
            f"The head 'spread' predicts log_scale, and no term of '{objective.expression}' looks "
            "at it. Add one, as in 'l1(stop=0.1) + gaussian_nll(start=0.1)', or leave --head out."
        )


def grid_pieces(count: int) -> int:
    """In how many pieces, of about one size, several devices work off the whole set."""
    return -(-count // GRID_CHUNK)


def build_job(
    recipe: Recipe, plan: Plan, pictures: Pictures, folder: Path, team: Team = ALONE
) -> Job:
    """Put everything together for a run in `folder`, for one process of a `team`."""
    keep_large_blocks()
    check_team(recipe, team)
    torch.set_num_threads(plan.threads)
    fabric = make_fabric(plan.device, plan.precision, team)
    if team.local > 1 and plan.device == "cpu":  # the plan may be that of another number
        torch.set_num_threads(min(plan.threads, max(1, core_count() // team.local)))
    network = build_network(recipe.network, recipe.seed)
    # float32, but where torch's default was set to another, as is done to compare runs
    bare = network.to(torch.get_default_dtype(), memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    count = recipe.data.batch
    if recipe.optim.name == "gd":
        count = pictures.pool.grid(plan.patch, seed=recipe.seed).grid_count
        check_slices(count, grid_pieces(count), team, "Use more or larger photographs")
    work = make_work(recipe, plan, fabric, bare, count=count, team=team)
    progress = Progress()
    rivals = tuple(rival.optimiser for rival in work.rivals)
    scaler = scaler_of(fabric)
    state = State(bare, work.smooth, work.optimiser, work.objective, progress, rivals, scaler)
    turns = turns_of(recipe)
    _check_crops(work, plan, turns)
    return Job(recipe, plan, folder, pictures, bare, work, progress, state, turns, team)


def check_first(
    recipe: Recipe, plan: Plan, pictures: Pictures, folder: Path, team: Team = ALONE
) -> None:
    """Build the stage before the run's own, where there is one: what is wrong is said now."""
    if not has_first(recipe):
        return
    try:
        check_moments(first_stage(recipe))
        build_job(first_stage(recipe), plan, pictures, folder, team)
    except InputError as error:
        raise InputError(
            f"The first stage, '{recipe.first.loss}', cannot be trained: {error}"
        ) from error


def _check_crops(work: Work, plan: Plan, turns: Turns) -> None:
    """The crops of lower levels are smaller: try every term on the smallest of them, too."""
    level = turns.scales[0]
    if level == work.scale:
        return
    side = patch_at(level, plan.patch, work.scale)
    try:
        work.objective.check(side, 1 if work.luma else 3, scale=level)
    except InputError as error:
        raise InputError(
            f"At the level x{level}, whose crops have {side} pixels a side: {error} --patch counts "
            f"at x{work.scale}, {work.scale // level} times as many."
        ) from error


def make_work(
    recipe: Recipe,
    plan: Plan,
    fabric: Fabric,
    bare: nn.Module,
    *,
    count: int,
    team: Team = ALONE,
) -> Work:
    """What an update of `count` pictures touches, on fabric's device."""
    bare = fabric.to_device(bare)
    check_norms(bare, recipe.optim)
    smooth = smooth_copy(bare, plan.ema)
    fused = scaler_of(fabric) is None
    optimiser = make_optimiser(recipe.optim, bare.parameters(), plan.rate, fused=fused)
    network, _ = fabric.setup(bare, optimiser)
    if recipe.machine.compile:
        network.compile()
    expression = parse_loss(recipe.loss.expression)
    is_taught = recipe.loss.teach == "once"  # its results then come with the batch
    guides = make_guides(fabric, bare, smooth, "" if is_taught else recipe.loss.teacher)
    supplies = (*SUPPLIES, *outputs_of(bare), *guides, *(["teacher"] if is_taught else []))
    objective = Objective(expression, supplies=supplies, balance=recipe.loss.balance)
    objective = objective.to(fabric.device)
    _check_outputs_used(bare, objective)
    check_alone(bare, objective, team)
    check_teacher_used(recipe.loss.teacher, objective)
    channels = channels_of(bare)
    objective.check(plan.patch, channels, scale=recipe.network.scale)
    guard = Guard(tuple(str(term) for term in expression.terms), count, fabric.device)
    return Work(
        fabric=fabric,
        network=network,
        optimiser=optimiser,
        smooth=smooth,
        objective=objective,
        guard=guard,
        luma=channels == 1,
        scale=recipe.network.scale,
        guides=guides,
        rivals=make_rivals(objective, fabric.device, team),
        lower=levels_of(bare)[:-1],
        from_hr=isinstance(bare, Rescaler),
        team=team,
    )
