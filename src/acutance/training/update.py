"""One step of a run; its rehearsals and trials take the same one."""

from acutance.data.batches import Batch
from acutance.training.setup import Job
from acutance.training.step import Reading, accumulate, finish_update, set_rate


def update(job: Job, batch: Batch) -> Reading:
    """One step: the gradient of the batch (or of all patches, for gd), then the move.

    The caller counts `job.progress.step`; what is read back stays on the device.
    """
    job.to_training()
    step, plan, work = job.progress.step, job.plan, job.work
    level = job.level_at(step)
    work.upto = None if level == work.scale else level
    set_rate(work, job.recipe.optim, plan, step, job.progress.rate_factor)
    work.optimiser.zero_grad(set_to_none=True)
    parts, total = job.parts(batch)
    reading = accumulate(work, parts, total, plan, step)
    finish_update(work, job.recipe.optim, plan, step)
    return reading
