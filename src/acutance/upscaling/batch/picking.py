"""The model for each file of a batch, where the request leaves it open."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from acutance.upscaling.batch.planning import Job, Plan
from acutance.upscaling.batch.request import Request
from acutance.upscaling.picking import is_open, pick_model


def with_models(plan: Plan, request: Request) -> Plan:
    """The plan with a model for every job, where no model was named or a bundled family was."""
    if not is_open(request.model):
        return plan
    return replace(plan, jobs=tuple(_with_model(job, request) for job in plan.jobs))


def _with_model(job: Job, request: Request) -> Job:
    model = request.model
    assert model is None or isinstance(model, str)
    pick = pick_model(model, request.how.size, job.size, is_jpeg=job.is_jpeg)
    return replace(job, model=pick.file, why=pick.why)


def picks(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """What was picked: {"model", "files", "why"} for each model and reason, most files first."""
    counts = Counter((job.model.stem, job.why) for job in jobs if job.model is not None)
    return [
        {"model": model, "files": count, "why": why} for (model, why), count in counts.most_common()
    ]


def picks_line(jobs: Iterable[Job]) -> str:
    """What was picked in one line; empty where all is as it was asked for."""
    found = [pick for pick in picks(jobs) if pick["why"]]
    if len(found) == 1:
        return f"model {found[0]['model']}: {found[0]['why']}"
    return "; ".join(
        f"model {pick['model']} for {pick['files']} file{'s' * (pick['files'] > 1)}: {pick['why']}"
        for pick in found
    )
