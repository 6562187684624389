"""Another loss in a recipe's place: the teacher stays where a term looks at it."""

import re
from dataclasses import replace

from acutance.losses import LOSSES
from acutance.losses.declarations import declared
from acutance.training.recipe import LossChoice


def looks_at_teacher(expression: str) -> bool:
    """Whether a loss in it, be it within another, asks for a teacher's results."""
    contracts = (declared(name).contract for name in _losses_in(expression))
    return any("teacher" in contract.needs for contract in contracts if contract is not None)


def with_expression(choice: LossChoice, expression: str) -> LossChoice:
    """`choice` with another expression; without its teacher where no term of that looks at one."""
    if looks_at_teacher(expression):
        return replace(choice, expression=expression)
    return replace(choice, expression=expression, teacher="", teach="each")


def _losses_in(expression: str) -> set[str]:
    return set(re.findall(r"[\w-]+", expression)) & set(LOSSES.names())
