"""What happened to a run, in a line for people."""

from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 300

_LINES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "start": lambda e: f"continued at {_where(e)}" if e.get("step") else "begun",
    "fault": lambda e: f"{_where(e)}: {fault_text(e)}",
    "rollback": lambda e: f"back to {_where(e)} at {_short(e.get('rate_factor'))} of the rate",
    "alarm": lambda e: (
        f"{_where(e)}: alarm of {e.get('term')}, {e.get('cause')} {_short(e.get('value'))}, "
        f"limit {_short(e.get('limit'))}"
    ),
    "slow": lambda e: f"{_where(e)}: steps take {_short(e.get('ratio'))} times as long as before",
    "return": lambda e: f"back to {_where(e)}, where {e.get('metric')} was best",
    "interrupted": lambda e: f"{_where(e)}: stopped by Ctrl-C",
    "end": lambda e: f"{_where(e)}: {e.get('reason')}",
}


def told(event: Mapping[str, Any]) -> str:
    """The line of an event; "" for those that curves show."""
    line = _LINES.get(event["event"])
    return line(event)[:LONGEST] if line is not None else ""


def fault_text(event: Mapping[str, Any]) -> str:
    """What a fault was."""
    return f"{event.get('what')} was not finite"[:LONGEST]


def _where(event: Mapping[str, Any]) -> str:
    step = event.get("step")
    return f"step {step:,}" if isinstance(step, int) else "a step"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else "?"
