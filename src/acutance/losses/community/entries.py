"""Read an option file of BasicSR, neosr or traiNNer-redux: which losses stand in it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance.errors import InputError, MissingPackageError

BASICSR, NEOSR, TRAINNER = "BasicSR", "neosr", "traiNNer-redux"


@dataclass(frozen=True)
class Entry:
    """One loss as it stands in the file: where, which, and with what."""

    place: str
    kind: str  # its type in small letters without "_" and "loss": "l1", "vggperceptual"
    options: Mapping[str, Any]
    trainer: str
    model: str  # the model_type, which decides how the adversarial loss is computed

    def number(self, name: str, default: float) -> float:
        """A number; YAML reads 1e-2 as text, which the trainers know how to take."""
        given = self.options.get(name, default)
        try:
            return float(given)
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.place}.{name} is a number, not {given!r}.") from error

    def word(self, name: str, default: str) -> str:
        """A text in small letters."""
        return str(self.options.get(name, default)).lower()


def read_entries(path: Path) -> list[Entry]:
    """All losses of an option file, of weight 0 too; raises InputError if there is none."""
    whole = _read(path)
    train = whole.get("train")
    if not isinstance(train, Mapping):
        raise InputError(
            f"{path} has no section 'train'. Give an option file of {BASICSR}, {NEOSR} or "
            f"{TRAINNER}."
        )
    model = str(whole.get("model_type", ""))
    toml = path.suffix.lower() == ".toml"
    found = [
        Entry(place, _kind(options["type"]), options, _trainer(options["type"], toml, place), model)
        for place, options in _sections(train)
    ]
    if not found:
        raise InputError(
            f"{path} names no loss: 'train' has neither a list 'losses' nor a section such as "
            "'pixel_opt' with a 'type'."
        )
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}.") from error
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not TOML: {error}.") from error
    try:
        import yaml
    except ImportError as error:
        raise MissingPackageError("pyyaml", "train", "Reading a YAML file") from error
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(loaded, Mapping):
        raise InputError(f"{path} holds no options: give a file of sections with keys.")
    return loaded


def _sections(train: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The list `losses`, and every section that ends in _opt; with a type each."""
    listed = train.get("losses")
    for number, options in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(options, Mapping) and "type" in options:
            yield f"train.losses[{number}]", options
    for name, options in train.items():
        if name.endswith("_opt") and isinstance(options, Mapping) and "type" in options:
            yield f"train.{name}", options


def _kind(written: object) -> str:
    plain = str(written).lower().replace("_", "")
    return plain.removesuffix("loss") or plain


def _trainer(written: object, toml: bool, place: str) -> str:
    if toml or str(written).endswith("_loss"):
        return NEOSR
    return TRAINNER if place.startswith("train.losses") else BASICSR
