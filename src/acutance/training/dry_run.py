"""Rehearse a run: build everything, do two steps, and tell what the whole would take."""

import time
from contextlib import closing
from pathlib import Path

import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from acutance.training.display import make_display
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.recipe import Recipe
from acutance.training.setup import Job, build_job, channels_of, check_first
from acutance.training.team import Team
from acutance.training.two_stages import has_first, main_stage
from acutance.training.update import update

MIB = 2**20


def rehearse(recipe: Recipe, *, quiet: bool = False) -> list[tuple[str, str]]:
    """What the run would be and take, as (name, value) for people."""
    began = time.monotonic()
    with closing(make_display(quiet)) as display:
        nowhere = Path()
        pictures = gather(recipe, nowhere, display)
        stage = main_stage(recipe)
        team = Team(ranks=recipe.machine.devices * recipe.machine.nodes)  # the first, by itself
        plan = make_plan(stage, pictures, began=began, display=display, team=team)
        check_first(recipe, plan, pictures, nowhere, team)
        job = build_job(stage, plan, pictures, nowhere, team)
        step_s = _mean_step_s(job)
    parameters = sum(p.numel() for p in job.bare.parameters())
    state_mib = parameters * 4 * 4 / MIB  # weights, their average, and two moments of Adam
    first = [("first stage", f"{recipe.first.loss}, {recipe.first.share:.0%} of the whole, before")]
    return [
        ("network", f"{recipe.network.name} x{recipe.network.scale}"),
        *(first if has_first(recipe) else []),
        ("loss", recipe.loss.expression),
        ("training pictures", str(len(pictures.pool.names))),
        ("validation pictures", str(len(pictures.pairs))),
        ("parameters", f"{parameters:,}"),
        ("multiply-adds a patch", f"{_multiply_adds(job) / 1e6:,.1f} M"),
        *([("devices", f"{team.ranks}, with a slice of each batch")] if team.ranks > 1 else []),
        ("threads, precision", f"{plan.threads}, {plan.precision} on {plan.device}"),
        ("a step", f"{1000 * max(step_s, plan.step_s):.1f} ms"),
        ("steps", f"{plan.steps:,}"),
        ("time left to train", f"{plan.steps * max(step_s, plan.step_s) / 60:.1f} min"),
        ("memory so far", f"{psutil.Process().memory_info().rss / MIB:,.0f} MiB"),
        ("disk", f"{4 * state_mib + 1:,.1f} MiB (three snapshots, model, ONNX)"),
    ]


def _mean_step_s(job: Job) -> float:
    """Of the second step at each level, weighed as they are in the run."""
    shares, job.turns = job.turns.shares(), job.turns.together()
    last = {job.level_at(step): _one_step(job, step) for step in range(2 * len(shares))}
    return sum(share * last[level] for level, share in shares.items())


def _one_step(job: Job, step: int) -> float:
    batch = job.batch(step)  # made by others meanwhile; plan.step_s knows of it
    start = time.perf_counter()
    job.progress.step = step
    update(job, batch)
    return time.perf_counter() - start


def _multiply_adds(job: Job) -> float:
    """Of one forward pass over one training patch; a multiply-add is two operations."""
    side = job.plan.patch if job.work.from_hr else job.plan.patch // job.recipe.network.scale
    given = torch.zeros(1, channels_of(job.bare), side, side, device=job.work.fabric.device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        job.bare(given)
    return counter.get_total_flops() / 2
