"""What became of each job: by this command, or by earlier ones as the record tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from acutance.errors import InputError, RunError
from acutance.upscaling.batch.kinds import size_by_header
from acutance.upscaling.batch.planning import Job
from acutance.upscaling.batch.record import Record, Verdict, judge
from acutance.upscaling.batch.request import Request
from acutance.upscaling.pipeline import Enlarged
from acutance.upscaling.uncertainty import sigma_path

UNTOLD = "finished just before an earlier command was stopped, so that its times are not known"


@dataclass(frozen=True)
class Result:
    """What became of a job.

    `made` is what was written, by this command or (`earlier`) by one before it that was told the
    same; `error` is why there is nothing; `left` is why the file that exists was left alone.
    """

    job: Job
    made: Enlarged | None = None
    earlier: bool = False
    error: InputError | RunError | None = None
    left: str = ""
    uncertainty: Path | None = None

    def row(self) -> dict[str, Any]:
        """The line of the report."""
        named: dict[str, Any] = {"source": str(self.job.source), "output": str(self.job.target)}
        if self.job.model is not None:
            named["model"] = self.job.model.stem
        if self.uncertainty is not None and self.made is not None:
            named["uncertainty"] = str(self.uncertainty)
        if self.error is not None:
            return named | {"error": str(self.error)}
        if self.made is None:
            return named | {"skipped": self.left}
        return named | asdict(self.made)


def sort_out(
    jobs: Sequence[Job],
    record: Record,
    settings_of: Callable[[Job], str],
    request: Request,
    *,
    skip_existing: bool,
) -> tuple[list[Result], list[Job]]:
    """What is known of jobs without work, by the record and what stands there; and the others.

    `settings_of` tells what is asked of a job, as the record has it.
    """
    past, begun = record.past(), set(record.begun())
    overwrite = request.output.overwrite
    known, left = [], []
    for job in jobs:
        verdict = judge(
            job, past, settings_of(job), overwrite=overwrite, skip_existing=skip_existing
        )
        if request.uncertainty and verdict.do == "work" and not overwrite:
            verdict = _judge_sigma(job, verdict, is_ours=job.target.absolute() in begun)
        result = _settled(job, verdict, request)
        if result is None:
            left.append(job)
            continue
        known.append(result)
        if result.made is not None and UNTOLD in result.made.notes:
            record.done(job, result.row())
    return known, left


def _judge_sigma(job: Job, verdict: Verdict, *, is_ours: bool) -> Verdict:
    """The picture of sigma is written first: one without its result is a killed command's."""
    sigma = sigma_path(job.target)
    if is_ours:
        sigma.unlink(missing_ok=True)
    if not sigma.exists():
        return verdict
    return Verdict(
        "refuse", f"{sigma} exists already. Use --overwrite to replace it, or give another name."
    )


def _settled(job: Job, verdict: Verdict, request: Request) -> Result | None:
    """What is known of a job without work; None where there is work."""
    if verdict.do == "refuse":
        return Result(job, error=InputError(verdict.reason))
    if verdict.do == "skip":
        return Result(job, left=verdict.reason)
    if verdict.do == "finished":
        made = _earlier(job, verdict.report)
        return Result(job, made, earlier=True, uncertainty=beside(job, request))
    return None


def _earlier(job: Job, report: Mapping[str, Any]) -> Enlarged:
    """What an earlier command said of a file that it finished."""
    if not report:
        width, height = size_by_header(job.target)
        return Enlarged(width, height, {}, notes=(UNTOLD,))
    said = {field.name: report[field.name] for field in fields(Enlarged) if field.name in report}
    return Enlarged(**{**said, "notes": tuple(said.get("notes", ()))})


def beside(job: Job, request: Request) -> Path | None:
    """Where the picture of sigma is, if one is asked for."""
    return sigma_path(job.target) if request.uncertainty else None
