"""The stages of docs/degradations.md, as each says of itself."""

from collections.abc import Callable

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.contract import Option
from acutance.data.degradations.expression import stage_of
from guide_tables import table


def stage_sections() -> str:
    """A section for each stage, with its options."""
    return "\n".join(_section(name) for name in DEGRADATIONS.names())


def _section(name: str) -> str:
    stage = stage_of(name)
    source = f" Source: {stage.source}." if stage.source else ""
    rows = [
        (f"`{key}`", _constant(option.default), _range(option), option.text)
        for key, option in stage.options.items()
    ]
    options = table(("option", "default", "values", "meaning"), rows) if rows else "No options.\n"
    return f"### {name}\n\n{stage.text}.{source}\n\n{options}"


def _constant(value: float | int | str) -> str:
    return f"`'{value}'`" if isinstance(value, str) else f"`{value:.6g}`"


def _range(option: Option) -> str:
    if option.choices:
        return ", ".join(map(_constant, option.choices))
    kind = ", whole" if option.whole else ""
    return f"{option.low:g} to {option.high:g}{kind}"


DEGRADATION_TABLES: dict[str, Callable[[], str]] = {"degradations": stage_sections}
