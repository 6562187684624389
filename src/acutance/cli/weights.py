"""acutance weights: trained networks that some losses look through."""

import json
from pathlib import Path

import click


@click.group("weights")
def weights() -> None:
    """See, load and add the trained weights that losses such as lpips use.

    None come with the package. They are kept in the folder that `list` names, which
    ACUTANCE_WEIGHTS changes.

    \b
    Examples:
        acutance weights list
        acutance weights get alexnet lpips_alex
        acutance weights add vgg19-dcbb9e9d.pth
    """


@weights.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def show(as_json: bool) -> None:
    """List the weights, whether they are here, and their licence."""
    from acutance.cli.tables import show_table
    from acutance.losses.features.weights import KNOWN, user_folder

    rows = [(entry, *_state(entry.name)) for entry in KNOWN.values()]
    if as_json:
        click.echo(json.dumps([_as_data(*row) for row in rows], indent=2))
        return
    table = [
        (entry.name, state, f"{entry.size / 2**20:.2f}", entry.purpose, entry.licence)
        for entry, state, _ in rows
    ]
    show_table(("name", "here", "MiB to load", "used by", "licence"), table)
    click.echo(f"\nFolder: {user_folder()}", err=True)
    for entry, _, path in rows:
        if path is not None and path.parent != user_folder():
            click.echo(f"{entry.name}: {path}", err=True)


@weights.command("get")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(names: tuple[str, ...]) -> None:
    """Load weights from their publisher by https, check them, and keep what losses use.

    The SHA-256 of each file is pinned in the package; another file is refused unread.
    """
    from acutance.losses.features.fetching import fetch
    from acutance.losses.features.weights import known

    entries = [known(name) for name in names]
    for entry in entries:
        click.echo(f"{entry.url}\nLicence: {entry.licence}", err=True)
        with click.progressbar(length=entry.size, label=entry.name, file=_stderr()) as bar:

            def advance(read: int, total: int, bar=bar) -> None:
                bar.length = total
                bar.update(read)

            path = fetch(entry.name, advance)
        click.echo(str(path))


@weights.command("add")
@click.argument("file", type=click.Path(path_type=Path))
def add_file(file: Path) -> None:
    """Keep weights that you have as .safetensors or .pth; they are recognised by their layers.

    A .pth is read as tensors alone: a file that would run a program is refused.
    """
    from acutance.losses.features.conversion import add

    name, path = add(file)
    click.echo(f"{name}: {path}")


def _state(name: str) -> tuple[str, Path | None]:
    """ "yes", "in part" or "no", and the file that is looked at."""
    from acutance.losses.features.weights import lacking, places, shapes_of

    found = places(name)
    whole = [path for path in found if not lacking(path, shapes_of(name))]
    if whole:
        return "yes", whole[0]
    return ("in part", found[0]) if found else ("no", None)


def _as_data(entry, state: str, path: Path | None) -> dict[str, object]:
    return {
        "name": entry.name,
        "here": state,
        "file": str(path) if path else None,
        "url": entry.url,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "used_by": entry.purpose,
    }


def _stderr():
    import sys

    return sys.stderr
