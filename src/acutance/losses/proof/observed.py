"""The claims of a loss that makes none: found out by trying, and written down as a CONTRACT."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.contract import Contract, Loss
from acutance.losses.proof.blindness import unseen
from acutance.losses.proof.extras import EXTRAS
from acutance.losses.proof.machine import peak_memory
from acutance.losses.proof.pictures import noise_pair, pair
from acutance.losses.proof.probe import Function, pairs, unrelated
from acutance.losses.proof.subject import subject

_LARGEST = 260  # the smallest side is looked for up to here
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_COUNTS = (1, 3, 4)
_IMPORT = "from acutance.losses.contract import Contract"


def observed(
    found: Callable[..., Any], options: Mapping[str, Any] = MappingProxyType({})
) -> Contract:
    """A contract of what `found`, with `options`, does on a few pictures, `memory` left open.

    Every claim is one that the loss keeps where it was tried; the checks then ask for the rest.
    Raises InputError for what cannot be called with two pictures.
    """
    needs, inner = asked(found)
    contract = Contract(source="", needs=needs, proof={**inner, **options}, memory=math.inf)
    loss = subject(found, contract)
    contract = replace(contract, **_sizes(loss))
    with torch.no_grad():
        try:
            contract = replace(contract, symmetric=_is_symmetric(loss, contract))
            contract = replace(contract, at_identity=_at_identity(loss, contract))
            contract = replace(contract, degree=_degree(loss, contract))
            blind = unseen(loss, contract)
        except Exception:  # the checks will name what is wrong, and with which input
            return contract
    return replace(contract, blind_to=blind, injective=not blind)


def as_written(found: Callable[..., Any], contract: Contract) -> str:
    """The contract as lines to paste beside the loss, with the memory it takes."""
    try:
        peak = peak_memory(subject(found, contract), contract)
        contract = replace(contract, memory=math.ceil(2 * peak + 0.2) / 2)
    except Exception:  # what cannot run has no peak
        contract = replace(contract, memory=4.0)
    plain = Contract(source="")
    given = [
        f"{field.name}={_in_source(getattr(contract, field.name))},"
        for field in fields(Contract)
        if field.name not in ("source", "proof", "exceptions", "min_size_for")
        and getattr(contract, field.name) != getattr(plain, field.name)
    ]
    if contract.proof:
        given.append(f"proof={_in_source(dict(contract.proof))},")
    lines = "".join(f"    {line}\n" for line in ['source="...",', *given])
    return f"{_IMPORT}\n\nCONTRACT = Contract(\n{lines})"


def _in_source(value: Any) -> str:
    """As a formatter would leave it: strings in double quotes."""
    return repr(value).replace("'", '"')


def remarks(found: Callable[..., Any], contract: Contract) -> list[str]:
    """What no check can call wrong and a reader may want to know."""
    loss = subject(found, contract)
    _, hr = unrelated(contract)
    black, white = torch.zeros_like(hr), torch.ones_like(hr)
    with torch.no_grad():
        try:
            costs = [
                loss(sr, to) - loss(to, to) for sr, to in ((black, white), unrelated(contract))
            ]
        except Exception:  # the checks have said so
            return []
    most = max(cost.max().item() for cost in costs)
    if contract.injective and most < 0.005:
        return [
            f"Everything costs little: black against white, or noise against noise, {most:.2g} at "
            "most. If the loss divides by 255, take that out: pictures lie in [0, 1]. If it is "
            "meant so, give its term a larger weight."
        ]
    return []


def asked(found: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The extras and the inner losses that it asks for; InputError for anything else."""
    is_module = isinstance(found, type) and issubclass(found, nn.Module)
    forward: Any = getattr(found, "forward", None)
    called = _parameters(forward, skip=1) if is_module else _parameters(found)
    _check_two_pictures(called)
    made = _parameters(found) if is_module else called
    inner = {p.name: "l1" for p in made if _is_open(p) and p.annotation is Loss}
    open_ = [p for p in called if _is_open(p) and p.name not in inner]
    if is_module:
        open_ += [p for p in made if p.default is p.empty and p.name not in inner]
    for parameter in open_:
        if parameter.name not in EXTRAS or (is_module and parameter not in called):
            raise InputError(
                f"It asks for '{parameter.name}', which nobody supplies. Give it a default, or use "
                f"one of: {', '.join(sorted(EXTRAS))}."
            )
    return tuple(p.name for p in open_), inner


def _parameters(function: Callable[..., Any], skip: int = 0) -> list[inspect.Parameter]:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = list(inspect.signature(function).parameters.values())[skip:]
    return [p for p in found if p.kind not in variable]


def _is_open(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty


def _check_two_pictures(parameters: list[inspect.Parameter]) -> None:
    placed = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    required = [p.name for p in placed if p.default is p.empty]
    if len(required) > 2 or len(placed) < 2:
        given = ", ".join(required) or "nothing"
        raise InputError(
            f"A loss is called with two pictures, (sr, hr); this takes {given}. Write further "
            "parameters after a star: (sr, hr, *, weight=1.0)."
        )
    if len(placed) > 2:
        option = placed[2].name
        raise InputError(
            f"'{option}' stands before the star, so no expression could set it. Write "
            f"(sr, hr, *, {option}=...)."
        )


def _sizes(loss: Function) -> dict[str, Any]:
    """The smallest side that it takes without raising, the step to the next, and the channels."""
    least = next((s for s in range(1, _LARGEST) if _takes(loss, 3, s)), None)
    if least is None:
        return {}
    step = next((m for m in _MULTIPLES if _takes(loss, 3, least + m)), 1)
    room = least + 5 * step
    channels = tuple(count for count in _COUNTS if _takes(loss, count, room))
    return {
        "min_size": least,
        "multiple": step,
        "channels": () if channels == _COUNTS else channels,
    }


def _takes(loss: Function, channels: int, length: int) -> bool:
    with torch.no_grad():
        try:
            loss(*noise_pair(1, channels, length, length))
        except Exception:
            return False
    return True


def _is_symmetric(loss: Function, contract: Contract) -> bool:
    return all(
        torch.allclose(loss(sr, hr), loss(hr, sr), rtol=1e-5, atol=1e-6)
        for _, sr, hr in pairs(contract)
    )


def _at_identity(loss: Function, contract: Contract) -> float | None:
    """The value of equal pictures where it is one and the same."""
    values = torch.cat([loss(hr, hr).double().flatten() for _, _, hr in pairs(contract)])
    middle = values.mean().item()
    if not math.isfinite(middle) or (values - middle).abs().max() > 5e-7:
        return None
    return float(f"{middle:.6g}") if abs(middle) > 1e-6 else 0.0


def _degree(loss: Function, contract: Contract) -> float | None:
    sr, hr = pair("b") if contract.min_size <= 64 else unrelated(contract, count=1)
    half, once, twice = (loss(hr + t * (sr - hr), hr) for t in (0.5, 1.0, 2.0))
    if not (half > 0).all():
        return None
    degree = round(2 * math.log2((twice / once).mean().item())) / 2
    alike = [_near(once, 2**degree * half), _near(twice, 2**degree * once)]
    whole = int(degree) if degree == int(degree) else degree
    return whole if degree > 0 and all(alike) else None


def _near(got: Tensor, wanted: Tensor) -> bool:
    return torch.allclose(got, wanted, rtol=5e-7, atol=5e-13)
