"""`acutance degrade`: what training would be shown of pictures, as files or on a sheet."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from acutance.cli import offers
from acutance.errors import InputError

if TYPE_CHECKING:
    from acutance.study.degrading import Degradation, Job, Made

OTHERS = 6  # further draws on a sheet: a row


@click.command()
@click.argument("photos", nargs=-1, required=True, shell_complete=offers.places)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder, or a .png for one picture [default: degraded; of --show, beside here].",
)
@click.option(
    "--recipe",
    shell_complete=offers.recipes,
    help="NAME of `acutance recipes`: its degradation, at its scale.",
)
@click.option(
    "--degrade",
    "chain",
    shell_complete=offers.stages,
    help="Stages, as in 'reduce | jpeg(quality=(30, 95))', or a TOML file.",
)
@click.option("--scale", type=int, help="hr side over lr side [default: the recipe's].")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=0, show_default=True)
@click.option("--count", type=click.IntRange(1, 10_000), help="Draws of each picture [default: 1].")
@click.option("--show", is_flag=True, help="One sheet a picture: each stage, and other draws.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print what was drawn, for programs.")
def degrade(photos: tuple[str, ...], output: Path | None, **options: Any) -> None:
    """Make small or worse pictures of PHOTOS, files and folders, as training makes its lr.

    A chain has no scale of its own, so --degrade needs --scale. Colour stays colour and grey
    grey, whatever a recipe's network sees; alpha is dropped. What is drawn depends on the seed,
    the picture's name and the number of the draw alone. A picture that fails is reported with its
    reason and the others are still done; the exit code is then 1.

    \b
    Example:
        acutance degrade photo.png --recipe real-esrgan --show
        acutance degrade holiday/ --recipe bsrgan --count 3 -o small --seed 1
        acutance degrade photo.png --degrade "jpeg(quality=20)" --scale 1 -o worse.png
    """
    from acutance.study.degrading import settle

    named = [text for text in (options["recipe"], options["chain"]) if text]
    if len(named) != 1:
        raise InputError("Say what is done to the pictures: either --recipe NAME or --degrade.")
    if options["recipe"]:
        _check_recipe(options["recipe"])
    by = settle(named[0], options["scale"])
    if options["show"]:
        _show(photos, output, by, options)
    else:
        _write(photos, output or Path("degraded"), by, options)


def _check_recipe(name: str) -> None:
    """Raise InputError with the nearest name for a recipe that is not there."""
    from acutance.training.package_recipes import find_recipe

    find_recipe(name)


def _write(photos: Sequence[str], output: Path, by: "Degradation", options: dict[str, Any]) -> None:
    from acutance.study.degrading import carry_out, plan

    overwrite = options["overwrite"]
    jobs = plan(photos, output, count=options["count"] or 1, overwrite=overwrite)
    rows: list[dict[str, object]] = []

    def write(job: "Job") -> None:
        for made in carry_out([job], by, seed=options["seed"], overwrite=overwrite):
            rows.append(_row(made))
            if not options["as_json"]:
                click.echo(made.target)

    failed = _each(jobs, write)
    if options["as_json"]:
        told = {"degradation": str(by.chain), "scale": by.scale, "seed": options["seed"]}
        click.echo(json.dumps({**told, "pictures": rows, "failed": failed}, indent=2))
    if failed:
        raise click.exceptions.Exit(1)


def _each(jobs: "Sequence[Job]", work: "Callable[[Job], None]") -> list[dict[str, str]]:
    """Do each; those that failed, and why. The error of a single picture is the command's."""
    failed: list[dict[str, str]] = []
    for job in jobs:
        try:
            work(job)
        except InputError as error:
            if len(jobs) == 1:
                raise
            failed.append({"photo": str(job.source), "error": str(error)})
            click.echo(f"{job.source}: failed: {error}", err=True)
    if failed:
        click.echo(f"acutance: {len(failed)} of {len(jobs)} pictures failed.", err=True)
    return failed


def _row(made: "Made") -> dict[str, object]:
    return {
        "photo": str(made.source),
        "file": str(made.target),
        "draw": made.number + 1,
        "width": made.size[1],
        "height": made.size[0],
        "stages": [{"stage": stage.name, **stage.options} for stage in made.stages],
    }


def _show(
    photos: Sequence[str], output: Path | None, by: "Degradation", options: dict[str, Any]
) -> None:
    from acutance.storage import write_atomically
    from acutance.study.degradation_sheet import draw_sheet
    from acutance.study.degrading import plan, read_levels

    if options["as_json"]:
        raise InputError("--json tells what is written as pictures; leave out --show.")
    overwrite, count = options["overwrite"], options["count"]
    jobs = plan(photos, output or Path(), count=1, overwrite=overwrite, ending=f"-{by.label}")

    def show(job: "Job") -> None:
        sheet = draw_sheet(
            read_levels(job.source).pixels,
            by,
            name=job.source.stem,
            seed=options["seed"],
            others=OTHERS if count is None else count,
        )
        (target,) = job.targets
        write_atomically(target, lambda path: sheet.save(path, optimize=True))
        click.echo(target)

    if _each(jobs, show):
        raise click.exceptions.Exit(1)
