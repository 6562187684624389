"""Choose the engine for a model, and open it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from acutance.errors import InputError, MissingPackageError
from acutance.models.card import find_model, read_card
from acutance.upscaling import ENGINES
from acutance.upscaling.engine import PLAIN, EngineFacts, How, NamedEngine
from acutance.upscaling.remembered import recall, remember, trial_key
from acutance.upscaling.trial import Pace, is_running, seconds_for, time_engines

AUTO = "auto"
OWN = ("onnx_runtime", "openvino", "pytorch")
"""What "auto" chooses among, best known first; engines of other packages are asked for by name."""
WORTH_A_TRIAL_S = 20.0
"""Estimated work from which engines are timed: opening all of them and the trial take some 4 s."""
_FLOPS_PER_S = 1e11  # two cores in fp32, cautiously; only an order of magnitude is needed


@dataclass(frozen=True)
class Choice:
    """An engine for a model, and why it was taken, in words for people."""

    engine: str
    path: Path  # of the file that it reads: the model's, or its ONNX twin's
    why: str
    how: How = PLAIN
    opened: NamedEngine | None = None  # where a trial has opened it already

    def open(self) -> NamedEngine:
        """The engine, ready to run."""
        return self.opened or _load(self.engine, self.path, self.how)


def open_engine(
    model: str | Path,
    *,
    engine: str = AUTO,
    pixels: int | None = None,
    fast: bool = False,
    threads: int | None = None,
) -> NamedEngine:
    """Make the model at `model` ready to run; see `choose_engine` for which engine is taken."""
    how = How(fast, threads)
    return choose_engine(model, engine=engine, pixels=pixels, how=how).open()


def choose_engine(
    model: str | Path, *, engine: str = AUTO, pixels: int | None = None, how: How | None = None
) -> Choice:
    """Which engine is to run the model at `model`: the named one, or the one that is done first.

    `pixels` is the number of lr pixels that are to be upscaled. By itself ("auto") it counts what
    starting an engine takes (torch: more than a second, unless it is there already) and what the
    work takes. Work that is short goes to the engine that starts soonest. For long work the
    installed engines are timed on small pictures for a second in all, once for each model and
    machine, and that is remembered. Where the work is not known (scoring, studies) nothing is
    timed: it is always pytorch, or onnx_runtime without it, so that scores do not depend on a
    trial.
    """
    how = how or PLAIN
    path = find_model(Path(model))
    if engine != AUTO:
        return Choice(engine, _file_for(engine, path), "asked for", how)
    files = _candidates(path)
    if len(files) == 1:
        (only,) = files
        return Choice(only, files[only], "no other installed engine reads this model", how)
    if pixels is None:
        steady = "pytorch" if "pytorch" in files else "onnx_runtime"
        return Choice(steady, files[steady], "the amount of work is not known", how)
    key = trial_key(path, how)
    known = {name: pace for name, pace in recall(key).items() if name in files}
    opened: dict[str, NamedEngine] = {}
    guess_s = estimated_s(path, pixels)
    if not known and guess_s >= WORTH_A_TRIAL_S:
        opened = _opened(files, how)
        known = time_engines(opened, guess_s / pixels)
        remember(key, known)
    if known:
        return _soonest(files, known, opened, pixels, how)
    quickest = min(files, key=lambda name: 0.0 if is_running(name) else _facts(name).start_s)
    takes = f"about {guess_s:.1g}" if guess_s >= 0.1 else "under 0.1"
    why = f"short work, {takes} s, for the engine that starts soonest"
    return Choice(quickest, files[quickest], why, how)


def estimated_s(path: Path, pixels: int) -> float:
    """Seconds of work, from the size of the weights: each is used once for each lr pixel.

    Networks that work on the enlarged picture need more; they are few and the guess may be rough.
    """
    parameters = path.stat().st_size / 4
    return 2 * parameters * pixels / _FLOPS_PER_S


def _soonest(
    files: Mapping[str, Path],
    known: Mapping[str, Pace],
    opened: Mapping[str, NamedEngine],
    pixels: int,
    how: How,
) -> Choice:
    needs = {name: seconds_for(name, pace, pixels) for name, pace in known.items()}
    best = min(needs, key=lambda name: needs[name])
    listed = ", ".join(
        f"{name} {needs[name]:.3g} s" for name in sorted(needs, key=needs.__getitem__)
    )
    when = "timed now" if opened else "timed earlier"
    why = f"{when} on this machine, starting included: {listed}"
    return Choice(best, files[best], why, how, opened.get(best))


def _opened(files: Mapping[str, Path], how: How) -> dict[str, NamedEngine]:
    """Those of the candidates that can be opened; the last error where none can."""
    opened: dict[str, NamedEngine] = {}
    refused: InputError | None = None
    for name, file in files.items():
        try:
            opened[name] = _load(name, file, how)
        except InputError as error:  # one engine may not know an operation that others know
            refused = error
    if not opened and refused is not None:
        raise refused
    return opened


def _candidates(path: Path) -> dict[str, Path]:
    """Each installed engine of ours that can run the model, with the file it reads."""
    readers = {name: _readable(name, path) for name in OWN}
    able = {name: file for name, file in readers.items() if file is not None}
    if not able:
        endings = sorted({ending for name in OWN for ending in _facts(name).reads})
        raise InputError(f"{path} is no model: its name must end in one of {', '.join(endings)}.")
    files = {name: file for name, file in able.items() if _is_installed(_facts(name).package)}
    if files:
        return files
    name = next(iter(able))
    facts = _facts(name)
    without = f"There is no ONNX twin beside {path}; running" if name == "pytorch" else "Running"
    raise MissingPackageError(facts.package, facts.extra, f"{without} the model {path}")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _facts(engine: str) -> EngineFacts:
    return ENGINES.module(engine).ENGINE


def _file_for(engine: str, path: Path) -> Path:
    """The file that the engine reads for the model; InputError where it has none."""
    readable = _readable(engine, path)
    if readable is None:
        raise InputError(
            f"The engine '{engine}' cannot run {path}: it reads {', '.join(_facts(engine).reads)}, "
            f"and no such file with the same weights stands beside it. {_advice(engine, path)}"
        )
    return readable


def _advice(engine: str, path: Path) -> str:
    if path.suffix == ".onnx" or ".onnx" not in _facts(engine).reads:
        return "Give another model file, or leave --engine out."
    return f"Make an ONNX twin by: acutance export {path}"


def _readable(engine: str, path: Path) -> Path | None:
    reads = _facts(engine).reads
    if path.suffix in reads:
        return path
    return _twin(path) if ".onnx" in reads else None


def _load(engine: str, path: Path, how: How) -> NamedEngine:
    facts = _facts(engine)
    try:
        return ENGINES.load(engine)(path, how)
    except ModuleNotFoundError as error:
        package = error.name or facts.package
        raise MissingPackageError(package, facts.extra, f"The engine '{engine}'") from error


def _twin(path: Path) -> Path | None:
    """The ONNX file beside `path` that holds the same weights, as both cards say."""
    twin = path.with_suffix(".onnx")
    if path.suffix != ".safetensors" or not twin.is_file():
        return None
    try:
        return twin if read_card(twin) == read_card(path) else None
    except InputError:  # a damaged twin is none; the model itself is judged when it is loaded
        return None
