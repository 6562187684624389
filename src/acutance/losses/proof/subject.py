"""From a loss as it is written to a function of two pictures that the checks can call."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from acutance.losses.contract import Contract, Loss
from acutance.losses.proof.extras import DIFFERENTIABLE, EXTRAS

Function = Callable[[Tensor, Tensor], Tensor]


def subject(found: Callable[..., Any], contract: Contract) -> Function:
    """`found` with the constants of its `proof`, and what it needs made from the pair."""
    is_module = isinstance(found, type) and issubclass(found, nn.Module)
    given = {
        name: _loss_in(value) if _takes_loss(found, name) else value
        for name, value in contract.proof.items()
    }
    loss: Callable[..., Tensor] = found(**given) if is_module else partial(found, **given)
    if not contract.needs:
        return loss

    def supplied(sr: Tensor, hr: Tensor) -> Tensor:
        made = {
            name: EXTRAS[name](sr if name in DIFFERENTIABLE else sr.detach(), hr.detach())
            for name in contract.needs
        }
        return loss(sr, hr, **made)

    return supplied


def _takes_loss(found: Callable[..., Any], option: str) -> bool:
    parameter = inspect.signature(found).parameters.get(option)
    return parameter is not None and parameter.annotation is Loss


def _loss_in(text: str) -> Function:
    from acutance.losses.expression import parse_loss
    from acutance.losses.objective import Objective

    return Objective(parse_loss(text))
