"""The card of a model for people: a line for each thing that is known."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap

from acutance.models.card import ModelCard

_WIDTH = 96  # of the page
_INDENT = 14


def card_lines(card: ModelCard, file: Path) -> list[str]:
    """What the card in `file` says, in the order in which a user asks."""
    head = card.name or file.stem
    rows = {
        "file": str(file),
        "network": f"{card.architecture}, x{card.scale}, {_colour(card)}",
        "scores": _scores(card.scores),
        "bad at": card.bad_at,
        "licence": card.licence,
        "pictures": card.data,
        "their terms": card.data_terms,
        "lr made by": card.degradation or "MATLAB's bicubic",
        "loss": card.loss,
        "training": _training(card),
        "in 8 bits": _int8(_within(card.scores, "int8") or card.int8 or {}),
        "weights": f"SHA-256 {card.weights}" if card.weights else "",
    }
    lines = [head]
    for name, text in rows.items():
        if text:
            lines += _row(name, text)
    return lines


def _row(name: str, text: str) -> list[str]:
    """A name and its text, which goes on below itself where it is long."""
    parts = wrap(text, _WIDTH - _INDENT, break_long_words=False, break_on_hyphens=False)
    names = [f"  {name}", *[""] * (len(parts) - 1)]
    return [f"{left:<{_INDENT}} {part}" for left, part in zip(names, parts, strict=True)]


def _colour(card: ModelCard) -> str:
    reach = "sees the whole picture" if card.reach is None else f"sees {card.reach} px around"
    return f"{'luma' if card.color == 'luma' else 'RGB'}, {reach}"


def _scores(scores: Mapping[str, object] | None) -> str:
    """The means of each set, or of the validation pictures of a run, with the protocol."""
    sets = _within(scores, "sets") or {"validation": _within(scores, "validation")}
    told = [
        f"{name} " + ", ".join(f"{metric} {value}" for metric, value in means.items())
        for name, means in sets.items()
        if isinstance(means, Mapping) and means
    ]
    return "; ".join(told) + f" ({(scores or {}).get('protocol', '')})" if told else ""


def _training(card: ModelCard) -> str:
    seeds = ", ".join(map(str, card.seeds))
    parts = [f"{card.steps:,} steps" if card.steps else "", f"seed {seeds}" if seeds else ""]
    return ", ".join(part for part in parts if part)


def _int8(cost: Mapping[str, object]) -> str:
    if "loss_db" not in cost:
        return ""
    return f"{cost['loss_db']} dB lost ({cost.get('engine')}, {cost.get('pictures')} pictures)"


def _within(scores: Mapping[str, object] | None, key: str) -> Mapping[str, object]:
    found = (scores or {}).get(key)
    return found if isinstance(found, Mapping) else {}
