"""What studies and searches share: settings of their own beside those of a recipe, in one file."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.training.lessons import with_expression
from acutance.training.recipe import Recipe, Settings, make_recipe, read_settings

# one hold-out for all runs, so that all learn from the same pictures; nothing to look at
QUIET = {"data.hold_out_seed": 0, "log.samples": 0, "log.tensorboard": "off"}


T = TypeVar("T")


WHAT = {"study": "study", "tune": "search"}


@dataclass(frozen=True)
class Kind:
    """What is asked of many runs: the name of its table, and what it gives each of them."""

    table: str  # [study] of a file, and "study.seeds" of a setting
    whose: str  # for messages
    own: Mapping[str, str]  # setting of the recipe that runs are given -> the option that says so


def read_tables(path: Path, kind: Kind) -> tuple[dict[str, object], object]:
    """The recipe's settings of a TOML file, and the table of `kind` as it stands.

    The recipe's tables stand alone or within [recipe]; what a folder's own file holds besides is
    passed over.
    """
    settings = read_settings(path)
    settings.pop(kind.table, None)
    return settings, tomllib.loads(path.read_text(encoding="utf-8")).get(kind.table)


def home_of(file: Path, record: str) -> Path:
    """Where the study or search of a TOML file lives.

    That of its own record is the folder it lies in; for any other file, even one that is called
    the same, it is the folder of the file's name beside it.
    """
    is_record = file.name == record and "plan" in tomllib.loads(file.read_text(encoding="utf-8"))
    return file.parent if is_record else file.with_suffix("")


def join_layers(
    kind: Kind, layers: Sequence[tuple[str, Settings]], question: type[T]
) -> tuple[T, Recipe]:
    """Join layers of settings, later ones first in rank: those of `kind`, and a recipe.

    Raises InputError for what `kind` gives each run itself, for unknown settings and for wrong
    values.
    """
    asked: dict[str, object] = {}
    shared: list[tuple[str, Settings]] = [(kind.table, QUIET)]
    lead = f"{kind.table}."
    known = [lead + f.name for f in fields(cast(Any, question))]
    for origin, settings in layers:
        for key in settings.keys() & kind.own.keys():
            raise InputError(f"{key} ({origin}) is {kind.whose}. Use {kind.own[key]}.")
        mine = {k: v for k, v in settings.items() if k.startswith(lead)}
        for key in mine:
            if key not in known:
                raise InputError(f"Unknown setting '{key}' ({origin}). {nearest(key, known)}")
        asked |= {key.removeprefix(lead): value for key, value in mine.items()}
        shared.append((origin, {k: v for k, v in settings.items() if k not in mine}))
    try:
        found = TypeAdapter(question).validate_python(asked)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{lead}{problem['loc'][0]}: {problem['msg']}.") from error
    recipe, _ = make_recipe(shared)
    devices = recipe.machine.devices * recipe.machine.nodes
    if devices > 1:
        raise InputError(
            f"The settings ask for {devices} devices (machine.devices, machine.nodes), which would "
            f"share each run. The runs of a {WHAT[kind.table]} have one device each and stand side "
            "by side: leave the settings out, and give the same command once for each device."
        )
    return found, recipe


def run_recipe(shared: Recipe, loss: str, *, steps: int, seed: int) -> Recipe:
    """The recipe of one run: what all share, with its own loss, steps and seed.

    A teacher is of the arms whose loss looks at one.
    """
    return replace(
        shared,
        seed=seed,
        loss=with_expression(shared.loss, loss),
        stop=replace(shared.stop, steps=steps),
    )


def as_tables(kind: Kind, question: Any, shared: Recipe) -> dict[str, Any]:
    """Both as the tables of a TOML file, every default written out."""
    found = plain({kind.table: asdict(question), "recipe": asdict(shared)})
    for key in kind.own:
        section, _, name = key.rpartition(".")
        table = found["recipe"][section] if section else found["recipe"]
        del table[name]
    return found


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Tables as a file gives them back: lists in place of tuples."""
    return json.loads(json.dumps(value))
