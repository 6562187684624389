"""acutance import-config: other trainers' losses as an expression."""

import json
from pathlib import Path

import click


@click.command("import-config")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def import_config(file: Path, as_json: bool) -> None:
    """Read the losses of an option file of BasicSR, neosr or traiNNer-redux.

    Prints the expression for --loss; what is hidden in the file, or cannot be said here, goes to
    the error stream with its place.

    \b
    Examples:
        acutance import-config train_esrgan.yml
        acutance train photos/ --loss "$(acutance import-config train.yml)" --run runs/a
    """
    from acutance.losses.community.imported import import_config as read

    found = read(file)
    if as_json:
        remarks = [{"place": r.place, "text": r.text} for r in found.remarks]
        data = {"expression": found.expression, "trainer": found.trainer, "remarks": remarks}
        click.echo(json.dumps(data, indent=2))
        return
    click.echo(found.expression)
    for remark in found.remarks:
        click.echo(f"{remark.place}: {remark.text}", err=True)
