"""Recipes that the package brings: one TOML file each, in the schema of a run's own run.toml.

A file has [about], the settings under [recipe], and presets, whose settings go before: the plain
recipe is made for two cores and minutes, `paper` is what was published. Read without torch.
"""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.training.recipe import Settings, flatten, join_settings

FOLDER = Path(__file__).parents[1] / "recipes"
Layer = tuple[str, Settings]  # origin for people, settings
_HYPHENED = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
MEASURED = FOLDER / "measured.json"  # written by benchmarks/recipes.py, and by nothing else


@dataclass(frozen=True)
class About:
    """What a recipe is, for people."""

    title: str
    source: str  # the paper
    loss: str  # in words
    note: str  # departures, and what the settings cannot say


@dataclass(frozen=True)
class PackageRecipe:
    """One file: the settings of the plain recipe, and those that each preset changes."""

    name: str
    about: About
    settings: Settings
    presets: Mapping[str, Settings]

    def resolved(self, preset: str | None) -> dict[str, object]:
        """The settings of the plain recipe, or of a preset with what it leaves as it is."""
        return join_settings(self.layers(preset))[0]

    def layers(self, preset: str | None) -> list[Layer]:
        """The plain recipe, and above it the preset."""
        layers: list[Layer] = [(f"recipe {self.name}", self.settings)]
        if preset:
            layers.append((f"recipe {self.name}:{preset}", _with_chain(self.presets[preset])))
        return layers


def recipe_names() -> tuple[str, ...]:
    """All names, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def find_recipe(name: str) -> tuple[PackageRecipe, str | None]:
    """The recipe and preset of "esrgan" or "esrgan:paper"; the preset is None for the plain one.

    Raises InputError with the nearest name for what is unknown.
    """
    stem, colon, preset = name.partition(":")
    if stem not in recipe_names():
        raise InputError(f"Unknown recipe '{stem}'. {nearest(stem, recipe_names())}")
    recipe = read_recipe(FOLDER / f"{stem}.toml")
    if colon and preset not in recipe.presets:
        raise InputError(
            f"The recipe {stem} has no preset '{preset}'. {nearest(preset, recipe.presets)}"
        )
    return recipe, preset if colon else None


def recipe_layers(name: str, *, without: Collection[str] = ()) -> list[Layer]:
    """Layers for make_recipe: the plain recipe, and its preset above it where one is named.

    `without` are settings that are somebody else's, such as the loss of a comparison. An empty
    name is no layer.
    """
    if not name:
        return []
    recipe, preset = find_recipe(name)
    return [
        (origin, {key: value for key, value in settings.items() if key not in without})
        for origin, settings in recipe.layers(preset)
    ]


def named_degradation(text: object) -> object:
    """The chain of the recipe that `text` names; any other text as it is."""
    stem = str(text).partition(":")[0]
    if stem not in recipe_names() and not _HYPHENED.fullmatch(stem):  # which no stage is
        return text
    recipe, preset = find_recipe(str(text))
    settings = recipe.resolved(preset)
    degradation = settings.get("data.degrade")
    if not degradation:
        learned = "network.shrink" in settings
        made = "made by an F that learns with the network" if learned else "bicubic"
        raise InputError(f"The recipe '{text}' has no degradation: its lr is {made}.")
    return " | ".join(degradation) if isinstance(degradation, list) else degradation


def _with_chain(settings: Settings) -> Settings:
    """With the chain itself where a preset names the recipe whose degradation it has."""
    if "data.degrade" not in settings:
        return settings
    return {**settings, "data.degrade": named_degradation(settings["data.degrade"])}


def read_recipe(path: Path) -> PackageRecipe:
    """Read one file. What each setting means is checked where layers are joined."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    _check_keys(tables, ("about", "recipe", "presets"), path.name)
    about = tables.get("about", {})
    wanted = tuple(f.name for f in fields(About))
    _check_keys(about, wanted, f"[about] of {path.name}")
    missing = [key for key in wanted if key not in about]
    if missing:
        raise InputError(f"[about] of {path.name} lacks {', '.join(missing)}.")
    presets = {name: flatten(table) for name, table in tables.get("presets", {}).items()}
    return PackageRecipe(path.stem, About(**about), flatten(tables.get("recipe", {})), presets)


def _check_keys(table: Mapping[str, object], known: tuple[str, ...], place: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"Unknown key '{key}' in {place}. {nearest(key, known)}")


def measured() -> dict[str, Any]:
    """What the plain recipes reached when they were last tried, by name; empty if never."""
    if not MEASURED.exists():
        return {}
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    return cast(dict[str, Any], found["recipes"])
