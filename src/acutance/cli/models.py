"""`acutance models`: the networks that can be trained, and the models that the package brings."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from acutance.models.listing import BundledModel, Listed


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:
    """List what `train --network` takes, and the bundled models that `--model` takes.

    \b
    Example:
        acutance models
        acutance models --json
    """
    from acutance.models.listing import listed_models, listed_networks

    networks = [_network_facts(one) for one in listed_networks()]
    bundled = [_model_facts(one) for one in listed_models()]
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


def _model_facts(one: "BundledModel") -> dict:
    card = one.card
    return {
        "kind": "model",
        "name": card.name,
        "network": card.architecture,
        "scale": card.scale,
        "parameters": one.parameters,
        "reach": card.reach,
        "color": card.color,
        "licence": card.licence,
        "scores": card.scores,
    }


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
            facts["name"],
            f"x{facts['scale']}",
            f"{facts['parameters']:,}",
            _shown_scores(facts["scores"]),
            facts["licence"],
        )
        for facts in bundled
    ]
    protocols = ", ".join(dict.fromkeys(f["scores"]["protocol"] for f in bundled if f["scores"]))
    click.echo()
    show_table(("bundled model", "scale", "parameters", f"PSNR dB, {protocols}", "licence"), rows)


def _shown_scores(scores: dict | None) -> str:
    sets = (scores or {}).get("sets", {})
    return ", ".join(f"{name} {means['psnr']:.2f}" for name, means in sets.items())
