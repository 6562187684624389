"""Turn every "auto" of a recipe into a number, once, by timing a few real steps."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from acutance.models.memory import keep_large_blocks
from acutance.training.budget import budgeted
from acutance.training.display import Display
from acutance.training.endless import ENDLESS, check_moments, is_endless, warmup_steps
from acutance.training.guides import teacher_digest
from acutance.training.levels import turns_of
from acutance.training.optimisers import full_rate
from acutance.training.perceptual import choose_perceptual
from acutance.training.pictures import Pictures, patch_side
from acutance.training.precision import choose_device
from acutance.training.recipe import Recipe
from acutance.training.record import Plan
from acutance.training.setup import Job, build_job, make_card
from acutance.training.team import ALONE, Team
from acutance.training.trial import (
    Pace,
    choose_pace,
    idle_cores,
    paced,
    steps_in,
    time_steps,
)
from acutance.training.two_stages import DEFAULT_MINUTES
from acutance.training.update import update
from acutance.training.validation import validate

SCORINGS = 10  # in a run
EXCHANGES = 5  # of gradients, to be timed
SAVE_S, LOG_S = 20.0, 2.0  # seconds between snapshots and between log lines
FINISH_S = 5.0  # model file, its ONNX twin, start of the last process
_NOWHERE = Path()  # a trial writes nothing


def make_plan(
    recipe: Recipe, pictures: Pictures, *, began: float, display: Display, team: Team = ALONE
) -> Plan:
    """Work out what `recipe` leaves open. `began` is the start of the run (time.monotonic).

    A process of a `team` times steps of its own slice, and then what it takes to add them up.
    """
    keep_large_blocks()
    check_moments(recipe)
    draft = _draft(recipe, pictures)
    mine = team.apart()
    pace = Pace(draft.threads, draft.precision, 0.0)
    needs_pace = not recipe.stop.steps or "auto" in (
        recipe.machine.threads,
        recipe.machine.precision,
    )
    if needs_pace:
        pace = choose_pace(
            recipe.machine.threads,
            recipe.machine.precision,
            lambda precision: _stepper(recipe, draft, pictures, precision, mine),
            turns=turns_of(recipe),
            note=display.note,
        )
        planned = replace(draft, threads=pace.threads)
        made_s = _with_making(pace.step_s, recipe, pictures, planned, mine)
        exchange_s = _exchange_s(recipe, planned, pictures, team)
        pace = replace(pace, step_s=made_s + exchange_s)
    steps = recipe.stop.steps or _steps(recipe, draft, pictures, pace=pace, began=began, team=mine)
    step_s = pace.step_s or 0.05  # only spaces out log lines where all was given
    log = recipe.log
    return Plan(
        steps=steps,
        threads=pace.threads,
        precision=pace.precision,
        device=draft.device,
        rate=draft.rate,
        schedule=draft.schedule,
        ema=draft.ema,
        patch=draft.patch,
        log_every=_every(log.every, LOG_S / step_s, steps),
        score_every=_every(log.score_every, _score_gap(recipe, steps), steps),
        save_every=_every(log.save_every, SAVE_S / step_s, steps),
        step_s=round(step_s, 5),
        fingerprint=draft.fingerprint,
        teacher=draft.teacher,
        perceptual=draft.perceptual,
        warmup_steps=warmup_steps(recipe),
    )


def _draft(recipe: Recipe, pictures: Pictures) -> Plan:
    """All that needs no timing."""
    free = recipe.optim.name == "schedule_free"
    flat = free or bool(recipe.stop.until)
    device = choose_device(recipe.machine)
    threads, precision = recipe.machine.threads, recipe.machine.precision
    schedule, ema = recipe.optim.schedule, recipe.optim.ema
    return Plan(
        steps=1000,  # of the trial's schedule
        threads=torch.get_num_threads() if threads == "auto" else threads,
        precision="fp32" if precision == "auto" else precision,
        device=device,
        rate=full_rate(recipe.optim, recipe.network.name),
        schedule=("constant" if flat else "cosine") if schedule == "auto" else schedule,
        ema=(0.0 if free else 0.999) if ema == "auto" else ema,
        patch=patch_side(recipe),
        log_every=1,
        score_every=1,
        save_every=1,
        step_s=0.0,
        fingerprint=pictures.fingerprint(),
        teacher=teacher_digest(recipe.loss.teacher),
        perceptual=choose_perceptual(recipe, pictures.pairs),
    )


def time_run(recipe: Recipe, plan: Plan, pictures: Pictures) -> float:
    """Seconds that a step of `recipe` takes on average, by a throw-away copy of the run."""
    torch.set_num_threads(plan.threads)
    stepper = _stepper(recipe, plan, pictures, plan.precision)
    return _with_making(time_steps(stepper, turns_of(recipe)), recipe, pictures, plan)


def _stepper(
    recipe: Recipe, draft: Plan, pictures: Pictures, precision: str, team: Team = ALONE
) -> Callable[[int], None]:
    """A throw-away copy of the run whose steps can be timed, of all levels from the start.

    Degraded pictures are made once: how long that takes is no matter of the step.
    """
    plan = replace(draft, precision=precision, threads=torch.get_num_threads())
    job: Job = build_job(recipe, plan, pictures, folder=_NOWHERE, team=team)
    job.turns = job.turns.together()

    made = job.batch(0) if recipe.data.degrade else None

    def run_step(step: int) -> None:
        job.progress.step = step
        update(job, job.batch(step) if made is None else made)

    return run_step


def _with_making(
    step_s: float, recipe: Recipe, pictures: Pictures, plan: Plan, team: Team = ALONE
) -> float:
    """With what making its pictures adds to a step, where that takes a while."""
    if not recipe.data.degrade:
        return step_s
    makers = idle_cores(plan.threads, plan.device) if recipe.data.prefetch else 0
    makers = max(1, makers // team.local) if makers else 0
    pool, size = pictures.pool, recipe.data.batch

    def make(step: int) -> object:
        return pool.batch(recipe.seed, step, size=size, part=team.part)

    return paced(step_s, make, makers=makers)


def _exchange_s(recipe: Recipe, plan: Plan, pictures: Pictures, team: Team) -> float:
    """Seconds that adding up a gradient takes the processes of a team; each tries it as often."""
    if team.ties is None:
        return 0.0
    network = build_job(recipe, plan, pictures, _NOWHERE, team.apart()).bare
    gradient = torch.zeros(1)
    for parameter in network.parameters():
        gradient = parameter.grad = torch.zeros_like(parameter)
    times = []
    for _ in range(EXCHANGES):
        start = time.perf_counter()
        team.sum_gradients(network)
        float(gradient.flatten()[0])  # wait for a device that runs behind
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _steps(
    recipe: Recipe, draft: Plan, pictures: Pictures, *, pace: Pace, began: float, team: Team
) -> int:
    """Steps that fit into the minutes asked for; a run until convergence may take any number."""
    if is_endless(recipe):
        return ENDLESS
    job = build_job(recipe, draft, pictures, folder=_NOWHERE, team=team)
    start = time.monotonic()
    validate(job.to_scoring(), make_card(recipe, 0, {}), pictures.pairs, metric=job.metric)
    scoring_s = (time.monotonic() - start) * (SCORINGS + 1)
    return steps_in(
        budgeted(recipe.stop.minutes or DEFAULT_MINUTES),
        spent_s=time.monotonic() - began,
        step_s=pace.step_s,
        other_s=scoring_s + FINISH_S,
    )


def _score_gap(recipe: Recipe, steps: int) -> float:
    return 250 if recipe.stop.until else steps / SCORINGS


def _every(chosen: int | str, fitting: float, steps: int) -> int:
    """The chosen interval, or about `fitting` steps in a round number."""
    if isinstance(chosen, int):
        return chosen
    for count in (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000):
        if count >= fitting:
            return min(count, max(1, steps))
    return min(5000, max(1, steps))
