"""What is asked of every file of a batch, and the model made ready for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from acutance.errors import InputError
from acutance.models.bundled import USUAL
from acutance.models.card import at_level, find_model, read_card
from acutance.models.mixing import members_for, mixed, parse_mixture
from acutance.upscaling import ENGINES
from acutance.upscaling.choice import AUTO, choose_engine, open_engine
from acutance.upscaling.engine import How
from acutance.upscaling.picking import is_open
from acutance.upscaling.picture import BICUBIC, open_upscaler
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.task import Upscaler

if TYPE_CHECKING:
    from torch import nn

    from acutance.upscaling.engine import Engine

    Model = str | Path | Engine | nn.Module

PLAIN, KEEPING = Enlargement(), Output()
MIXER = "pytorch"  # the engine of mixtures, which no file holds


@dataclass(frozen=True)
class Request:
    """What is asked of every file of a batch."""

    model: "Model | None" = None  # a mixture "a:0.7,b:0.3" too; None: picked for each file
    how: Enlargement = PLAIN
    output: Output = KEEPING
    engine: str = AUTO
    fast: bool = False  # lower precision where it is faster
    faithful: str | None = None  # the model that `strength` starts from
    uncertainty: bool = False  # a picture of how sure the network is, beside each result
    engines: Mapping[Path, str] = field(default_factory=dict)  # chosen for models that were picked


def asked_model(model: "Model | None", size: Size) -> "Model | None":
    """The model of a request: of a run that trained lower levels, the level that is asked for.

    A mixture of bundled families is one of their files for that scale. What is picked for each
    file, one bundled family or nothing at all, stays as it is.
    """
    if is_open(model):
        return None if model is None else str(model)
    if not isinstance(model, str | Path):
        return model
    return at_level(members_for(str(model), size.scale), size.scale)


def request_for(request: Request, model: Path | None) -> Request:
    """What is asked of the files for which `model` was picked; None: of all."""
    if model is not None:
        engine = request.engines.get(model, request.engine)
        request = replace(request, model=model, engine=engine)
    if request.faithful is None or request.faithful == BICUBIC:
        return request
    return replace(request, faithful=_alike(request.faithful, request.model))


def _alike(faithful: str, model: "Model | None") -> str:
    """The file of `faithful` for the scale of the model, where that is known and there is one."""
    try:
        scale = read_card(Path(model)).scale if isinstance(model, str | Path) else None
    except InputError:  # a mixture, or without a card
        return faithful
    return str(at_level(members_for(faithful, scale), scale))


def native_scale(request: Request) -> int | None:
    """The scale of the model; None for 'bicubic'. Refuses what cannot be done."""
    is_plain = replace(request.how, memory=None, tile=None) == PLAIN
    if request.uncertainty and not is_plain:
        raise InputError(
            "A picture of how sure the network is can be had of its own enlargement only. "
            "Leave out size, strength and the like, or --uncertainty."
        )
    if request.model == BICUBIC:
        if request.how.size == Size():
            raise InputError("The model 'bicubic' has no scale of its own. Give one: --scale 2")
        return None
    if request.model is None:
        return USUAL
    if isinstance(request.model, str | Path):
        parts = _parts(request.model)
        if len(parts) > 1 and request.engine not in (AUTO, MIXER):
            raise InputError(
                f"A mixture is run by {MIXER}, not by '{request.engine}'. Leave --engine out."
            )
        return _scale_of(next(iter(parts)), request)
    return request.model.card.scale  # pyright: ignore[reportAttributeAccessIssue, reportReturnType]


def _scale_of(model: str, request: Request) -> int:
    """By the card in its file; a file made elsewhere has none, and is opened to find out."""
    try:
        return read_card(Path(model)).scale
    except InputError:  # opening it says what is wrong, if anything is
        return open_engine(model, engine=request.engine, fast=request.fast).card.scale


def fingerprint(request: Request) -> str:
    """Equal for requests that make the same file of the same source."""
    how, output = asdict(request.how), asdict(request.output)
    asked = {
        "how": {name: value for name, value in how.items() if name != "memory"},
        "output": {name: value for name, value in output.items() if name != "overwrite"},
        "model": _content(request.model),
        "faithful": None if request.faithful is None else _content(request.faithful),
        "engine": request.engine,
        "fast": request.fast,
        "uncertainty": request.uncertainty,
        "version": version("acutance"),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def with_engine(request: Request, before: str | None, *, pixels: int | None) -> tuple[Request, str]:
    """The request with its engine chosen once for all its processes, and why that one.

    `before` is the engine of an earlier, stopped command: its rounding is not mixed with another's.
    """
    if request.engine != AUTO or not isinstance(request.model, str | Path):
        return request, ""
    if before in ENGINES.names():
        return replace(request, engine=before), "as before"
    parts = _parts(request.model)
    if request.model == BICUBIC or len(parts) > 1:
        return request, ""
    choice = choose_engine(request.model, pixels=pixels, how=How(request.fast))
    return replace(request, engine=choice.engine), choice.why


def open_for(request: Request, *, pixels: int | None) -> Upscaler:
    """Make the model of a request ready; `pixels` are all that are to come."""
    base = BICUBIC if request.faithful is None else request.faithful
    strong, weak = (_opened(model, request, pixels) for model in (request.model, base))
    return open_upscaler(strong, base=weak)


def _opened(model: "Model | None", request: Request, pixels: int | None) -> "Model":
    assert model is not None, "a model is picked for each file before"
    if model == BICUBIC or not isinstance(model, str | Path):
        return model
    weights = _parts(model)
    if len(weights) > 1:
        return mixed(weights)
    return open_engine(model, engine=request.engine, pixels=pixels, fast=request.fast)


def _parts(model: str | Path) -> dict[str, float]:
    """The models of a mixture with their weights; one model is all of it."""
    if ":" not in str(model):  # no weights in it
        return {str(model): 1.0}
    parsed = parse_mixture(str(model))
    return {parsed: 1.0} if isinstance(parsed, str) else parsed


def _content(model: object) -> str:
    """SHA-256 of the model's files; of a network in memory, what tells it from others."""
    if model == BICUBIC:
        return BICUBIC
    if not isinstance(model, str | Path):
        return getattr(getattr(model, "card", None), "weights", "") or uuid4().hex
    return ",".join(f"{_digest(name)}:{weight}" for name, weight in _parts(model).items())


def _digest(model: str) -> str:
    with find_model(Path(model)).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
