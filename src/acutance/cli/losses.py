"""acutance losses: what a network can be trained on, and what each loss says of itself."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from acutance.losses.declarations import Declaration


@click.command("losses")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def losses(as_json: bool) -> None:
    """List the losses that an expression for --loss can use.

    The value is that of two equal pictures; the size is the smallest side in pixels.

    \b
    Examples:
        acutance losses
        acutance losses --json
    """
    from acutance.cli.tables import show_table
    from acutance.losses import names
    from acutance.losses.declarations import declared

    found = [declared(name) for name in names()]
    if as_json:
        click.echo(json.dumps([_as_data(loss) for loss in found], indent=2))
        return
    show_table(("name", "what it is", "value", "size", "source"), [_row(loss) for loss in found])


def _row(loss: "Declaration") -> tuple[str, ...]:
    if loss.contract is None:
        return (loss.name, _about(loss) or f"({loss.reason or 'no CONTRACT'})", "", "", "")
    value = loss.contract.at_identity
    return (
        loss.name,
        _about(loss),
        "" if value is None else f"{value:g}",
        str(loss.contract.min_size),
        loss.contract.source,
    )


def _about(loss: "Declaration") -> str:
    """The first line of the module without the name, which stands beside it, and the stop."""
    return (loss.line.partition(": ")[2] or loss.line).removesuffix(".")


def _as_data(loss: "Declaration") -> dict[str, object]:
    from acutance.losses import ALIASES

    contract = loss.contract
    return {
        "name": loss.name,
        "aliases": sorted(alias for alias, name in ALIASES.items() if name == loss.name),
        "about": _about(loss),
        "options": {option.name: option.default for option in loss.options or ()},
        "at_identity": contract.at_identity if contract else None,
        "min_size": contract.min_size if contract else None,
        "source": contract.source if contract else None,
        "note": loss.reason or None,
    }
