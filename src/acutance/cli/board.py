"""`acutance board`: trainings as they run, in a browser."""

from pathlib import Path

import click


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="STUDY_OR_RUNS...")
@click.option(
    "-o", "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write how things stand to this file, as one page that stands alone, instead of a server.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the file of -o where it exists.")
@click.option("--port", type=click.IntRange(0, 65535), default=0,
              help="[default: that of the last time, else a free one]")  # fmt: skip
@click.option("--fresh", is_flag=True,
              help="Make a new address; that of the last time is no longer answered.")  # fmt: skip
@click.option("--open", "browse", is_flag=True, help="Open the page in the usual browser.")
def board(
    folders: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    port: int,
    fresh: bool,
    browse: bool,
) -> None:
    """Follow trainings on one page: runs, studies, searches, or folders of them.

    Learning curves with bands over seeds, gradient shares, samples, time left, and how busy the
    machine is. Runs that begin later appear by themselves; nothing in the folders is changed.

    The page is served on this machine alone, at an address with a token, until Ctrl-C. The same
    command has the same address again, so that an open page goes on.

    \b
    Example:
        acutance board runs/a
        acutance board studies/l1-or-mse --open
        acutance board runs/ -o board.html
    """
    from acutance.study.board.boarding import watch, write_page

    if output is not None:
        write_page(output, folders, overwrite=overwrite)
        click.echo(output)
        return
    watch(folders, port=port, fresh=fresh, browse=browse)
