"""What a loss says of itself, read from its source text: at once, and without torch."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from acutance.losses import LOSSES
from acutance.losses.contract import Contract


@dataclass(frozen=True)
class Option:
    """A constant of a loss that an expression may set."""

    name: str
    default: str  # as written in the source; empty where one must be given
    kind: type | None  # of the default; None where it cannot be told
    choices: tuple[Any, ...] = ()  # where its annotation is a Literal
    takes_loss: bool = False  # annotated `Loss`: a term stands here


@dataclass(frozen=True)
class Declaration:
    """A loss in words; `options` is None and `reason` says why where its source is not readable."""

    name: str
    line: str = ""
    options: tuple[Option, ...] | None = None
    contract: Contract | None = None
    extras: tuple[str, ...] = ()  # parameters without a default: what the caller has to supply
    reason: str = ""


@lru_cache(maxsize=256)
def declared(name: str) -> Declaration:
    """Read the declaration of the loss `name`; raises InputError for an unknown name."""
    module, _, attribute = LOSSES.place(name).partition(":")
    try:
        source = _source(module)
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        return Declaration(name, reason=f"{module} cannot be read: {error}")
    if source is None:
        return Declaration(name, reason=f"{module} has no source text")
    tree = ast.parse(source)
    found = {getattr(node, "name", ""): node for node in tree.body}.get(attribute)
    line = (ast.get_docstring(tree) or "").split("\n")[0]
    contract = _contract(tree)
    signature = _signature(found)
    if signature is None:
        reason = f"{module} does not define {attribute} by def or class"
        return Declaration(name, line=line, contract=contract, reason=reason)
    options, extras = signature
    return Declaration(name, line=line, options=options, contract=contract, extras=extras)


def _source(module: str) -> str | None:
    spec = find_spec(module)
    if spec is None:
        raise ImportError(f"no module named '{module}'")
    get_source = getattr(spec.loader, "get_source", None)
    return get_source(module) if get_source else None


def _signature(node: ast.AST | None) -> tuple[tuple[Option, ...], tuple[str, ...]] | None:
    """The constants, and what is asked for beside the two pictures."""
    if isinstance(node, ast.FunctionDef):
        options = _parameters(node)
        asked = [o.name for o in options if not o.default and not o.takes_loss]
        return options, tuple(asked)
    if not isinstance(node, ast.ClassDef):
        return None
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    if "forward" not in methods:
        return None
    options = _parameters(methods["__init__"]) if "__init__" in methods else ()
    return options, tuple(o.name for o in _parameters(methods["forward"]) if not o.default)


def _parameters(function: ast.FunctionDef) -> tuple[Option, ...]:
    arguments = function.args
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return tuple(_option(argument, default) for argument, default in pairs)


def _option(argument: ast.arg, default: ast.expr | None) -> Option:
    annotation = ast.unparse(argument.annotation) if argument.annotation else ""
    choices: tuple[Any, ...] = ()
    if annotation.startswith("Literal["):
        choices = tuple(ast.literal_eval(f"({annotation[8:-1]},)"))
    kind = None
    if default is not None:
        value = _value(default)
        kind = None if value is None else type(value)
    text = "" if default is None else ast.unparse(default)
    return Option(argument.arg, text, kind, choices, takes_loss=annotation == "Loss")


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _contract(tree: ast.Module) -> Contract | None:
    """The literal fields of CONTRACT; what is computed stays at its default."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        if any(isinstance(target, ast.Name) and target.id == "CONTRACT" for target in node.targets):
            return Contract(**_literals(node.value))
    return None


def _literals(call: ast.Call) -> Mapping[str, Any]:
    given = {}
    for word in call.keywords:
        try:
            given[word.arg] = ast.literal_eval(word.value)
        except (ValueError, TypeError):
            continue
    return {name: value for name, value in given.items() if name}
