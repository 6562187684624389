"""ACUTANCE_BUDGET=short makes every timed training a few seconds long, to try a command out."""

import os

from acutance.errors import InputError

SHORT_MINUTES = 0.15


def budgeted(minutes: float) -> float:
    """The minutes to train for, as asked or cut short by the environment."""
    budget = os.environ.get("ACUTANCE_BUDGET", "")
    if budget not in {"", "short"}:
        raise InputError(f"ACUTANCE_BUDGET is '{budget}'. Say 'short', or leave it out.")
    return min(minutes, SHORT_MINUTES) if budget else minutes
