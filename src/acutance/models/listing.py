"""The presets of all networks and the bundled models: at once, and without torch."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod

from acutance.models import MODELS
from acutance.models.bundled import bundled_models
from acutance.models.card import ModelCard, read_card
from acutance.models.preset import Preset


@dataclass(frozen=True)
class Listed:
    """One line of the list: a name to train, and what is known about it."""

    name: str  # "compact:small"
    is_default: bool  # what the network's bare name means
    preset: Preset | None  # None where it cannot be read without importing the network


def listed_networks() -> Iterator[Listed]:
    """Every preset of every network of the table; networks by name, presets as written."""
    for network in MODELS.names():
        presets = written_presets(network)
        for place, (name, preset) in enumerate(presets.items()):
            yield Listed(f"{network}:{name}", place == 0, preset)
        if not presets:
            yield Listed(network, True, None)


@dataclass(frozen=True)
class BundledModel:
    """One model that the package brings, as its file says."""

    card: ModelCard
    parameters: int

    def scores(self) -> dict[str, dict[str, float]]:
        """The means by set and metric, of the protocol that the card names."""
        sets = (self.card.scores or {}).get("sets", {})
        return sets if isinstance(sets, dict) else {}


def listed_models() -> Iterator[BundledModel]:
    """The bundled models by name."""
    from safetensors import safe_open

    for path in bundled_models().values():
        with safe_open(path, framework="numpy") as file:
            shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
        yield BundledModel(read_card(path), sum(prod(shape) for shape in shapes))


def written_presets(network: str) -> dict[str, Preset]:
    """The PRESETS of one network, without importing its module.

    Empty where they are not written as literals, which a network of another package may do.
    """
    for statement in ast.parse(_source(MODELS.place(network).partition(":")[0])).body:
        if isinstance(statement, ast.AnnAssign | ast.Assign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(t, ast.Name) and t.id == "PRESETS" for t in targets):
                return _read(statement.value)
    return {}


def _source(module: str) -> str:
    spec = find_spec(module)
    get_source = getattr(spec.loader if spec else None, "get_source", None)
    return (get_source(module) if get_source else None) or ""


def _read(table: ast.expr | None) -> dict[str, Preset]:
    presets = {}
    if not isinstance(table, ast.Dict):
        return presets
    for key, value in zip(table.keys, table.values, strict=True):
        if key is None or not isinstance(value, ast.Call):
            return {}
        try:
            given = {word.arg or "": ast.literal_eval(word.value) for word in value.keywords}
            presets[ast.literal_eval(key)] = Preset(**given)
        except (ValueError, TypeError):
            return {}
    return presets
