"""A loss expression as data: terms, weights, shares and schedules. No torch is imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses.schedule import Schedule

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Term:
    """One loss with its constants, how much it counts, and when.

    Its weight is `weight` times the product of the `free` names. With `share`, in per cent, the
    weight follows from the gradients instead; terms of one `group` then have that share together
    and `weight` says how they stand to each other. A value in `options` is a literal, or an
    Expression for a loss of losses.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    weight: float = 1.0
    share: float | None = None
    free: tuple[str, ...] = ()
    schedule: Schedule = field(default_factory=Schedule)
    group: int | None = None

    def __str__(self) -> str:
        share = f"{_number(self.share)}% " if self.share is not None and self.group is None else ""
        return share + self.weighed()

    def weighed(self) -> str:
        """The term as text without its share: `0.5*w*fft(norm='ortho')`."""
        number = [_number(self.weight)] if self.weight != 1 else []
        return "*".join([*number, *self.free, self.called()])

    def called(self) -> str:
        """The loss alone with its options: `fft(norm='ortho', start=2000)`."""
        given = [*self.options, *self.schedule.written()]
        words = ", ".join(f"{name}={_literal(value)}" for name, value in given)
        return f"{self.name}({words})" if words else self.name

    def weight_at(self, step: int, steps: int) -> float:
        """Weight at `step` of `steps`: for a share, the factor on what the share gives."""
        if self.free:
            raise InputError(
                f"The weight of '{self}' is not known: {_names(self.free)} is free. "
                "Give a number by expression.bind({...}), or let tune find one."
            )
        return self.weight * self.schedule.weight_at(step, steps)

    def key(self) -> tuple[object, ...]:
        """Terms with equal keys are the same loss at the same time and can be added up."""
        return (self.called(), self.free, self.group, self.share is None)


@dataclass(frozen=True)
class Expression:
    """A weighted sum of losses; `str` gives the canonical text, which reads back to the same."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        parts: list[str] = []
        for number, term in enumerate(self.terms):
            if term.group is None:
                parts.append(str(term))
            elif term.group not in {t.group for t in self.terms[:number]}:
                members = [t.weighed() for t in self.terms if t.group == term.group]
                parts.append(f"{_number(term.share)}% ({' + '.join(members)})")
        return " + ".join(parts)

    def __call__(self, sr: Any, hr: Any, *, extras: Mapping[str, Any] = NOTHING) -> Any:
        """The weighted sum per picture, (n,); terms with a schedule count in full.

        `extras` are what single losses ask for by name, such as the low-resolution picture `lr`.
        """
        self.check_has_value()
        return _objective(self, tuple(sorted(extras)))(sr, hr, extras=extras)

    @property
    def free(self) -> tuple[str, ...]:
        """Names that stand for weights not yet known, in the order of the text."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.free))

    @property
    def has_shares(self) -> bool:
        """Whether the weights follow from shares of the gradient."""
        return any(term.share is not None for term in self.terms)

    def names(self) -> tuple[str, ...]:
        """A label for each term, for logs and plots: as short as keeps them apart."""
        short = [term.name for term in self.terms]
        long = [term.called() for term in self.terms]
        chosen = [b if short.count(a) > 1 else a for a, b in zip(short, long, strict=True)]
        return tuple(
            f"{label} #{chosen[: place + 1].count(label)}" if chosen.count(label) > 1 else label
            for place, label in enumerate(chosen)
        )

    def weight_at(self, step: int, steps: int) -> tuple[float, ...]:
        """The weight of each term at `step` (0-based) of `steps`; see Term.weight_at."""
        return tuple(term.weight_at(step, steps) for term in self.terms)

    def bind(self, weights: Mapping[str, float]) -> "Expression":
        """The same expression with numbers in place of free names."""
        for name, weight in weights.items():
            if name not in self.free:
                known = nearest(name, self.free) if self.free else "It has no free name."
                raise InputError(f"'{name}' is not a free name of '{self}'. {known}")
            if not 0 <= weight < float("inf"):
                raise InputError(f"'{name}' = {weight} in '{self}': a weight is 0 or more.")
        return Expression(tuple(_bound(term, weights) for term in self.terms))

    def check_has_value(self) -> None:
        """Raise InputError if the weights depend on a run or on names without a number."""
        if self.free:
            raise InputError(
                f"'{self}' has no value yet: {_names(self.free)} stands for a weight. Give the "
                "number by expression.bind({...}) before calling it."
            )
        if self.has_shares:
            raise InputError(
                f"'{self}' has no value outside a run: its weights follow from the gradients of "
                "a run. Write weights, as in '0.8*l1 + 0.2*mse', or use it for training."
            )


@lru_cache(maxsize=32)
def _objective(expression: Expression, supplies: tuple[str, ...]) -> Any:
    from acutance.losses.objective import Objective  # here, so that reading needs no torch

    return Objective(expression, supplies=supplies)


def _bound(term: Term, weights: Mapping[str, float]) -> Term:
    weight = term.weight
    for name in term.free:
        weight *= weights.get(name, 1.0)
    return replace(term, weight=weight, free=tuple(n for n in term.free if n not in weights))


def _number(value: float | None) -> str:
    """The shortest text that reads back to the same number; without the .0 of whole ones."""
    return repr(value).removesuffix(".0")


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, Expression) else repr(value)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
