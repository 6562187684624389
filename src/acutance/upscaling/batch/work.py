"""The work on one file: what is asked of it, and the ways by kind of file."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from acutance.errors import InputError, RunError
from acutance.imaging.files import read_picture, write_picture
from acutance.models.card import find_model, read_card
from acutance.upscaling import ENGINES
from acutance.upscaling.batch.kinds import Kind, check_writable
from acutance.upscaling.batch.planning import Job
from acutance.upscaling.choice import AUTO
from acutance.upscaling.picture import BICUBIC, Upscaler, open_upscaler
from acutance.upscaling.pipeline import Enlarged, enlarge_file
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.uncertainty import check_sigma_target, sigma_path, with_sigma, write_sigma

if TYPE_CHECKING:
    from torch import nn

    from acutance.upscaling.engine import Engine

PLAIN, KEEPING = Enlargement(), Output()
DEFAULT_MODEL = "nano-x2"

Progress = Callable[[float], None]
"""Called with the done share of a file, 0 to 1."""


@dataclass(frozen=True)
class Request:
    """What is asked of every file of a batch."""

    model: "str | Path | Engine | nn.Module"
    how: Enlargement = PLAIN
    output: Output = KEEPING
    engine: str = AUTO
    fast: bool = False  # lower precision where it is faster
    faithful: str | None = None  # the model that `strength` starts from
    uncertainty: bool = False  # a picture of how sure the network is, beside each result


def open_for(request: Request, *, pixels: int | None) -> Upscaler:
    """Make the model of a request ready; `pixels` are all that are to come."""
    base = BICUBIC if request.faithful is None else request.faithful
    return open_upscaler(request.model, engine=request.engine, pixels=pixels, base=base)


def with_engine(request: Request, name: str | None) -> Request:
    """The request with its engine chosen once for all processes and for all repetitions.

    `name` is the engine that an earlier, stopped command used: its rounding is not to be mixed
    with another's.
    """
    if request.engine != AUTO or name not in ENGINES.names():
        return request
    return replace(request, engine=name)


def native_scale(request: Request) -> int | None:
    """The scale of the model, by its card; None for 'bicubic', which needs a size."""
    if request.model == BICUBIC:
        if request.how.size == type(request.how.size)():
            raise InputError("The model 'bicubic' has no scale of its own. Give one: --scale 2")
        return None
    if isinstance(request.model, str | Path):
        return read_card(Path(request.model)).scale
    return request.model.card.scale  # pyright: ignore[reportAttributeAccessIssue, reportReturnType]


def fingerprint(request: Request) -> str:
    """Equal for requests that make the same file of the same source."""
    asked = asdict(Asked(request.how, request.output))
    asked["how"].pop("memory")
    asked["output"].pop("overwrite")
    asked |= {
        "model": _model_hash(request.model),
        "faithful": None if request.faithful is None else _model_hash(request.faithful),
        "engine": request.engine,
        "fast": request.fast,
        "uncertainty": request.uncertainty,
        "version": version("acutance"),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Asked:
    """The part of a request that is plain data."""

    how: Enlargement
    output: Output


def enlarge_one(
    job: Job, upscaler: Upscaler, request: Request, *, progress: Progress | None = None
) -> Enlarged:
    """Make the target of a job; only InputError and RunError are raised.

    With `uncertainty` the picture of sigma is written first: where the result stands, all does.
    """
    try:
        if request.output.format is None:
            check_writable(job.target, job.kind, None)
        if request.uncertainty:
            return _enlarge_surely(job, upscaler, request)
        way = _WAYS[job.kind]
        return way(job, upscaler, request, progress or _nothing)
    except (InputError, RunError):
        raise
    except MemoryError as error:
        raise RunError(
            f"{job.source} needs more memory than there is. Give --memory, or cut it into parts."
        ) from error
    except Exception as error:  # one file of many: what is wrong with it stops no other
        raise RunError(
            f"{job.source} could not be enlarged ({type(error).__name__}: {error}). "
            "Try it alone, and report it if it is a good file."
        ) from error


def _enlarge_picture(
    job: Job, upscaler: Upscaler, request: Request, progress: Progress
) -> Enlarged:
    source, target = job.source, job.target
    return enlarge_file(source, target, upscaler, request.how, request.output, progress=progress)


def _enlarge_animation(
    job: Job, _upscaler: Upscaler, _request: Request, _progress: Progress
) -> Enlarged:
    raise InputError(f"{job.source} is an animation, which this version does not read.")


def _enlarge_video(
    job: Job, _upscaler: Upscaler, _request: Request, _progress: Progress
) -> Enlarged:
    raise InputError(f"{job.source} is a video, which this version does not read.")


_WAYS: dict[Kind, Callable[[Job, Upscaler, Request, Progress], Enlarged]] = {
    "picture": _enlarge_picture,
    "animation": _enlarge_animation,
    "video": _enlarge_video,
}


def _enlarge_surely(job: Job, upscaler: Upscaler, request: Request) -> Enlarged:
    if job.kind != "picture":
        raise InputError(f"{job.source} is no still picture, as --uncertainty needs.")
    start = perf_counter()
    picture = read_picture(job.source)
    overwrite = request.output.overwrite
    check_sigma_target(sigma_path(job.target), overwrite=overwrite)
    decoded = perf_counter()
    made = with_sigma(upscaler.engine)(picture)
    network = perf_counter()
    write_sigma(sigma_path(job.target), made.sigma, overwrite=overwrite)
    write_picture(job.target, made.picture, overwrite=overwrite)
    end = perf_counter()
    seconds = {
        "decode": decoded - start,
        "network": network - decoded,
        "encode": end - network,
        "total": end - start,
    }
    return Enlarged(made.picture.width, made.picture.height, seconds, engine=upscaler.engine_name)


def _model_hash(model: object) -> str:
    """SHA-256 of the model's file; of a network in memory, what tells it from others."""
    if model == BICUBIC:
        return BICUBIC
    if isinstance(model, str | Path):
        with find_model(Path(model)).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return getattr(getattr(model, "card", None), "weights", "") or uuid4().hex


def _nothing(_share: float) -> None:
    """Nobody watches."""
