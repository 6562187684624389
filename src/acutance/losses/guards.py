"""Sums of losses that would teach the opposite of what they say are refused. No torch here."""

import ast
import math
import warnings
from collections.abc import Callable
from typing import Any

from acutance.errors import InputError
from acutance.losses.declarations import declared
from acutance.losses.schedule import Schedule
from acutance.losses.terms import Expression, Term

MARGIN = "cross_domain_margin"

# How hard a loss pulls at an error e, by its constants; other losses cannot be told in advance.
SLOPES: dict[str, Callable[[float, Callable[[str], float]], float]] = {
    "charbonnier": lambda e, of: e / math.hypot(e, of("eps")),
    "huber": lambda e, of: min(e, of("delta")),
    "l1": lambda _e, _of: 1.0,
    "log_cosh": lambda e, of: math.tanh(e / of("scale")),
    "lp": lambda e, of: of("p") * e * (e**2 + of("eps") ** 2) ** (of("p") / 2 - 1),
    "pseudo_huber": lambda e, of: e / math.hypot(1, e / of("delta")),
    "smooth_l1": lambda e, of: min(1.0, e / of("beta")),
}
# Those that pull the less the smaller the error, whatever their constants.
SQUARED = {"mse", "psnr_loss", "rmse"}


def check_margin(expression: Expression, *, balanced: bool = False) -> None:
    """Raise InputError where cross_domain_margin would drive results away from their target.

    It falls by 1 as |e| grows to s, so terms that pull as l1 does throughout the margin (at s / 10
    at least half as hard as at s / 2) have to weigh more than it, at every step. Beside squared
    errors alone it warns. `balanced` says that a rule other than shares sets the weights.
    """
    for term in expression.terms:
        for _, value in term.options:
            if isinstance(value, Expression):
                check_margin(value)
    margins = [t for t in expression.terms if t.name == MARGIN and t.weight > 0]
    if margins and balanced:
        raise InputError(
            f"'{margins[0]}' rewards errors unless l1 weighs more, and a balance would change the "
            "weights. Leave the balance out, or use epsilon_insensitive."
        )
    for margin in margins:
        _check_beside(margin, expression)


def _check_beside(margin: Term, expression: Expression) -> None:
    """One margin term against all that pulls for as long as it pushes."""
    s = _constant(margin, "s")
    partners = [t for t in expression.terms if t.name != MARGIN and _counts_beside(t, margin)]
    rivals = [t for t in expression.terms if t.name == MARGIN]
    push = sum(_strength(t, expression) for t in rivals)
    pull = sum(_strength(t, expression) * _pull(t, s, expression) for t in partners)
    if pull > push:
        return
    if pull == 0 and any(_is_squared(t, s) for t in partners):
        warnings.warn(
            f"'{margin}' beside squared errors alone: they pull the less the smaller an error is, "
            "and it pushes all the same, so small errors grow instead of vanishing. "
            "epsilon_insensitive is what it may have meant to be.",
            stacklevel=4,
        )
        return
    raise InputError(
        f"'{margin}' in '{expression}' would be trained to be wrong: it falls as an error grows "
        f"up to s = {s:g}. The terms beside it that pull as l1 does have {pull:.6g} together, and "
        f"it has {push:.6g}. Give l1 more weight than it, or use epsilon_insensitive(s={s:g}), "
        "which is what it may have meant to be: l1 without the errors up to s."
    )


def _counts_beside(term: Term, margin: Term) -> bool:
    """On the same output, and at work whenever the margin is; a ramp is always on its way."""
    mine, other = term.schedule, margin.schedule
    always = (mine.start, mine.stop, mine.ramp) == (0, None, 0)
    return mine.on == other.on and (always or _times(mine) == _times(other))


def _times(schedule: Schedule) -> tuple[object, ...]:
    return schedule.start, schedule.stop, schedule.ramp, schedule.shape


def _strength(term: Term, expression: Expression) -> float:
    """Its weight; of a share, what it would have if a group's terms were alike in size."""
    if term.share is None:
        return term.weight
    if term.group is None:
        return term.share
    total = sum(t.weight for t in expression.terms if t.group == term.group)
    return term.share * term.weight / (total or 1.0)


def _pull(term: Term, s: float, expression: Expression) -> float:
    """Slope within the margin at full strength; 0 for what does not pull as l1 does."""
    slope = _slope(term, s / 10)
    if slope == 0 or _is_squared(term, s):
        return 0.0
    together = {t.name for t in expression.terms if t.group == term.group}
    by_norm = term.share is not None and (term.group is None or MARGIN not in together)
    return 1.0 if by_norm else slope  # a share is one of norms, whatever the slopes


def _is_squared(term: Term, s: float) -> bool:
    return term.name in SQUARED or _slope(term, s / 10) < 0.5 * _slope(term, s / 2)


def _slope(term: Term, error: float) -> float:
    rule = SLOPES.get(term.name)
    return rule(error, lambda name: _constant(term, name)) if rule else 0.0


def _constant(term: Term, name: str) -> Any:
    """An option as given, or its default in the source of the loss."""
    given = dict(term.options)
    if name in given:
        return given[name]
    options = declared(term.name).options or ()
    return next(ast.literal_eval(o.default) for o in options if o.name == name)
