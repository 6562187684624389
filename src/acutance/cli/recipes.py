"""`acutance recipes`: trainings that the package knows, what each is, and what it reached."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from acutance.cli import offers

if TYPE_CHECKING:
    from acutance.training.package_recipes import PackageRecipe


@click.command()
@click.argument("name", required=False, shell_complete=offers.recipes)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def recipes(name: str | None, as_json: bool) -> None:
    """List what `train --recipe` takes; with NAME or NAME:PRESET, show its settings.

    The measured column is what the plain recipe reached on two cores when it was last tried, with
    bicubic's score behind it.

    \b
    Example:
        acutance recipes
        acutance recipes esrgan
        acutance recipes esrgan:paper --json
    """
    from acutance.training.package_recipes import find_recipe, recipe_names

    if name is None:
        _list([_facts(find_recipe(one)[0], None) for one in recipe_names()], as_json=as_json)
        return
    recipe, preset = find_recipe(name)
    facts = _facts(recipe, preset)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for line in _page(recipe, preset, facts):
        click.echo(line)


def _facts(recipe: "PackageRecipe", preset: str | None) -> dict[str, Any]:
    from acutance.training.package_recipes import measured

    settings = recipe.resolved(preset)
    return {
        "name": f"{recipe.name}:{preset}" if preset else recipe.name,
        "title": recipe.about.title,
        "network": settings["network.name"],
        "loss": recipe.about.loss,
        "source": recipe.about.source,
        "note": recipe.about.note,
        "presets": list(recipe.presets),
        "settings": settings,
        "measured": None if preset else measured().get(recipe.name),
    }


def _list(facts: list[dict[str, Any]], *, as_json: bool) -> None:
    from acutance.cli.tables import show_table

    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    rows = [
        (one["name"], one["network"], one["loss"], _score(one["measured"]), one["source"])
        for one in facts
    ]
    show_table(("recipe", "network", "loss", "measured", "source"), rows)
    click.echo("\nacutance recipes NAME shows settings, presets and departures.", err=True)


def _score(found: Mapping[str, Any] | None) -> str:
    """Such as "Set5 x2 36.90 dB (bicubic 33.67)"."""
    if found is None:
        return ""
    return (
        f"{found['set']} x{found['scale']} {found['psnr']:.2f} dB (bicubic {found['bicubic']:.2f})"
    )


def _page(recipe: "PackageRecipe", preset: str | None, facts: Mapping[str, Any]) -> Iterator[str]:
    yield facts["title"]
    yield f"{facts['source']}. Loss: {facts['loss']}."
    yield f"\n{textwrap.fill(facts['note'], 100, break_on_hyphens=False)}\n"
    if facts["measured"] is not None:
        found = facts["measured"]
        yield f"Measured: {_score(found)}, {found['protocol']}, {found['steps']:,} steps\n"
    yield from _table("settings", facts["settings"])
    if preset is None:
        for name, changed in recipe.presets.items():
            yield ""
            yield from _table(f"preset {name}, beside these", changed)
    yield f"\nacutance train --recipe {facts['name']} PHOTOS --run RUN"


def _table(head: str, settings: Mapping[str, object]) -> Iterator[str]:
    yield f"{head}:"
    width = max(len(key) for key in settings)
    for key, value in settings.items():
        yield f"  {key:<{width}} = {json.dumps(value)}"
