"""The whole of an option file as one expression."""

from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.losses.community.entries import Entry, read_entries
from acutance.losses.community.translate import Translation, artifacts, translate
from acutance.losses.expression import parse_loss


@dataclass(frozen=True)
class Remark:
    """Something to know about one place of the file."""

    place: str
    text: str


@dataclass(frozen=True)
class Imported:
    """An expression in canonical form, whose file it was, and what to know."""

    expression: str
    trainer: str
    remarks: tuple[Remark, ...]


def import_config(path: Path) -> Imported:
    """Read the losses of an option file of BasicSR, neosr or traiNNer-redux.

    Losses of weight 0 are left out without a word, those without an equal here with one. Raises
    InputError where the file cannot be read or nothing of it is left.
    """
    entries = [entry for entry in read_entries(path) if entry.number("loss_weight", 1.0) != 0]
    terms: list[str] = []
    remarks: list[Remark] = []
    for entry in entries:
        made = _translated(entry)
        terms += [f"{weight!r}*{text}" for weight, text in made.terms if weight]
        remarks += [Remark(entry.place, note) for note in made.notes]
    if not terms:
        reasons = "; ".join(f"{r.place}: {r.text}" for r in remarks) or "all weights are 0"
        raise InputError(f"Nothing in {path} can be written as an expression: {reasons}.")
    return Imported(str(parse_loss(" + ".join(terms))), entries[0].trainer, tuple(remarks))


def _translated(entry: Entry) -> Translation:
    return artifacts(entry) if entry.place == "train.artifacts_opt" else translate(entry)
