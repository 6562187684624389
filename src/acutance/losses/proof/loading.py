"""Find the loss to check: FILE.py:NAME of somebody's own, or a name of `acutance losses`."""

import ast
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses import LOSSES
from acutance.losses.contract import Contract
from acutance.losses.proof.observed import asked
from acutance.losses.schedule import RESERVED


@dataclass(frozen=True)
class Candidate:
    """A loss to check; `contract` is None where none stands beside it.

    Where options were given, they are among the constants of its `proof`.
    """

    name: str
    found: Callable[..., Any]
    contract: Contract | None
    options: Mapping[str, Any]


def candidate(target: str) -> Candidate:
    """The loss that `target` names, "my_losses.py:softened(width=3)" or "charbonnier".

    Runs the file, as python would. Raises InputError for what cannot be found or called.
    """
    target, options = _taken_apart(target)
    place, colon, name = target.rpartition(":")
    if colon and place.endswith(".py"):
        module = _module(Path(place))
        found = _named(module, place, name)
    elif target.endswith(".py"):
        known = _callables(_module(Path(target)))
        raise InputError(f"Say which loss: {target}:NAME. The file has {', '.join(known)}.")
    elif colon:
        raise InputError(f"'{target}' is no loss. Of a file write {place}.py:{name}.")
    else:
        module, found, name = LOSSES.module(target), LOSSES.load(target), target
    contract = getattr(module, "CONTRACT", None)
    if contract is not None and not isinstance(contract, Contract):
        raise InputError(
            f"CONTRACT beside {name} is a {type(contract).__name__}, not a Contract of "
            "acutance.losses.contract."
        )
    _check_signature(name, found, contract)
    _check_options(name, found, options)
    if contract is not None and options:
        contract = replace(
            contract,
            min_size=contract.smallest(options),
            proof={**contract.proof, **options},
        )
    return Candidate(name, found, contract, options)


def _taken_apart(target: str) -> tuple[str, dict[str, Any]]:
    """The target and the options in its parentheses, if there are any."""
    head, opened, inside = target.partition("(")
    if not opened:
        return target, {}
    try:
        call = ast.parse(f"f({inside}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        return head, {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise InputError(
            f"'{target}': options are written as in {head}(name=1.0), with plain values."
        ) from error


def _check_options(name: str, found: Callable[..., Any], options: Mapping[str, Any]) -> None:
    known = [
        p.name
        for p in inspect.signature(found).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
    ]
    for option in options:
        if option not in known:
            hint = nearest(option, known) if known else "It has none."
            raise InputError(f"{name} has no option '{option}'. {hint}")


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    name = f"checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be read as python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations look themselves up there
    sys.path.insert(0, str(path.parent.resolve()))  # files beside it, as `python FILE.py` has them
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{path} cannot be run: {type(error).__name__}: {error}.") from error
    return module


def _named(module: ModuleType, place: str, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if found is None:
        known = _callables(module)
        hint = nearest(name, known) if known else "It defines no function."
        raise InputError(f"{place} has no '{name}'. {hint}")
    if isinstance(found, nn.Module):
        raise InputError(f"{name} is a module already made; name its class, or a function.")
    if not callable(found):
        raise InputError(f"{name} of {place} is a {type(found).__name__}, not a function.")
    return found


def _callables(module: ModuleType) -> list[str]:
    """What the file itself defines and could be meant."""
    return [
        name
        for name, thing in vars(module).items()
        if callable(thing)
        and getattr(thing, "__module__", "") == module.__name__
        and not name.startswith("_")
    ]


def _check_signature(name: str, found: Callable[..., Any], contract: Contract | None) -> None:
    if isinstance(found, type) and not issubclass(found, nn.Module):
        raise InputError(f"{name} is a class; a loss is a function or a class of nn.Module.")
    needs, _ = asked(found)
    options = set(inspect.signature(found).parameters)
    if options & set(RESERVED):
        taken = ", ".join(sorted(options & set(RESERVED)))
        raise InputError(f"The option {taken} of {name} belongs to every term. Rename it.")
    if contract is not None and set(needs) != set(contract.needs):
        raise InputError(
            f"{name} asks for {', '.join(needs) or 'nothing'} beside sr and hr, and its CONTRACT "
            f"says needs={contract.needs!r}. Write needs={needs!r}."
        )
