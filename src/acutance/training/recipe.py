"""Everything a run depends on: one frozen recipe, parsed and checked once, at the edge."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from acutance.catalog import nearest
from acutance.data.degradations.expression import is_text_list, read_degradation
from acutance.errors import InputError
from acutance.losses.balance import BALANCES
from acutance.models.bundled import family, is_name, member
from acutance.storage import read_toml
from acutance.training.coherence import check_whole

_STRICT = ConfigDict(extra="forbid")
Auto = Literal["auto"]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Cardinal = Annotated[int, Field(ge=0)]


def _known_balance(name: str) -> str:
    if name:
        BALANCES.place(name)
    return name


def _one_text(value: object) -> object:
    """Stages that a file has in a list, joined."""
    return " | ".join(value) if isinstance(value, list) and is_text_list(value) else value


def _canonical_degradation(text: str) -> str:
    return str(read_degradation(text)) if text else ""


@dataclass(frozen=True, config=_STRICT)
class DataChoice:
    """Where the pictures come from. `patch` is in hr pixels; "auto" is 32 lr pixels."""

    photos: tuple[str, ...] = ()
    lr: tuple[str, ...] = ()  # folders of given lr pictures; empty: lr = F(hr)
    make_lr: Literal["once", "each"] = "once"  # once: per picture; each: per crop, any offset
    # F as a chain of stages, a TOML file of one, or a recipe's name; empty: MATLAB's bicubic
    degrade: Annotated[str, BeforeValidator(_one_text), AfterValidator(_canonical_degradation)] = ""
    val: tuple[str, ...] = ()  # empty: `hold_out` of the photographs
    hold_out: Annotated[float, Field(gt=0, lt=1)] = 0.05
    hold_out_seed: Cardinal | Auto = "auto"  # auto: the run's own
    patch: Count | Auto = "auto"
    batch: Count = 16
    draw: Literal["picture", "area"] = "picture"
    levels: Literal["top", "joint", "grow"] = "top"  # which octaves a growing network is shown
    skip_bad: bool = False
    memory_mib: Count | Auto = "auto"  # above it the pool is a memory-mapped file
    prefetch: bool = True


@dataclass(frozen=True, config=_STRICT)
class NetworkChoice:
    """The network to train: NAME[:PRESET], its scale, and constants that differ."""

    name: str = "compact:nano"
    scale: Annotated[int, Field(ge=1, le=8)] = 2
    color: Literal["rgb", "luma", "auto"] = "auto"
    head: Literal["", "spread"] = ""  # spread: it also says how sure it is, for likelihoods
    shrink: str = ""  # F learns with it: "tiny" or "small"; "": F is fixed
    start: str = ""  # a trained model to begin from
    arguments: dict[str, int | float | str | bool] = Field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class LossChoice:
    """The loss as an expression, such as "0.9*l1 + 0.1*mse", and what balances its terms.

    `teacher` is a model whose results the term output_distillation compares with. It is asked at
    "each" step for the step's crops, or "once", before the first, for whole pictures.
    """

    expression: str = "l1"
    balance: Annotated[str, AfterValidator(_known_balance)] = ""
    teacher: str = ""
    teach: Literal["each", "once"] = "each"


@dataclass(frozen=True, config=_STRICT)
class FirstChoice:
    """A stage before the run's own, in a folder within it: fidelity first, perception from there.

    Without a `loss` there is none, nor where network.start gives another beginning. All that is
    not said here is as for the run; `balance` and a `teacher` that its loss has no use for are not.
    """

    loss: str = ""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5  # of the run's steps or minutes
    rate: Positive | Auto = "auto"  # auto: optim.rate
    milestones: tuple[Share, ...] | Auto = "auto"  # shares of this stage; auto: optim.milestones


@dataclass(frozen=True, config=_STRICT)
class OptimChoice:
    """How weights move. Rates are absolute; warmup and milestones are shares of the run.

    Of a run that --until alone ends, which has no length, warmup is a share of 10,000 steps.
    """

    name: Literal["adam", "adamw", "sgd", "gd", "schedule_free"] = "adam"
    rate: Positive | Auto = "auto"
    beta1: Share = 0.9
    beta2: Share = 0.99
    momentum: Share = 0.9  # of sgd
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["constant", "cosine", "one_cycle", "multi_step", "auto"] = "auto"
    warmup: Share = 0.03
    milestones: tuple[Share, ...] = (0.5, 0.75, 0.9)
    gamma: Positive = 0.5  # the rate's factor at each milestone
    ema: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"  # decay of the smooth weights; 0: none
    clip: Annotated[float, Field(ge=0)] = 0.0  # largest norm of the network's gradient; 0: no limit
    accumulate: Count = 1  # a batch is worked off in so many parts


@dataclass(frozen=True, config=_STRICT)
class StopChoice:
    """When to stop: after steps, after minutes, or when the scores no longer get better.

    `perceptual` is the metric that "settled" looks at beside PSNR; "auto" is lpips where its
    weights are at hand and no term looks through its network, else niqe.
    """

    steps: Cardinal = 0
    minutes: Annotated[float, Field(ge=0)] = 0.0
    until: Literal["", "converged", "settled"] = ""
    gain_db: Positive = 0.01  # of PSNR: the next window would bring less than this
    gain_perceptual: Positive = 0.005  # likewise, as a share of the perceptual score
    perceptual: str = "auto"


@dataclass(frozen=True, config=_STRICT)
class MachineChoice:
    """What to compute with. "auto" is decided by timing a few steps, and written down.

    `devices` on each of `nodes` hosts share each batch; `threads` are those of one device.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: Count = 1
    nodes: Count = 1
    threads: Count | Auto = "auto"
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "auto"
    compile: bool = False


@dataclass(frozen=True, config=_STRICT)
class LogChoice:
    """How often to write, in steps; "auto" is worked out from the length of a step."""

    every: Count | Auto = "auto"
    score_every: Count | Auto = "auto"
    save_every: Count | Auto = "auto"
    samples: Cardinal = 2  # validation pictures kept at each scoring
    tensorboard: Literal["auto", "on", "off"] = "auto"  # auto: where the package is installed


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """A run before it happens. The same recipe gives the same run."""

    seed: Cardinal = 0
    data: DataChoice = Field(default_factory=DataChoice)
    network: NetworkChoice = Field(default_factory=NetworkChoice)
    loss: LossChoice = Field(default_factory=LossChoice)
    first: FirstChoice = Field(default_factory=FirstChoice)
    optim: OptimChoice = Field(default_factory=OptimChoice)
    stop: StopChoice = Field(default_factory=StopChoice)
    machine: MachineChoice = Field(default_factory=MachineChoice)
    log: LogChoice = Field(default_factory=LogChoice)


MODEL_PATHS = ("network.start", "loss.teacher")  # settings that name a trained model
LENGTHS = ("stop.steps", "stop.minutes")  # who gives the one takes back the other
Settings = Mapping[str, object]  # "optim.rate" -> value


def flatten(recipe: Recipe | Mapping[str, object]) -> dict[str, object]:
    """A recipe or the tables of a TOML file as "section.key" -> value."""
    tables = asdict(recipe) if isinstance(recipe, Recipe) else recipe
    flat: dict[str, object] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping) and name in _SECTIONS:
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            flat[name] = value
    return flat


def plain_settings(tables: Mapping[str, object]) -> dict[str, object]:
    """Settings as a file gives them back; what an older file does not know has its default."""
    blank = flatten(Recipe())
    return json.loads(json.dumps({**blank, **flatten(tables)}))


def read_settings(path: Path) -> dict[str, object]:
    """The settings of a TOML file. Its relative folders and models are relative to the file."""
    tables = read_toml(path)
    settings = flatten(tables.get("recipe", tables))  # a run's own run.toml is a config, too
    for key in ("data.photos", "data.lr", "data.val"):
        value = settings.get(key, [])
        if isinstance(value, list):
            settings[key] = [absolute(str(v), folder=path.parent) for v in value]
    for key in MODEL_PATHS:
        if settings.get(key):
            settings[key] = model_place(str(settings[key]), folder=path.parent)
    if str(settings.get("data.degrade", "")).endswith(".toml"):
        settings["data.degrade"] = absolute(str(settings["data.degrade"]), folder=path.parent)
    return {key: value for key, value in settings.items() if value != []}


def absolute(source: str, *, folder: Path = Path()) -> str:
    """A source of pictures, or another path, so that it is found from any folder."""
    return source if source.partition(":")[0] == "procedural" else str((folder / source).resolve())


def model_place(model: str, *, folder: Path = Path()) -> str:
    """A model, so that it is found from any folder: the name of a bundled one is, as it stands."""
    if is_name(model) and not (folder / model).exists():
        return model
    return absolute(model, folder=folder)


def read_assignment(text: str) -> tuple[str, object]:
    """One "section.key=value" of --set; the value as TOML, or as plain text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text}: write it as SECTION.KEY=VALUE, such as optim.rate=2e-4.")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def make_recipe(layers: Sequence[tuple[str, Settings]]) -> tuple[Recipe, dict[str, str]]:
    """Join layers of settings, later ones first in rank; give the recipe and each value's origin.

    A layer is (origin, settings), such as ("my.toml", {...}) and ("command line", {...}).
    Raises InputError that names the key, where it was given and the nearest known key.
    """
    from acutance.training.package_recipes import named_degradation  # which reads by this file

    joined, origin = join_settings(layers)
    if "data.degrade" in joined:
        joined["data.degrade"] = named_degradation(joined["data.degrade"])
    try:
        recipe = _ADAPTER.validate_python(_nest(joined))
    except ValidationError as error:
        raise InputError(_explain(error, origin)) from error
    recipe = _with_members(recipe)
    check_whole(recipe)
    return recipe, origin


def _with_members(recipe: Recipe) -> Recipe:
    """A bundled family stands for its file of the run's own scale."""
    network, loss = recipe.network, recipe.loss
    if family(network.start):
        network = replace(network, start=member(network.start, network.scale).stem)
    if family(loss.teacher):
        loss = replace(loss, teacher=member(loss.teacher, network.scale).stem)
    return replace(recipe, network=network, loss=loss)


def join_settings(
    layers: Sequence[tuple[str, Settings]],
) -> tuple[dict[str, object], dict[str, str]]:
    """The settings that layers give, and the origin of every setting; values are not checked.

    A length in one layer, be it steps or minutes, takes the place of both in those before it.
    """
    origin = dict.fromkeys(flatten(Recipe()), "default")
    joined: dict[str, object] = {}
    for name, settings in layers:
        if any(settings.get(key) for key in LENGTHS):
            for key in LENGTHS:
                joined.pop(key, None)
                origin[key] = "default"
        for key, value in settings.items():
            if key not in origin:
                raise InputError(f"Unknown setting '{key}' ({name}). {nearest(key, list(origin))}")
            joined[key] = value
            origin[key] = name
    return joined, origin


def _nest(flat: Mapping[str, object]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for key, value in flat.items():
        section, dot, name = key.partition(".")
        if dot:
            tables.setdefault(section, {})[name] = value
        else:
            tables[section] = value
    return tables


def _explain(error: ValidationError, origin: Mapping[str, str]) -> str:
    """Every wrong value in one message, without pydantic's own vocabulary."""
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"][:2])
        reason = problem["msg"].removeprefix("Value error, ")
        end = "" if reason.endswith((".", "^")) else "."
        line = f"{key} = {problem['input']!r} ({origin.get(key, 'settings')}): {reason}{end}"
        if line.partition(" = ")[0] not in {old.partition(" = ")[0] for old in lines}:
            lines.append(line)
    return "Wrong setting. " + " ".join(lines)


_ADAPTER = TypeAdapter(Recipe)
_SECTIONS = tuple(f.name for f in fields(Recipe) if f.name != "seed")
assert all(is_dataclass(type(getattr(Recipe(), name))) for name in _SECTIONS)
