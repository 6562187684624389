"""Options of a term: literals by name, checked against what the loss declares. No torch."""

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from acutance.catalog import nearest
from acutance.losses.declarations import Option, declared
from acutance.losses.schedule import RESERVED, SHAPES, Schedule

Given = Sequence[tuple[str, ast.expr]]
KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text in quotes"}


class OptionError(Exception):
    """An option is wrong; `node` is where it stands. The reader adds the caret."""

    def __init__(self, node: ast.expr | None, message: str) -> None:
        super().__init__(message)
        self.node = node


def read_loss_options(
    loss: str, given: Given, read_loss: Callable[[ast.expr], Any]
) -> tuple[tuple[str, Any], ...]:
    """The options of `loss` as sorted (name, value); `read_loss` reads a term in their place."""
    declaration = declared(loss)
    _check_once(given)
    known = None if declaration.options is None else {o.name: o for o in declaration.options}
    values: list[tuple[str, Any]] = []
    for name, node in given:
        if known is None:  # no source to read: the objective checks when it imports the loss
            values.append((name, _literal(node, f"{loss}'s option '{name}'")))
        elif name not in known:
            raise OptionError(node, _unknown(loss, name, known))
        elif known[name].takes_loss:
            values.append((name, read_loss(node)))
        else:
            values.append((name, _checked(loss, known[name], node)))
    missing = [n for n, o in (known or {}).items() if o.takes_loss and n not in dict(values)]
    if missing:
        raise OptionError(None, f"'{loss}' needs a loss to work on, as in {loss}(l1).")
    return tuple(sorted(values, key=lambda pair: pair[0]))


def _check_once(given: Given) -> None:
    seen: set[str] = set()
    for name, node in given:
        if name in seen:
            raise OptionError(node, f"The option '{name}' is given twice.")
        seen.add(name)


def _unknown(loss: str, name: str, known: dict[str, Option]) -> str:
    if not known:
        return f"'{loss}' has no option '{name}': it has none beside {', '.join(RESERVED)}."
    hint = nearest(name, [*known, *RESERVED])
    shown = ", ".join(f"{o.name}={o.default}" if o.default else o.name for o in known.values())
    return f"'{loss}' has no option '{name}'. {hint} Its options: {shown}."


def _checked(loss: str, option: Option, node: ast.expr) -> Any:
    what = f"{loss}'s option '{option.name}'"
    default = f" (default {option.default})" if option.default else ""
    if isinstance(node, ast.Name | ast.Call | ast.BinOp):
        quoted = f" Put a text in quotes: '{node.id}'." if isinstance(node, ast.Name) else ""
        raise OptionError(node, f"{what}{default} takes {_wanted(option)}.{quoted}")
    value = _literal(node, what)
    if option.choices and value not in option.choices:
        shown = ", ".join(repr(choice) for choice in option.choices)
        raise OptionError(node, f"{what}{default} is one of {shown}, not {value!r}.")
    if not _fits(value, option.kind):
        raise OptionError(node, f"{what}{default} takes {_wanted(option)}, not {value!r}.")
    return value


def _wanted(option: Option) -> str:
    return KINDS.get(option.kind or object, "a literal value")


def _fits(value: Any, kind: type | None) -> bool:
    if kind not in KINDS:
        return True
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind


def _literal(node: ast.expr, what: str) -> Any:
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(part, what) for part in node.elts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand, what)
        if type(value) in {int, float}:
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise OptionError(node, f"{what}: this number is too large.")
        return node.value
    raise OptionError(node, f"{what} takes a number, a text in quotes, True, False or None.")


def read_schedule(given: Given) -> Schedule:
    """When the term counts, from the reserved options among those given."""
    _check_once(given)
    values = {name: (_literal(node, f"'{name}'"), node) for name, node in given}
    for name, (value, node) in values.items():
        problem = CHECKS[name](value)
        if problem:
            raise OptionError(node, f"'{name}' {problem}, not {value!r}.")
    schedule = Schedule(**{name: value for name, (value, _) in values.items()})
    _check_order(schedule, values)
    return schedule


def _check_order(schedule: Schedule, values: dict[str, tuple[Any, ast.expr]]) -> None:
    start, stop = schedule.start, schedule.stop
    comparable = start == 0 or type(start) is type(stop)  # a step and a share are not, as yet
    if stop is not None and comparable and stop <= start:
        raise OptionError(
            values["stop"][1],
            f"The term would never count: it stops at {stop} and starts at {start}.",
        )


def _moment(value: Any) -> str:
    if type(value) is int and value >= 0:
        return ""
    if type(value) is float and 0 <= value < 1:
        return ""
    return "is a step (a whole number, 0 or more) or a share of the run (a number below 1)"


def _shape(value: Any) -> str:
    return "" if value in SHAPES else "is 'linear' or 'cosine'"


def _every(value: Any) -> str:
    return "" if type(value) is int and value >= 1 else "is a whole number of steps, 1 or more"


def _shift(value: Any) -> str:
    return "" if type(value) is int and value >= 0 else "is a whole number of pixels, 0 or more"


def _output(value: Any) -> str:
    fits = (type(value) is int and value >= 0) or (isinstance(value, str) and value.isidentifier())
    return "" if fits else "is 'sr', 'lr' or the number of a level"


CHECKS: dict[str, Callable[[Any], str]] = {
    "start": _moment,
    "stop": _moment,
    "ramp": _moment,
    "shape": _shape,
    "every": _every,
    "on": _output,
    "shift": _shift,
}
