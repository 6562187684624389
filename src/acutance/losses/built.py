"""From a term of an expression to something that can be called with tensors."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses import LOSSES
from acutance.losses.contract import Contract
from acutance.losses.terms import Expression, Term

HINTS = {
    "log_scale": " Train with --head spread: the network then predicts it.",
    "small": " Train with network.shrink='tiny': F then learns, and this is the lr that it makes.",
    "sr_ema": " It is the result of the running average of the weights: set optim.ema above 0, "
    "with an optimiser that leaves the average to it.",
    "teacher": " Train with --teacher MODEL: it is what that model makes of the same picture.",
    "student_features": " Inner maps of networks are to be given from Python.",
    "teacher_features": " Inner maps of networks are to be given from Python.",
}  # how an extra that is missing can be had
LR_SIZED = ("lr", "small")  # outputs of the size of lr: sr made small again, and a learned F's lr


@dataclass(frozen=True)
class BuiltTerm:
    """A term and its loss with every option set; `needs` are the extras it asks for."""

    term: Term
    loss: Callable[..., Tensor]
    needs: tuple[str, ...]
    contract: Contract
    constants: Mapping[str, Any]

    @property
    def networks(self) -> list[nn.Module]:
        """What moves to the device and is saved with the objective."""
        return [v for v in (self.loss, *self.constants.values()) if isinstance(v, nn.Module)]

    def value(self, sr: Tensor, hr: Tensor, extras: Mapping[str, Any]) -> Tensor:
        """The loss per picture, (n,)."""
        for name in self.needs:
            if name not in extras:
                raise InputError(f"The term '{self.term}' needs '{name}', which was not given.")
        value = self.loss(sr, hr, **{name: extras[name] for name in self.needs})
        if not isinstance(value, Tensor):
            raise InputError(
                f"The loss '{self.term.name}' returned {type(value).__name__}, as '{self.term}'; "
                "a loss gives one value per picture."
            )
        if value.shape != (sr.shape[0],):
            raise InputError(
                f"The loss '{self.term.name}' returned shape {tuple(value.shape)} for "
                f"{sr.shape[0]} pictures; a loss gives one value per picture."
            )
        return value


def build_term(
    term: Term, supplies: tuple[str, ...], build: Callable[[Expression], Any]
) -> BuiltTerm:
    """Import the loss of `term` and bind its options.

    `build` makes losses inside losses, which get no extras: they are called with two pictures.
    """
    _check_output(term, supplies)
    found: Any = LOSSES.load(term.name)
    contract = getattr(LOSSES.module(term.name), "CONTRACT", Contract(source="none given"))
    given = {
        name: build(value) if isinstance(value, Expression) else value
        for name, value in term.options
    }
    constants = {**_defaults(found), **given}
    is_module = isinstance(found, type) and issubclass(found, nn.Module)
    _check_options(term, found, given)
    loss = found(**given) if is_module else partial(found, **given)
    needs = _asked(found.forward if is_module else found, set() if is_module else set(given))
    missing = [name for name in needs if name not in supplies]
    if missing:
        supplied = ", ".join(supplies) or "nothing beside sr and hr"
        raise InputError(
            f"The term '{term}' needs '{missing[0]}', and nobody supplies it here. "
            f"Supplied: {supplied}.{HINTS.get(missing[0], '')}"
        )
    if needs and term.schedule.shift:
        raise InputError(
            f"The term '{term}' needs '{needs[0]}', which would not be shifted with sr and hr. "
            "Leave shift out."
        )
    return BuiltTerm(term, loss, needs, contract, constants)


def output_name(on: str | int) -> str:
    """The output that a term is on; level k of a progressive generator is the output "xk"."""
    return f"x{on}" if isinstance(on, int) else on


def level_of(on: str | int, scale: int) -> int:
    """How many times as large as the lr the pictures are that a term is shown, of a network."""
    name = output_name(on)
    if name.startswith("x") and name[1:].isdigit():
        return int(name[1:])
    return 1 if name in LR_SIZED else scale


def _hint(output: str) -> str:
    if output in HINTS:
        return HINTS[output]
    if level_of(output, 0) > 1:
        return (
            " A network that grows has levels of 2, 4 ... below its own scale; at that, leave out "
            "on= or the term."
        )
    return ""


def _check_output(term: Term, supplies: tuple[str, ...]) -> None:
    on = output_name(term.schedule.on)
    if on != "sr" and on not in supplies:
        known = ", ".join(("sr", *supplies))
        raise InputError(
            f"The term '{term}' is on '{on}', and what there is to look at here is {known}."
            f"{_hint(on)}"
        )


def _keyword_only(callable_: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = inspect.signature(callable_).parameters.values()
    return [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def _asked(function: Callable[..., Any], given: set[str]) -> tuple[str, ...]:
    return tuple(
        p.name
        for p in _keyword_only(function)
        if p.default is inspect.Parameter.empty and p.name not in given
    )


def _defaults(found: Callable[..., Any]) -> dict[str, Any]:
    return {
        p.name: p.default for p in _keyword_only(found) if p.default is not inspect.Parameter.empty
    }


def _check_options(term: Term, found: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """The reader has done so where the source could be read; a plugin may have none."""
    known = [p.name for p in _keyword_only(found)]
    for name in given:
        if name not in known:
            hint = nearest(name, known) if known else "It has none."
            raise InputError(f"'{term.name}' has no option '{name}'. {hint}")
