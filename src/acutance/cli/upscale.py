"""`acutance upscale`: make pictures larger."""

import json
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from acutance.cli import offers
from acutance.cli import upscale_options as given
from acutance.cli.given import as_cluster

if TYPE_CHECKING:
    from acutance.cli.upscale_display import Display
    from acutance.upscaling.batch.request import Request
    from acutance.upscaling.batch.results import Result


@click.command(cls=given.UpscaleCommand)
@click.argument("inputs", nargs=-1, shell_complete=offers.places)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File for one picture, else a folder: a.jpg becomes a_x2.png  [default: beside the one "
    "picture]",
)
@click.option(
    "--list",
    "inputs_list",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File with more inputs, one a line; - is stdin. @FILE as an input likewise.",
)
@click.option(
    "--format",
    callback=given.as_format,
    help="png, jpg, webp, tif, avif, bmp, gif, or mp4, mkv, webm  [default: png; "
    "animations and videos keep theirs]",
)
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP, AVIF and videos.")
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
    help="Do not write into the file which model made it.",
)
@click.option(
    "--scale",
    callback=given.as_scale,
    help="How many times larger: 2, 1.5, 3/2  [default: the model's own]",
)
@click.option("--width", type=click.IntRange(1), help="Of the result, in pixels.")
@click.option("--height", type=click.IntRange(1), help="Of the result, in pixels.")
@click.option(
    "--fit", metavar="WxH", callback=given.as_box, help="The largest that fits into a box."
)
@click.option("--megapixels", type=float, callback=given.as_positive, help="Of the result.")
@click.option(
    "--strength",
    type=float,
    default=1.0,
    show_default=True,
    callback=given.as_share,
    help="0: the plain enlargement, 1: the model; between: a blend.",
)
@click.option("--faithful", metavar="MODEL", help="What strength 0 is  [default: bicubic]")
@click.option(
    "--tta",
    type=click.Choice(["1", "8"]),
    default="1",
    show_default=True,
    help="8: the mean over flips and turns, eight times the work.",
)
@click.option(
    "--back-project",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    metavar="N",
    help="Steps that make the result, when reduced, agree with the input.",
)
@click.option(
    "--edge",
    type=click.Choice(["normal", "wrap"]),
    default="normal",
    show_default=True,
    help="wrap: a texture that repeats stays seamless.",
)
@click.option("--fix-colour", is_flag=True, help="Take a cast of the mean colour off.")
@click.option(
    "-m",
    "--model",
    shell_complete=offers.models,
    help="Bundled name such as nano, run folder, model file, mix such as a:0.7,b:0.3, or "
    "bicubic  [default: photo for JPEG, small for others, or the best at hand]",
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    shell_complete=offers.engines,
    help="auto, onnx_runtime, pytorch or openvino.",
)
@click.option("--fast", is_flag=True, help="Lower precision where that is faster here.")
@click.option(
    "--tile",
    metavar="none|N",
    callback=given.as_tile,
    help="Side of the pieces in pixels  [default: wide bands, by memory]",
)
@click.option(
    "--memory",
    metavar="SIZE",
    callback=given.as_bytes,
    help="Most that may be used, such as 1GiB; refused at once where it is too little.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes, each with its part of cores and memory.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    default="",
    callback=as_cluster,
    help="Pictures go to a Ray cluster: auto, ray://HOST:PORT. Inputs may be URLs of folders then.",
)
@click.option(
    "--skip-existing", is_flag=True, help="Leave files alone that exist, whatever they are."
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace files that exist, but those that this command finished.",
)
@click.option(
    "--shard",
    metavar="I/N",
    default="1/1",
    callback=given.as_shard,
    help="Do part I of N, for several machines.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for a line of JSON for each picture, as it comes.",
)
@click.option(
    "--uncertainty", is_flag=True, help="Also write NAME.uncertainty.png: the model's own sigma."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def upscale(**options: Any) -> None:
    """Enlarge INPUTS: pictures, folders of them, patterns in quotes, videos.

    Prints the path of each file written, one a line. A picture that fails is reported with its
    reason and the others are still done; the exit code is then 1. A command that was stopped
    continues when it is given again: what is finished is not done twice.

    \b
    Example:
        acutance upscale photo.jpg
        acutance upscale photo.jpg -o photo_large.webp
        acutance upscale holiday/ "scans/**/*.tif" -o large --model runs/a
        acutance upscale photo.jpg -o wide.webp --width 3840 --quality 90
        acutance upscale holiday/ -o large --model bicubic --scale 3/2
    """
    from acutance.cli.upscale_display import make_display

    with closing(make_display(quiet=options["quiet"])) as display:
        done = (_carry_out_placed if options["cluster"] else _carry_out)(options, display)
    if options["as_json"]:
        click.echo(_as_json(done.results, model=options["model"]))
    if done.failed:
        click.echo(
            f"acutance: {done.failed} of {done.count} pictures failed.{done.where}", err=True
        )
        raise click.exceptions.Exit(1)


@dataclass
class _Done:
    """What has become of the pictures so far; each result only where it is asked for as JSON."""

    results: "list[Result]"
    count: int = 0
    failed: int = 0
    where: str = ""  # what failed is listed

    def take(self, result: "Result", total: int, *, options: dict[str, Any], display: "Display"):
        """Count a result, and tell of it."""
        self.count += 1
        self.failed += result.error is not None
        if options["as_json"]:
            self.results.append(result)
        _tell(display, f"[{self.count}/{total}] {result.job.source}: ", result)
        if not options["as_json"]:
            for path in _written(result):
                display.path(path)


def _carry_out_placed(options: dict[str, Any], display: "Display") -> _Done:
    """Do it on a cluster."""
    if options["jobs"] > 1 or options["shard"] != (1, 1):
        raise click.UsageError("--cluster shares the work out by itself. Leave --jobs and --shard.")
    if options["output"] is None:
        raise click.UsageError("--cluster needs a folder that all nodes see: -o FOLDER")
    if options["output"].suffix.lower() in given.picture_endings():
        raise click.UsageError(f"{options['output']} is one file. Name a folder with --cluster.")
    from acutance.cluster import open_cluster
    from acutance.upscaling.batch.placed import listed, run_placed
    from acutance.upscaling.batch.running import Running

    request, output = _request(options), options["output"].resolve()
    running = Running(skip_existing=options["skip_existing"], report=options["report"])
    done = _Done([])
    with (
        open_cluster(options["cluster"]) as executor,
        listed(given.as_words(options), output, request) as manifest,
    ):
        if manifest.note:
            display.note(manifest.note)
        for result in run_placed(manifest, request, running, executor):
            target = options["output"] / result.job.target.relative_to(output)
            shown = replace(result, job=replace(result.job, target=target))
            done.take(shown, manifest.pictures, options=options, display=display)
            display.progress(done.count, manifest.pictures)
    done.where = f" {manifest.folder / 'failed.jsonl'} lists them." if done.failed else ""
    return done


def _request(options: dict[str, Any]) -> "Request":
    from acutance.upscaling.batch.request import Request, asked_model

    how = given.as_enlargement(options)
    return Request(
        model=asked_model(options["model"], how.size),
        how=how,
        output=given.as_output(options),
        engine=options["engine"],
        fast=options["fast"],
        faithful=options["faithful"],
        uncertainty=options["uncertainty"],
    )


def _carry_out(options: dict[str, Any], display: "Display") -> _Done:
    """Do it all; the error of a single picture is the command's."""
    from acutance.upscaling.batch.many import make_plan
    from acutance.upscaling.batch.running import Running, run_batch

    request = _request(options)
    running = Running(
        options["jobs"], options["skip_existing"], options["report"], options["shard"]
    )
    plan = make_plan(given.as_words(options), options["output"], request, shard=running.shard)
    done = _Done([])
    for result in run_batch(plan, request, running, watcher=display):
        if result.error is not None and len(plan.jobs) == 1:
            raise result.error
        done.take(result, len(plan.jobs), options=options, display=display)
    return done


def _written(result: "Result") -> list[Path]:
    if result.made is None:
        return []
    return [result.job.target, *([result.uncertainty] if result.uncertainty is not None else [])]


def _tell(display: "Display", begin: str, result: "Result") -> None:
    """How it went, on stderr."""
    if result.error is not None:
        display.warn(f"{begin}failed: {result.error}")
    elif result.made is None:
        display.note(f"{begin}left alone: {result.job.target} {result.left}")
    elif result.earlier:
        display.note(f"{begin}finished before")
    else:
        made = result.made
        said = "".join(f"; {note}" for note in made.notes)
        seconds = made.seconds.get("total", 0.0)
        display.note(f"{begin}{made.width}x{made.height} in {seconds:.1f} s{said}")


def _as_json(results: "list[Result]", *, model: str | None) -> str:
    """The rows of the report, by what became of them, in the order of the sources."""
    from acutance.upscaling.batch.picking import picks

    rows = [result.row() for result in sorted(results, key=lambda result: result.job.target)]
    parts = {
        "written": [row for row in rows if "width" in row],
        "skipped": [row for row in rows if "skipped" in row],
        "failed": [row for row in rows if "error" in row],
    }
    picked = picks(result.job for result in results)
    told = {"model": model, **({"picked": picked} if picked else {})}
    return json.dumps({**told, **parts}, indent=2)
