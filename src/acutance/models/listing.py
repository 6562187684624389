"""The presets of all networks and the bundled models: at once, and without torch."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

from acutance.models import MODELS
from acutance.models.bundled import families, in_float
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
    """One model that the package brings, as its files say."""

    family: str  # "nano"
    file: Path
    card: ModelCard
    parameters: int

    def scores(self) -> dict[str, dict[str, float]]:
        """The means by set and metric, of the protocol that the card names."""
        sets = (self.card.scores or {}).get("sets", {})
        return sets if isinstance(sets, dict) else {}

    @property
    def size(self) -> int:
        """Bytes of the file and of its ONNX twin."""
        files = {self.file, self.file.with_suffix(".onnx")}
        return sum(file.stat().st_size for file in files if file.is_file())

    def facts(self) -> dict[str, Any]:
        """What a choice needs, in plain values."""
        card = self.card
        return {
            "name": card.name or self.file.stem,
            "family": self.family,
            "network": card.architecture,
            "scale": card.scale,
            "parameters": self.parameters,
            "size": self.size,
            "reach": card.reach,
            "color": card.color,
            "loss": card.loss,
            "steps": card.steps,
            "seeds": list(card.seeds),
            "data": card.data,
            "data_terms": card.data_terms,
            "degradation": card.degradation,
            "scores": card.scores,
            "int8": card.int8,
            "bad_at": card.bad_at,
            "licence": card.licence,
        }


def listed_models() -> Iterator[BundledModel]:
    """The bundled models by family and scale."""
    from safetensors import safe_open

    for family, files in families().items():
        for path in files.values():
            weights = path.with_name(f"{in_float(path.stem)}.safetensors")
            with safe_open(weights, framework="numpy") as file:
                shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
            count = sum(prod(shape) for shape in shapes)
            yield BundledModel(family, path, read_card(path), count)


def bundled_models() -> list[dict[str, Any]]:
    """The models that the package brings, a dictionary for each name that `model=` takes.

    name: "nano". scales: [2, 3]. size: bytes of all its files. scores: by scale, {2: {"protocol":
    "y@1", "sets": {"Set5": {"psnr": ..., "ssim": ...}}}}, None where it was not scored. licence: of
    the weights. data_terms: what the owners of the training pictures ask. models: a dictionary for
    each scale with what its card says. Without torch.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for model in listed_models():
        found.setdefault(model.family, []).append(model.facts())
    return [
        {
            "name": name,
            "scales": [facts["scale"] for facts in models],
            "size": sum(facts["size"] for facts in models),
            "scores": {facts["scale"]: facts["scores"] for facts in models},
            "licence": _joined(models, "licence"),
            "data_terms": _joined(models, "data_terms"),
            "models": models,
        }
        for name, models in found.items()
    ]


def _joined(models: list[dict[str, Any]], key: str) -> str:
    return "; ".join(dict.fromkeys(facts[key] for facts in models if facts[key]))


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
