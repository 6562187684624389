"""`acutance view`: pictures beside each other, in a browser."""

from pathlib import Path

import click

from acutance.cli.evaluate import named_metrics


@click.command()
@click.argument("sides", nargs=-1, required=True)
@click.option(
    "--reference",
    metavar="HR",
    help="Original picture or folder of them: for scores, error maps, and for models to be "
    "applied to.",
)
@click.option(
    "--scale",
    type=click.IntRange(min=1),
    help="What the pictures were enlarged by; sets the border that is not scored "
    "[default: the models' own, else no border].",
)
@click.option(
    "--degrade",
    default="",
    help="What makes the small pictures that models are shown, as for evaluate "
    "[default: MATLAB's bicubic].",
)
@click.option(
    "--metrics", default="psnr,ssim", show_default=True, callback=named_metrics,
    help="Names with commas between, as for evaluate.",
)  # fmt: skip
@click.option("--protocol", default="y@1", show_default=True, help="y@1 or rgb@1.")
@click.option("--loss", default="", help="Expression whose map is shown first.")
@click.option(
    "-o", "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page that stands alone to this file, instead of a server.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the file of -o where it exists.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option("--open", "browse", is_flag=True, help="Open the page in the usual browser.")
def view(
    sides: tuple[str, ...],
    reference: str | None,
    scale: int | None,
    degrade: str,
    metrics: tuple[str, ...],
    protocol: str,
    loss: str,
    output: Path | None,
    overwrite: bool,
    port: int,
    browse: bool,
) -> None:
    """Look at SIDES beside each other: pictures, folders of them, runs, a study, models.

    A folder with a model in it is a run: the model is applied to what bicubic makes of the
    reference; without --reference the run's newest samples are shown. A study stands for its
    arms. Pictures of folders are matched by name, without ending and without _x2, _x4.

    The page is served on this machine alone, at an address with a token, until Ctrl-C.

    \b
    Example:
        acutance view holiday.png holiday_x2.png
        acutance view bicubic runs/a runs/b --reference Set5
        acutance view one/ two/ --reference HR/ --scale 4 --metrics psnr,lpips -o page.html
    """
    from acutance.study.view.looking import look, write_page
    from acutance.study.view.opening import Wanted

    wanted = Wanted(sides, reference, scale, degrade)
    if output is not None:
        write_page(output, wanted, metrics=metrics, protocol=protocol, loss=loss,
                   overwrite=overwrite)  # fmt: skip
        click.echo(output)
        return
    look(wanted, metrics=metrics, protocol=protocol, loss=loss, port=port, browse=browse)
