"""`acutance quickstart`: the whole way in miniature, with a page to look at."""

from pathlib import Path

import click


@click.command()
@click.option(
    "-o",
    "--output",
    default="quickstart",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything.",
)
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def quickstart(output: Path, quiet: bool) -> None:
    """Train one small network under three losses, score it, and show what came out.

    About five minutes on two cores; ACUTANCE_BUDGET=short makes it one. Needs the extras
    'train' and 'samples'. The same command continues where it was cut short.

    \b
    Example:
        acutance quickstart
    """
    from acutance.cli.tables import show_table
    from acutance.study.quickstart import tour

    done = tour(output, quiet=quiet)
    rows = [
        (
            result.name,
            result.loss,
            f"{result.scores.mean('photographs', 'psnr'):.2f}",
            f"{result.scores.mean('photographs', 'ssim'):.4f}",
        )
        for result in done.results
    ]
    show_table(("", "loss", "PSNR-Y dB", "SSIM"), rows)
    click.echo("\nThree held-out photographs, protocol y@1, one seed: differences below about")
    click.echo("0.15 dB are within the noise of a seed.\n")
    click.echo(f"picture  {done.picture}   (by {done.best.name})")
    click.echo(f"model    {Path(done.best.model) / 'model.safetensors'}")
    click.echo(f"report   {done.report}")
