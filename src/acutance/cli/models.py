"""`acutance models`: networks that can be trained, models that the package brings, and cards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acutance.cli import offers

if TYPE_CHECKING:
    from acutance.models.listing import Listed


@click.command()
@click.argument("name", required=False, shell_complete=offers.known_models)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def models(name: str | None, as_json: bool) -> None:
    """List what `train --network` takes, and the bundled models that `--model` takes.

    With NAME, of a bundled model, a run folder or a model file, show its card instead: what it
    was trained on and by which terms, how it scored, what it is bad at.

    \b
    Example:
        acutance models
        acutance models --json
        acutance models nano
        acutance models runs/a
    """
    if name is not None:
        _show_cards(name, as_json=as_json)
        return
    from acutance.models.listing import listed_models, listed_networks

    networks = [_network_facts(one) for one in listed_networks()]
    bundled = [{"kind": "model", **one.facts()} for one in listed_models()]
    if as_json:
        click.echo(json.dumps([*networks, *bundled], indent=2))
        return
    _show_networks(networks)
    click.echo("\nA network named without a preset is the first of its kind here.\n", err=True)
    _show_models(bundled)


def _network_facts(one: "Listed") -> dict:
    preset = one.preset
    return {
        "kind": "network",
        "name": one.name,
        "is_default": one.is_default,
        "parameters": preset.parameters if preset else None,
        "reach": preset.reach if preset else None,
        "color": ("luma" if preset.channels == 1 else "rgb") if preset else None,
        "source": preset.source if preset else "another package",
    }


def _show_cards(name: str, *, as_json: bool) -> None:
    """The card of each model that `name` means: of a family, one for each scale."""
    from acutance.cli.model_card import card_lines
    from acutance.models.bundled import family
    from acutance.models.card import find_model, read_card

    files = list(family(name).values()) or [find_model(Path(name))]
    cards = [read_card(file) for file in files]
    if as_json:
        click.echo(json.dumps([json.loads(card.to_json()) for card in cards], indent=2))
        return
    shown = [card_lines(card, file) for card, file in zip(cards, files, strict=True)]
    click.echo("\n\n".join("\n".join(lines) for lines in shown))


def _show_networks(networks: list[dict]) -> None:
    from acutance.cli.tables import show_table

    rows = [
        (
            facts["name"],
            f"{facts['parameters']:,}" if facts["parameters"] else "",
            str(facts["reach"] or ("all" if facts["parameters"] else "")),
            facts["color"] or "",
            facts["source"],
        )
        for facts in networks
    ]
    show_table(("network", "parameters x2", "reach px", "color", "source"), rows)


def _show_models(bundled: list[dict]) -> None:
    from acutance.cli.tables import show_table

    rows = [
        (
            facts["family"],
            f"x{facts['scale']}",
            f"{facts['parameters']:,}",
            f"{facts['size'] / 1024:,.0f}",
            _shown_scores(facts["scores"]),
            facts["licence"],
            facts["data_terms"].partition(".")[0],
        )
        for facts in bundled
    ]
    protocols = ", ".join(dict.fromkeys(f["scores"]["protocol"] for f in bundled if f["scores"]))
    head = ("bundled model", "scale", "parameters", "KiB", f"PSNR dB, {protocols}", "licence")
    click.echo()
    show_table((*head, "training pictures"), rows)


def _shown_scores(scores: dict | None) -> str:
    sets = (scores or {}).get("sets", {})
    return ", ".join(f"{name} {means['psnr']:.2f}" for name, means in sets.items())
