"""`acutance view`: pictures beside each other, in a browser."""

from pathlib import Path

import click

from acutance.cli import offers
from acutance.cli.evaluate import named_metrics


@click.command()
@click.argument("sides", nargs=-1, shell_complete=offers.judged)
@click.option(
    "--reference",
    shell_complete=offers.places,
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
    shell_complete=offers.stages,
    default="",
    help="What makes the small pictures that models are shown, as for evaluate "
    "[default: MATLAB's bicubic].",
)
@click.option(
    "--metrics", default="psnr,ssim", show_default=True, callback=named_metrics,
    shell_complete=offers.metrics,
    help="Names with commas between, as for evaluate.",
)  # fmt: skip
@click.option(
    "--protocol",
    default="y@1",
    show_default=True,
    shell_complete=offers.protocols,
    help="y@1 or rgb@1.",
)
@click.option(
    "--loss", default="", shell_complete=offers.terms, help="Expression whose map is shown first."
)
@click.option(
    "-o", "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page that stands alone to this file, instead of a server.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the file of -o where it exists.")
@click.option(
    "--blind", is_flag=True,
    help="Show pairs without names and write down which is better, to the file of -o "
    "[default: blind.jsonl]; the same command goes on.",
)  # fmt: skip
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True,
              help="How often --blind asks for each pair.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of the order and the places in --blind.")  # fmt: skip
@click.option("--person", default="", help="Whose choices these are; stands in the file.")
@click.option(
    "--report", "reports", multiple=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Rank by the choices in this file of --blind, with intervals and each metric's "
    "agreement; repeat for more persons. -o writes it as JSON.",
)  # fmt: skip
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
    blind: bool,
    rounds: int,
    seed: int,
    person: str,
    reports: tuple[Path, ...],
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
        acutance view --blind one/ two/ three/ --person anna -o anna.jsonl
        acutance view --blind --report anna.jsonl --report ben.jsonl
    """
    if reports:
        _report(reports, metrics, protocol, output=output, overwrite=overwrite)
        return
    if not sides:
        raise click.UsageError("Name what is to be looked at: pictures, folders, runs or models.")
    from acutance.study.view.looking import look, write_page
    from acutance.study.view.opening import Wanted

    wanted = Wanted(sides, reference, scale, degrade)
    if blind:
        from acutance.study.view.testing import Mixing, hold

        path = output or Path("blind.jsonl")
        hold(wanted, path, Mixing(seed, rounds, person), port=port, browse=browse)
        return
    if output is not None:
        write_page(output, wanted, metrics=metrics, protocol=protocol, loss=loss,
                   overwrite=overwrite)  # fmt: skip
        click.echo(output)
        return
    look(wanted, metrics=metrics, protocol=protocol, loss=loss, port=port, browse=browse)


def _report(
    paths: tuple[Path, ...],
    metrics: tuple[str, ...],
    protocol: str,
    *,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Print the ranking and the agreement of metrics; write them where asked."""
    from functools import partial

    from acutance.cli.tables import show_table
    from acutance.storage import check_free
    from acutance.study.view.testing import report, write_verdict
    from acutance.study.view.verdict import (
        AGREEMENT_HEAD,
        RANK_HEAD,
        agreement_rows,
        notes,
        rank_rows,
    )

    if output is not None:
        check_free(output, overwrite=overwrite)
    verdict = report(paths, metrics, protocol, say=partial(click.echo, err=True))
    show_table(RANK_HEAD, rank_rows(verdict))
    for note in notes(verdict):
        click.echo(note)
    if verdict.agreements:
        click.echo()
        show_table(AGREEMENT_HEAD, agreement_rows(verdict))
    if output is not None:
        write_verdict(output, verdict)
