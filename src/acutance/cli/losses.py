"""acutance losses: what a network can be trained on, and what each loss says of itself."""

import json
from typing import TYPE_CHECKING

import click

from acutance.cli import offers

if TYPE_CHECKING:
    from acutance.losses.declarations import Declaration


@click.group("losses", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def losses(ctx: click.Context, as_json: bool) -> None:
    """List the losses that an expression for --loss can use.

    The value is that of two equal pictures; the size is the smallest side in pixels.

    \b
    Examples:
        acutance losses
        acutance losses --json
        acutance losses show ssim
    """
    if ctx.invoked_subcommand:
        return
    from acutance.cli.tables import show_table
    from acutance.losses import names
    from acutance.losses.declarations import declared

    found = [declared(name) for name in names()]
    if as_json:
        click.echo(json.dumps([_as_data(loss) for loss in found], indent=2))
        return
    show_table(("name", "family", "what it is", "value", "size"), [_row(loss) for loss in found])


@losses.command()
@click.argument("name", shell_complete=offers.terms)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def show(name: str, as_json: bool) -> None:
    """Print the card of a loss: formula, claims, blind spots, and what it costs here.

    \b
    Examples:
        acutance losses show ms_ssim
    """
    from dataclasses import asdict

    from acutance.catalog import nearest
    from acutance.errors import InputError
    from acutance.losses import ALIASES, names

    if ALIASES.get(name, name) not in names():
        raise InputError(f"Unknown loss '{name}'. {nearest(name, [*names(), *ALIASES])}")
    from acutance.training.start import require_training

    require_training()
    from acutance.study.atlas.cards import measure
    from acutance.study.atlas.text import card_text

    card = asdict(measure(name))
    click.echo(json.dumps(card, indent=2) if as_json else card_text(card))


def _row(loss: "Declaration") -> tuple[str, ...]:
    from acutance.losses import family

    if loss.contract is None:
        return (loss.name, family(loss.name), _about(loss) or f"({loss.reason})", "", "")
    value = loss.contract.at_identity
    return (
        loss.name,
        family(loss.name),
        _about(loss),
        "" if value is None else f"{value:g}",
        str(loss.contract.min_size),
    )


def _about(loss: "Declaration") -> str:
    """The first line of the module without the name, which stands beside it, and the stop."""
    return (loss.line.partition(": ")[2] or loss.line).removesuffix(".")


def _as_data(loss: "Declaration") -> dict[str, object]:
    from acutance.losses import ALIASES, family

    contract = loss.contract
    return {
        "name": loss.name,
        "family": family(loss.name),
        "aliases": sorted(alias for alias, name in ALIASES.items() if name == loss.name),
        "about": _about(loss),
        "options": {option.name: option.default for option in loss.options or ()},
        "asks_for": list(loss.extras),
        "at_identity": contract.at_identity if contract else None,
        "min_size": contract.min_size if contract else None,
        "source": contract.source if contract else None,
        "note": loss.reason or None,
    }
