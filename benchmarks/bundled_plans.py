"""What bundled_models.toml says of one model, checked and ready to be carried out."""

import json
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models.card import MODEL_FILE
from acutance.training.recipe import Recipe, make_recipe
from places import model_source, of_scale, photo_source

TABLE = Path(__file__).with_name("bundled_models.toml")
MODELS = {"start": "network.start", "teacher": "loss.teacher"}
KEYS = {"photos", "data_terms", "licence", "metrics", "half", "int8_pictures", "bad_at"}
KEYS |= {"most_parameters", "settings", "draft", "kind", *MODELS}
RUNS = TABLE.parents[1] / "runs" / "bundled"


@dataclass(frozen=True)
class Plan:
    """One model: how it is trained, and what its card says besides."""

    name: str  # "nano-x2"
    recipe: Recipe
    told: Mapping[str, Any]  # the keys of the table but settings
    changed: Mapping[str, object] = field(default_factory=dict)  # settings instead of the table's

    @property
    def command(self) -> str:
        """What makes this model anew."""
        words = [f"{key}={json.dumps(value)}" for key, value in self.changed.items()]
        sets = [word for each in words for word in ("--set", each)]
        return shlex.join(["python", "benchmarks/bundled_models.py", "make", self.name, *sets])

    @property
    def pictures(self) -> str:
        """What it was trained on, in words for the card."""
        return ", ".join(self.told["photos"])

    @property
    def loss(self) -> str:
        """The expressions of all stages, the teacher, and the model that the first began from."""
        first, last = self.recipe.first.loss, self.recipe.loss.expression
        said = f"{first}, then {last}" if first else last
        for key, words in (("teacher", "taught by"), ("start", "from")):
            if model := self.told.get(key):
                name = of_scale(model, self.recipe.network.scale)
                said += f", {words} {Path(name).stem}"
        return said


def names() -> list[str]:
    """Every model of the table."""
    families = _table()["family"]
    return [f"{name}-x{scale}" for name, found in families.items() for scale in found["scales"]]


def read_plan(name: str, settings: Mapping[str, object] | None = None, runs: Path = RUNS) -> Plan:
    """The plan of one model; `settings` go before the table's, drafts lie in `runs`.

    Raises InputError for a model that the table has not, and for what is wrong in it.
    """
    if name not in names():
        raise InputError(f"The table {TABLE.name} has no model '{name}'. {nearest(name, names())}")
    table = _table()
    family, _, scale = name.rpartition("-x")
    own = table["family"][family]
    shared = {"settings": _of_kind(own.get("kind"), scale, table)}
    layers = [table["every"], shared, own, table.get("model", {}).get(name, {})]
    if unknown := table.get("model", {}).keys() - set(names()):
        raise InputError(f"{TABLE.name} has no family for [model.{min(unknown)}].")
    told: dict[str, Any] = {}
    joined: dict[str, object] = {"network.scale": int(scale)}
    for layer in layers:
        unknown = layer.keys() - KEYS - {"scales"}
        if unknown:
            raise InputError(f"{TABLE.name}: {name} has '{min(unknown)}', which says nothing.")
        told |= {key: value for key, value in layer.items() if key not in ("settings", "scales")}
        joined |= layer.get("settings", {})
    changed = dict(settings or {})
    if fixed := changed.keys() & {"data.photos", "network.scale", *MODELS.values()}:
        raise InputError(f"The card tells {min(fixed)} by {TABLE.name}: change it there.")
    joined["data.photos"] = [photo_source(word) for word in told["photos"]]
    for word, key in MODELS.items():
        if told.get(word):
            joined[key] = _made_before(of_scale(told[word], int(scale)), table, runs)
    recipe, _ = make_recipe([(TABLE.name, joined), ("command line", changed)])
    return Plan(name, recipe, told, changed)


def _of_kind(kind: str | None, scale: str, table: Mapping[str, Any]) -> dict[str, object]:
    if kind is None:
        return {}
    if kind not in table["kind"]:
        raise InputError(f"{TABLE.name} has no [kind.{kind}]. {nearest(kind, table['kind'])}")
    return table["kind"][kind] | table["kind"].get(f"{kind}-x{scale}", {})


def _made_before(name: str, table: Mapping[str, Any], runs: Path) -> str:
    family = table["family"].get(name.rpartition("-x")[0], {})
    if not family.get("draft"):
        return model_source(name)
    if not (runs / name / MODEL_FILE).is_file():
        raise InputError(f"{runs / name} is not there or not finished: make {name} first.")
    return str(runs / name)


def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
