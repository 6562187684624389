"""Choose the engine for a model, and open it."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from acutance.errors import InputError, MissingPackageError
from acutance.models.card import find_model, read_card
from acutance.upscaling import ENGINES
from acutance.upscaling.engine import Engine, EngineFacts

AUTO = "auto"
QUICK_S = 1.5
"""Work below this is done by ONNX Runtime before torch (1.3 to 1.9 s) would be imported."""
_FLOPS_PER_S = 1e11  # two cores in fp32, cautiously; only an order of magnitude is needed


def open_engine(model: str | Path, *, engine: str = AUTO, pixels: int | None = None) -> Engine:
    """Make the model at `model` ready to run, by the named engine or the one that is sooner done.

    `pixels` is the number of lr pixels that are to be upscaled; unknown counts as many. By itself
    ("auto") it takes onnx_runtime where the model has an ONNX twin and the work is short, or
    where torch is not installed, else pytorch.
    """
    path = find_model(Path(model))
    if engine != AUTO:
        return _open(engine, path)
    if path.suffix == ".onnx":
        return _open("onnx_runtime", path)
    has_torch = _has_torch()
    is_quick = pixels is not None and estimated_s(path, pixels) < QUICK_S
    if (is_quick or not has_torch) and _twin(path) is not None:
        return _open("onnx_runtime", path)
    if not has_torch:
        raise MissingPackageError(
            "torch", "train", f"There is no ONNX twin beside {path}; running the model without one"
        )
    return _open("pytorch", path)


def estimated_s(path: Path, pixels: int) -> float:
    """Seconds of work, from the size of the weights: each is used once for each lr pixel.

    Networks that work on the enlarged picture need more; they are few and the guess may be rough.
    """
    parameters = path.stat().st_size / 4
    return 2 * parameters * pixels / _FLOPS_PER_S


def _has_torch() -> bool:
    try:
        return find_spec("torch") is not None
    except ModuleNotFoundError:
        return False


def _open(engine: str, path: Path) -> Engine:
    try:
        facts: EngineFacts = ENGINES.module(engine).ENGINE
    except ModuleNotFoundError as error:
        package = error.name or engine
        raise MissingPackageError(package, "train", f"The engine '{engine}'") from error
    readable = path if path.suffix in facts.reads else None
    if readable is None and ".onnx" in facts.reads:
        readable = _twin(path)
    if readable is None:
        raise InputError(
            f"The engine '{engine}' cannot run {path}: it reads {', '.join(facts.reads)}, and no "
            f"such file with the same weights stands beside it. Make an ONNX twin by: "
            f"acutance export {path}"
        )
    load: Callable[[Path], Engine] = ENGINES.load(engine)
    return load(readable)


def _twin(path: Path) -> Path | None:
    """The ONNX file beside `path` that holds the same weights, as both cards say."""
    twin = path.with_suffix(".onnx")
    if path.suffix != ".safetensors" or not twin.is_file():
        return None
    try:
        return twin if read_card(twin) == read_card(path) else None
    except InputError:  # a damaged twin is none; the model itself is judged when it is loaded
        return None
