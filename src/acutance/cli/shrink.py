"""`acutance shrink`: make pictures small by a learned F."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from acutance.cli import offers
from acutance.cli import upscale_options as given

if TYPE_CHECKING:
    from acutance.cli.upscale_display import Display
    from acutance.upscaling.batch.planning import Job
    from acutance.upscaling.reduction import Reducer
    from acutance.upscaling.settings import Output


@click.command()
@click.argument("inputs", nargs=-1, required=True, shell_complete=offers.places)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File for one picture, else a folder: a.jpg becomes a_x0.5.png.",
)
@click.option(
    "-m",
    "--model",
    shell_complete=offers.places,
    required=True,
    help="Folder of a run that was trained with network.shrink, or its shrink.safetensors.",
)
@click.option(
    "--format", callback=given.as_format, help="png, jpg, webp, tif, avif, bmp  [default: png]"
)
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP and AVIF.")
@click.option(
    "--compression", type=click.IntRange(0, 9), help="Of PNG and TIFF; more is smaller and slower."
)
@click.option(
    "--metadata",
    type=click.Choice(["keep", "no-gps", "strip"]),
    default="keep",
    show_default=True,
    help="Colour profile and upright picture stay in any case.",
)
@click.option(
    "--no-tag",
    "tag",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not write into the file which F made it.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def shrink(**options: Any) -> None:
    """Make INPUTS small: pictures, folders of them, patterns in quotes.

    F was learned together with the network that makes them large again (acutance train --recipe
    rescale). Prints the path of each file written, one a line. A picture that fails is reported
    with its reason and the others are still done; the exit code is then 1.

    \b
    Example:
        acutance shrink photo.png -o small.png --model runs/a
        acutance upscale small.png -o photo_again.png --model runs/a
        acutance shrink holiday/ -o small --model runs/a --format webp --quality 90
    """
    from acutance.cli.upscale_display import make_display

    with closing(make_display(quiet=options["quiet"])) as display:
        failed, count = _carry_out(options, display)
    if failed:
        click.echo(f"acutance: {failed} of {count} pictures failed.", err=True)
        raise click.exceptions.Exit(1)


def _carry_out(options: dict[str, Any], display: "Display") -> tuple[int, int]:
    """Do it all; how many failed, of how many. The error of a single picture is the command's."""
    from acutance.errors import InputError, RunError
    from acutance.training.start import require_training
    from acutance.upscaling.batch.planning import plan_jobs
    from acutance.upscaling.settings import Output

    require_training()
    from acutance.upscaling.reduction import open_reducer

    reducer = open_reducer(options["model"])
    names = ("format", "metadata", "quality", "compression", "tag", "overwrite")
    output = Output(**{name: options[name] for name in names})
    label = f"x{1 / reducer.card.scale:.4g}"
    plan = plan_jobs(options["inputs"], options["output"], label=label, format=output.format)
    failed = 0
    for number, job in enumerate(plan.jobs, start=1):
        begin = f"[{number}/{len(plan.jobs)}] {job.source}: "
        try:
            display.note(begin + _shrunk(job, reducer, output))
            display.path(job.target)
        except (InputError, RunError) as error:
            if len(plan.jobs) == 1:
                raise
            failed += 1
            display.warn(f"{begin}failed: {error}")
        display.progress(number, len(plan.jobs))
    return failed, len(plan.jobs)


def _shrunk(job: "Job", reducer: "Reducer", output: "Output") -> str:
    """Make one file; what is to be said of it."""
    from acutance.errors import InputError
    from acutance.upscaling.shrinking import shrink_file

    if job.kind != "picture":
        raise InputError(f"{job.source} is no still picture, and those alone are made small.")
    made = shrink_file(job.source, job.target, reducer, output)
    said = "".join(f"; {note}" for note in made.notes)
    return f"{made.width}x{made.height} in {made.seconds['total']:.1f} s{said}"
