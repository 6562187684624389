"""A run, top to bottom."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NoReturn

from acutance.data.batches import Batch
from acutance.data.prefetch import Direct, Prefetch
from acutance.errors import RunError
from acutance.training.convergence import has_converged
from acutance.training.display import Display
from acutance.training.finish import Outcome, finish
from acutance.training.guard import Fault
from acutance.training.guides import check_same_teacher
from acutance.training.perceptual import why_settled
from acutance.training.pictures import Pictures, check_same_pictures, gather
from acutance.training.plan import make_plan
from acutance.training.recipe import Recipe
from acutance.training.record import Log, read_plan, write_plan
from acutance.training.setup import Job, build_job, check_first
from acutance.training.signals import StopSignals
from acutance.training.snapshots import (
    best_snapshot,
    load_snapshot,
    newest_snapshot,
    save_snapshot,
)
from acutance.training.trial import idle_cores
from acutance.training.two_stages import FIRST, first_stage, has_first, main_stage
from acutance.training.update import update
from acutance.training.watch import Watch

MAX_ROLLBACKS = 3
CALMER = 0.5  # the rate's factor after a roll-back
DRIFT = "settled: drift"


def train(
    recipe: Recipe,
    folder: Path,
    display: Display,
    *,
    spent_s: float = 0.0,
    pictures: Pictures | None = None,
) -> Outcome:
    """Carry out `recipe` in `folder`, or continue what `folder` holds of it.

    `spent_s` is how long the command has been running; minutes count from its beginning.
    `pictures` are those of the recipe where they were gathered before, for runs that share them.
    Raises InputError for what is wrong with the input, RunError when the disk is full or the
    run diverged, KeyboardInterrupt after everything was saved on Ctrl-C.
    """
    job = prepare(recipe, folder, display, spent_s=spent_s, pictures=pictures)
    with Log(folder) as log, StopSignals() as stop:
        log.write("start", {"step": job.progress.step, "steps": job.plan.steps})
        reason = walk(job, log, display, stop, last=job.plan.steps)
        if reason == DRIFT:
            return_to_best(job, log, display)
        return finish(job, log, display, reason or "all steps done")


def walk(job: Job, log: Log, display: Display, stop: StopSignals, *, last: int) -> str:
    """Take the steps up to `last`; the reason why the run stopped before, or ""."""
    watch = Watch(job, log, display)
    batches = batch_source(job)
    reason = reason_to_stop(job, watch)
    try:
        while job.progress.step < last and not reason:
            watch.begin_step()
            reading = update(job, batches.next())
            job.progress.step += 1
            watch.end_step(reading)
            if not (watch.is_due() or stop.requested or job.progress.step == last):
                continue
            fault = job.look()
            if fault is not None:
                batches.close()
                roll_back(job, log, display, fault)
                batches = batch_source(job)
                continue
            watch.write_what_is_due()
            if stop.requested:
                leave(job, log, display)
            reason = reason_to_stop(job, watch)
    finally:
        batches.close()
        watch.close()
    watch.write_waiting(batches.waited_s)
    return reason


def stages(
    recipe: Recipe, folder: Path, display: Display, *, stops: Sequence[int], pictures: Pictures
) -> Generator[Job]:
    """Carry out `recipe` and halt at each step of `stops`, the run in hand to be looked at.

    Whoever stops asking leaves a run that can be taken up again, bit for bit.
    """
    job = prepare(recipe, folder, display, spent_s=0.0, pictures=pictures)
    with Log(folder) as log, StopSignals() as stop:
        log.write("start", {"step": job.progress.step, "steps": job.plan.steps})
        for last in stops:
            if job.progress.step < last:
                walk(job, log, display, stop, last=last)
                save_snapshot(folder, job.state)
            yield job


def prepare(
    recipe: Recipe,
    folder: Path,
    display: Display,
    *,
    spent_s: float,
    pictures: Pictures | None = None,
) -> Job:
    """Read the pictures, settle the plan, build everything, and take up what was saved.

    Where the recipe has a first stage that is not behind, it is carried out.
    """
    began = time.monotonic() - spent_s
    known = read_plan(folder, recipe)
    pictures = pictures or gather(recipe, folder, display)
    if known is not None:
        check_same_pictures(known, pictures, folder)
        check_same_teacher(known, recipe.loss.teacher, folder)
    stage = main_stage(recipe)
    plan = known or make_plan(stage, pictures, began=began, display=display)
    snapshot = newest_snapshot(folder)
    if has_first(recipe) and snapshot is None:
        if known is None:
            build_job(stage, plan, pictures, folder)  # what is wrong is said before the first stage
            check_first(recipe, plan, pictures, folder)
            write_plan(folder, recipe, plan)
        display.note(f"first stage: {recipe.first.loss}, in {folder / FIRST}")
        train(first_stage(recipe), folder / FIRST, display, pictures=pictures)
        stage = main_stage(recipe, folder / FIRST)
        display.note(f"second stage: {recipe.loss.expression}, {plan.steps} steps")
    job = build_job(stage, plan, pictures, folder)
    if known is None:
        write_plan(folder, recipe, plan)
    if snapshot is None:
        save_snapshot(folder, job.state)
    else:
        load_snapshot(snapshot, job.state)
        display.note(f"continuing {folder} at step {job.progress.step} of {plan.steps}")
    return job


def reason_to_stop(job: Job, watch: Watch) -> str:
    """Why the run is to stop before its last step, by its scores; "" for going on."""
    stop, scores = job.recipe.stop, watch.scores()
    if stop.until == "settled":
        why = why_settled(scores, job.recipe, job.plan.steps)
        return f"settled: {why}" if why else ""
    if stop.until == "converged":
        psnr = [scored.psnr for scored in scores]
        is_flat = has_converged([scored.step for scored in scores], psnr, stop.gain_db)
        return "converged" if is_flat else ""
    return ""


def return_to_best(job: Job, log: Log, display: Display) -> None:
    """Take up the snapshot with the best perceptual score: what came after it was worse."""
    best, last, metric = best_snapshot(job.folder), job.progress.step, job.plan.perceptual
    if best is None:
        return
    load_snapshot(best, job.state)
    log.write("return", {"step": job.progress.step, "from": last, "metric": metric})
    display.note(
        f"{metric} has been getting worse and PSNR not better up to step {last}; "
        f"back to step {job.progress.step}, where {metric} was best"
    )


def batch_source(job: Job) -> Prefetch[Batch] | Direct[Batch]:
    """The batches from the step in hand on; the same with and without a thread."""
    if not job.recipe.data.prefetch:
        return Direct(job.batch, job.progress.step)
    # degrading takes as long as a step may, cutting out hardly any
    idle = idle_cores(job.plan.threads, job.plan.device) if job.recipe.data.degrade else 1
    return Prefetch(job.batch, job.progress.step, threads=max(1, idle))


def leave(job: Job, log: Log, display: Display) -> NoReturn:
    """Save everything and end, as Ctrl-C asked."""
    save_snapshot(job.folder, job.state)
    log.write("interrupted", {"step": job.progress.step})
    display.note(f"saved at step {job.progress.step}; give the same command to continue")
    raise KeyboardInterrupt


def roll_back(job: Job, log: Log, display: Display, fault: Fault) -> None:
    """Return to the last good snapshot at half the rate; give up after three times."""
    names = job.names_of(fault)
    text = fault.describe(names)
    log.write("fault", {"step": fault.step, "what": fault.what, "pictures": list(names)})
    rollbacks, factor = job.progress.rollbacks, job.progress.rate_factor
    if rollbacks >= MAX_ROLLBACKS:
        advice = (
            "Not even the first step could be taken, so the rate is not the cause: look at the "
            "term named, with these options, by acutance check-loss"
            if fault.step == 0
            else "Try a lower optim.rate, optim.clip=1, or another loss"
        )
        raise RunError(
            f"{text}, for the {rollbacks + 1}th time, and lowering the rate did not help. "
            f"{advice}; {log.path} has the history."
        )
    snapshot = newest_snapshot(job.folder)
    if snapshot is None:
        raise RunError(f"{text}, and there is no snapshot in {job.folder} to return to.")
    load_snapshot(snapshot, job.state)
    job.work.optimiser.zero_grad(set_to_none=True)
    job.work.guard.reset()
    for rival in job.work.rivals:
        rival.forget()
    job.progress.rollbacks, job.progress.rate_factor = rollbacks + 1, factor * CALMER
    save_snapshot(job.folder, job.state)
    log.write("rollback", {"step": job.progress.step, "rate_factor": job.progress.rate_factor})
    display.note(f"{text}; back to step {job.progress.step} at {factor * CALMER:g} of the rate")
