"""A run, top to bottom."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NoReturn

from acutance.data.batches import Batch
from acutance.data.prefetch import Direct, Prefetch
from acutance.errors import InputError, RunError
from acutance.training.convergence import Scored, has_converged
from acutance.training.display import Display, Silent
from acutance.training.finish import Outcome, finish
from acutance.training.guard import Fault
from acutance.training.guides import check_same_teacher
from acutance.training.perceptual import why_settled
from acutance.training.pictures import Pictures, check_same_pictures, gather, own_pictures
from acutance.training.plan import make_plan
from acutance.training.recipe import Recipe
from acutance.training.record import Log, Plan, read_plan, write_plan
from acutance.training.setup import Job, build_job, check_first
from acutance.training.signals import ECHO_S, StopSignals
from acutance.training.slicing import check_team
from acutance.training.snapshots import best_snapshot, newest_snapshot, take_up
from acutance.training.team import ALONE, Team
from acutance.training.trial import idle_cores
from acutance.training.two_stages import FIRST, first_stage, has_first, main_stage
from acutance.training.update import update
from acutance.training.watch import Bystander, Watch, is_due

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
    team: Team = ALONE,
) -> Outcome:
    """Carry out `recipe` in `folder`, or continue what `folder` holds of it.

    Every process of a `team` does so, with the same outcome; the first one writes and displays.
    `spent_s` is how long the command has been running; minutes count from its beginning.
    `pictures` are those of the recipe where they were gathered before, for runs that share them.
    Raises InputError for what is wrong with the input, RunError when the disk is full or the
    run diverged, KeyboardInterrupt after everything was saved on Ctrl-C.
    """
    display = display if team.leads else Silent()
    job = prepare(recipe, folder, display, spent_s=spent_s, pictures=pictures, team=team)
    echo_s = ECHO_S if team.ranks > 1 else 0.0
    with Log(folder, writes=team.leads) as log, StopSignals(echo_s) as stop:
        devices = {"devices": team.ranks} if team.ranks > 1 else {}
        log.write("start", {"step": job.progress.step, "steps": job.plan.steps, **devices})
        reason = walk(job, log, display, stop, last=job.plan.steps)
        if reason == DRIFT:
            return_to_best(job, log, display)
        return team.from_leader(lambda: finish(job, log, display, reason or "all steps done"))


def walk(job: Job, log: Log, display: Display, stop: StopSignals, *, last: int) -> str:
    """Take the steps up to `last`; the reason why the run stopped before, or ""."""
    watch = Watch(job, log, display) if job.team.leads else Bystander(job)
    batches = batch_source(job)
    reason = reason_to_stop(job, watch)
    try:
        while job.progress.step < last and not reason:
            watch.begin_step()
            reading = update(job, batches.next())
            job.progress.step += 1
            watch.end_step(reading)
            is_asked = job.team.any(stop.requested)
            if not (is_due(job) or is_asked or job.progress.step == last):
                continue
            fault = job.look()
            if fault is not None:
                batches.close()
                roll_back(job, log, display, fault)
                batches = batch_source(job)
                continue
            watch.write_what_is_due()
            if is_asked:
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
                job.save()
            yield job


def prepare(
    recipe: Recipe,
    folder: Path,
    display: Display,
    *,
    spent_s: float,
    pictures: Pictures | None = None,
    team: Team = ALONE,
) -> Job:
    """Read the pictures, settle the plan, build everything, and take up what was saved.

    Where the recipe has a first stage that is not behind, it is carried out.
    """
    began = time.monotonic() - spent_s
    check_team(recipe, team)
    known = team.from_leader(lambda: known_plan(folder, recipe))
    pictures = own_pictures(pictures, recipe) or _gather(recipe, folder, display, team)
    check_alike(pictures, team)
    if known is not None:
        check_same_pictures(known, pictures, folder)
        check_same_teacher(known, recipe.loss.teacher, folder)
    stage = main_stage(recipe)
    plan = known or settle(stage, pictures, began=began, display=display, team=team)
    snapshot = newest_snapshot(folder) if team.leads else None
    begins = team.from_leader(lambda: snapshot is None)
    if has_first(recipe) and begins:
        if known is None:
            # what is wrong is said before the first stage
            build_job(stage, plan, pictures, folder, team)
            check_first(recipe, plan, pictures, folder, team)
            team.from_leader(lambda: write_plan(folder, recipe, plan))
        display.note(f"first stage: {recipe.first.loss}, in {folder / FIRST}")
        train(first_stage(recipe), folder / FIRST, display, pictures=pictures, team=team)
        stage = main_stage(recipe, folder / FIRST)
        display.note(f"second stage: {recipe.loss.expression}, {plan.steps} steps")
    job = build_job(stage, plan, pictures, folder, team)
    if known is None:
        team.from_leader(lambda: write_plan(folder, recipe, plan))
    if begins:
        job.save()
    else:
        take_up(snapshot, job.state, team)
        display.note(f"continuing {folder} at step {job.progress.step} of {plan.steps}")
    return job


def known_plan(folder: Path, recipe: Recipe) -> Plan | None:
    """The plan of a run that `folder` holds already, or None for a new one.

    Raises InputError for a run of another recipe, and for snapshots of which nothing says what run
    they are of: they would be taken up as this one's.
    """
    plan = read_plan(folder, recipe)
    if plan is None and newest_snapshot(folder):
        raise InputError(
            f"{folder} holds snapshots, but not the run.toml that says of what run. "
            "Choose another --run, or remove the folder."
        )
    return plan


def _gather(recipe: Recipe, folder: Path, display: Display, team: Team) -> Pictures:
    """Read the pictures, all processes at once; a teacher is asked by one of each host."""
    waits = recipe.loss.teach == "once" and team.rank % team.local > 0
    if waits:
        team.wait()
    pictures = gather(recipe, folder, display, sharers=team.local)
    if recipe.loss.teach == "once" and not waits:
        team.wait()
    return pictures


def settle(
    recipe: Recipe, pictures: Pictures, *, began: float, display: Display, team: Team
) -> Plan:
    """The plan of the process that leads. All of them try steps at once, as later in the run."""
    mine = make_plan(recipe, pictures, began=began, display=display, team=team)
    return team.from_leader(lambda: mine)


def check_alike(pictures: Pictures, team: Team) -> None:
    """Raise InputError where the processes, which may be on other hosts, read other pictures."""
    if team.ranks > 1 and len(set(team.hear(pictures.fingerprint()))) > 1:
        raise InputError(
            "The training pictures are not the same on all hosts. Put the same ones, by the same "
            "names, where the command looks for them on each."
        )


def reason_to_stop(job: Job, watch: Watch | Bystander) -> str:
    """Why the run is to stop before its last step, by its scores; "" for going on."""
    if not job.recipe.stop.until:
        return ""
    return job.team.from_leader(lambda: _why_enough(job, watch.scores()))


def _why_enough(job: Job, scores: list[Scored]) -> str:
    stop = job.recipe.stop
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
    team, last, metric = job.team, job.progress.step, job.plan.perceptual
    best = best_snapshot(job.folder) if team.leads else None
    if team.from_leader(lambda: best is None):
        return
    take_up(best, job.state, team)
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
    job.save()
    log.write("interrupted", {"step": job.progress.step})
    display.note(f"saved at step {job.progress.step}; give the same command to continue")
    job.team.wait()  # who ends first would have the others ended
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
    snapshot = newest_snapshot(job.folder) if job.team.leads else None
    if job.team.from_leader(lambda: snapshot is None):
        raise RunError(f"{text}, and there is no snapshot in {job.folder} to return to.")
    take_up(snapshot, job.state, job.team)
    job.work.optimiser.zero_grad(set_to_none=True)
    job.work.guard.reset()
    for rival in job.work.rivals:
        rival.forget()
    job.progress.rollbacks, job.progress.rate_factor = rollbacks + 1, factor * CALMER
    job.save()
    log.write("rollback", {"step": job.progress.step, "rate_factor": job.progress.rate_factor})
    display.note(f"{text}; back to step {job.progress.step} at {factor * CALMER:g} of the rate")
