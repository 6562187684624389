"""`acutance models`: the networks that can be trained."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:
    """List the networks and their presets, as `train --network` takes them.

    \b
    Example:
        acutance models
        acutance models --json
    """
    import json

    from acutance.cli.tables import show_table
    from acutance.models.listing import listed_networks

    facts = [(one.name, one.is_default, *_facts(one.preset)) for one in listed_networks()]
    if as_json:
        keys = ("name", "is_default", "parameters", "reach", "color", "source")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in facts], indent=2))
        return
    rows = [
        (name, f"{parameters:,}" if parameters else "", str(reach or ""), color, source)
        for name, _, parameters, reach, color, source in facts
    ]
    show_table(("network", "parameters x2", "reach px", "color", "source"), rows)
    click.echo("\nA network named without a preset is the first of its kind here.", err=True)


def _facts(preset) -> tuple[int, int, str, str]:
    if preset is None:
        return 0, 0, "", "another package"
    color = "luma" if preset.channels == 1 else "rgb"
    return preset.parameters, preset.reach, color, preset.source
