"""How each loss is shown: at its defaults where they can be had, else at what stands in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from acutance.errors import InputError
from acutance.losses import LOSSES
from acutance.losses.contract import Contract
from acutance.losses.proof.observed import observed
from acutance.losses.proof.subject import Function, subject

# What a generator with more outputs gives; without it there is nothing to look at.
UNSEEN = frozenset({"log_prob", "logits", "mixture", "student_features", "teacher_features"})


@dataclass(frozen=True)
class Shown:
    """A loss as a function of two pictures; `expression` says with which constants."""

    name: str
    expression: str
    contract: Contract
    loss: Function


def show(name: str) -> Shown:
    """The loss `name`, with trained weights if any that it can use are at hand.

    Raises InputError for an unknown name.
    """
    found = LOSSES.load(name)
    contract: Contract | None = getattr(LOSSES.module(name), "CONTRACT", None)
    if contract is None:
        contract = replace(observed(found), source="none given; the claims are as observed")
    for options in _candidates(contract):
        try:
            loss = subject(found, replace(contract, proof=options))
        except InputError:  # weights that are not here
            continue
        return Shown(name, _written(name, options), replace(contract, proof=options), loss)
    raise InputError(f"The loss '{name}' cannot be made with any constants known here.")


def _candidates(contract: Contract) -> list[Mapping[str, Any]]:
    if "weights" not in contract.proof:
        return [contract.proof]
    rest = {k: v for k, v in contract.proof.items() if k not in {"net", "weights"}}
    trained = [rest, *({**rest, "net": net} for net in ("squeezenet", "alexnet"))]
    return [*trained, contract.proof]


def _written(name: str, options: Mapping[str, Any]) -> str:
    words = ", ".join(
        f"{key}={value if key == 'loss' else repr(value)}" for key, value in options.items()
    )
    return f"{name}({words})" if words else name
