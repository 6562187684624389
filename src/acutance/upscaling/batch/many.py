"""`acutance.upscale_many`: a batch from Python."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.errors import InputError
from acutance.upscaling.batch.naming import size_label
from acutance.upscaling.batch.picking import with_models
from acutance.upscaling.batch.planning import Plan, plan_jobs, take_shard
from acutance.upscaling.batch.record import read_folder
from acutance.upscaling.batch.request import KEEPING, PLAIN, Request, asked_model, native_scale
from acutance.upscaling.batch.results import Result
from acutance.upscaling.batch.running import Running, run_batch
from acutance.upscaling.choice import AUTO
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.sizes import ratio_of

if TYPE_CHECKING:
    from torch import nn

    from acutance.upscaling.engine import Engine


def upscale_many(
    paths: "str | Path | Iterable[str | Path]",
    *,
    out_dir: str | Path,
    model: "str | Path | Engine | nn.Module | None" = None,
    scale: int | float | Fraction | None = None,
    how: Enlargement = PLAIN,
    output: Output = KEEPING,
    engine: str = AUTO,
    jobs: int = 1,
    skip_existing: bool = False,
) -> Iterator[Result]:
    """Enlarge many files into the folder `out_dir`; each result comes as it is finished.

    `paths` are files, folders (with all below them), patterns such as "a/**/*.jpg", or "@list.txt".
    `scale` is short for a size in `how`. Without a `model` a bundled one is picked for each file:
    "photo" for a JPEG, "small" for anything else, or the best at hand (`Result.job.model`). Work is
    done as results are asked for; what an earlier call finished is not done again, and a file that
    fails is a Result with its `error`. With `jobs` above 1 the files are spread over so many
    processes: as ever with these, the calling script begins its work under `if __name__ ==
    "__main__":`.
    Raises InputError where nothing can be done.
    """
    if scale is not None:
        if how.size != Size():
            raise InputError("The size is given twice, by scale and by how.size. Give one of them.")
        how = replace(how, size=Size(scale=ratio_of(scale)))
    if jobs < 1:
        raise InputError(f"jobs must be 1 or more, not {jobs}.")
    if jobs > 1 and model is not None and not isinstance(model, str | Path):
        raise InputError(
            "Several processes need a model that they can open: give the path of its file."
        )
    words = [paths] if isinstance(paths, str | Path) else list(paths)
    request = Request(asked_model(model, how.size), how, output, engine)
    plan = make_plan(words, Path(out_dir), request, as_folder=True)
    return run_batch(plan, request, Running(processes=jobs, skip_existing=skip_existing))


def make_plan(
    words: Sequence[str | Path],
    output: Path | None,
    request: Request,
    *,
    shard: tuple[int, int] = (1, 1),
    as_folder: bool = False,
) -> Plan:
    """The jobs of a request, or the part of them that `shard` (number, count) names."""
    label = size_label(request.how.size, native_scale(request))
    made = read_folder(output) if output is not None and output.is_dir() else ()
    plan = plan_jobs(
        words, output, label=label, format=request.output.format, made=made, as_folder=as_folder
    )
    part = Plan(take_shard(plan.jobs, *shard), plan.folder) if shard[1] > 1 else plan
    return with_models(part, request)
