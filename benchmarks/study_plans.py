"""What studies.toml says of one study, checked and ready to be carried out."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acutance.catalog import nearest
from acutance.data.folders import photo_paths
from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.study.compare.question import KIND, Question, Study, make_study
from acutance.study.compare.runs import Run, list_runs
from acutance.study.settings import join_layers
from places import data_folder, model_source, of_scale, photo_source

TABLE = Path(__file__).with_name("studies.toml")
VALIDATION = "validation"  # a test set of pictures that are held out of the training
HELD_OUT = (10, 5)  # of each ten pictures the one with this index
MODELS = {"start": "network.start", "teacher": "loss.teacher"}
# a study's own settings by their name
ASKED = ("seeds", "steps", "metrics", "primary", "against", "dial", "dial_points")
KEYS = {"about", "arms", "photos", "val", "test", "network", "scale", "lr_patch", "settings"}
KEYS |= {"claim", "beside", *ASKED, *MODELS}
NEEDED = {"about", "arms", "seeds", "steps"}


@dataclass(frozen=True)
class Claim:
    """That `arm` is better than `against` on all sets, which are one family of tests."""

    arm: str
    against: str


@dataclass(frozen=True)
class Plan:
    """One study of the table. Losses are in canonical form."""

    name: str
    about: str
    study: Study
    claim: Claim | None
    beside: str  # the study whose first arm these arms are held against; "": none
    folder: Path

    @property
    def command(self) -> str:
        """What carries it out anew."""
        return f"python benchmarks/studies.py run {self.name}"

    def runs(self) -> list[Run]:
        """Every run, seed by seed."""
        question = self.study.question
        budgets = {budget: budget for budget in question.steps}
        return list_runs(self.study, dict.fromkeys(question.losses, budgets), self.folder)


def names() -> list[str]:
    """Every study of the table."""
    return list(_table()["study"])


def beside_of() -> dict[str, str]:
    """The study that each is held against, of those that are."""
    return {name: table["beside"] for name, table in _table()["study"].items() if "beside" in table}


def read_plan(name: str, root: Path) -> Plan:
    """The plan of one study, whose runs are in `root`/`name`.

    Raises InputError for a study that the table has not, for what is wrong in it, and for a model
    that is not there yet.
    """
    told = _told(name)
    folder = (root / name).resolve()
    study = _study(told, folder)
    claim = told.get("claim")
    if claim is not None:
        claim = Claim(**{key: canonical(loss) for key, loss in claim.items()})
        for loss in (claim.arm, claim.against):
            if loss not in study.question.losses:
                raise InputError(f"{TABLE.name}: {name} claims something of '{loss}', no arm.")
    beside = told.get("beside", "")
    if beside and beside not in names():
        raise InputError(f"{TABLE.name}: {name} is beside '{beside}'. {nearest(beside, names())}")
    return Plan(name, told["about"], study, claim, beside, folder)


def canonical(loss: str) -> str:
    """A loss as studies write it."""
    return str(parse_loss(loss))


def hold_out(plan: Plan) -> None:
    """Make the folders of a study that is judged on training pictures: links, none copied."""
    told = _told(plan.name)
    if VALIDATION not in told["test"]:
        return
    for place, paths in zip(_split_folders(plan.folder), split(told["photos"]), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        wanted = {f"{path.parent.name}-{path.name}": path for path in paths}
        for stale in {path.name for path in place.iterdir()} - wanted.keys():
            (place / stale).unlink()
        for link, path in wanted.items():
            if not (place / link).exists():
                (place / link).unlink(missing_ok=True)
                (place / link).symlink_to(path)


def split(photos: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Pictures to learn from and to judge by: each tenth, in the order of folders and names."""
    every, index = HELD_OUT
    found = [path for word in photos for path in sorted(photo_paths([photo_source(word)]))]
    return (
        [path for k, path in enumerate(found) if k % every != index],
        [path for k, path in enumerate(found) if k % every == index],
    )


def _split_folders(folder: Path) -> tuple[Path, Path]:
    return folder / "pictures" / "train", folder / "pictures" / VALIDATION


def _study(told: Mapping[str, Any], folder: Path) -> Study:
    """A study of several arms as `acutance compare` reads it; of one arm it has no comparison."""
    scale, arms = told["scale"], told["arms"]
    train, validation = _split_folders(folder)
    judged = VALIDATION in told["test"]
    settings: dict[str, object] = {
        "network.name": told["network"],
        "network.scale": scale,
        "data.patch": told["lr_patch"] * scale,
        "data.photos": [str(train)] if judged else [photo_source(w) for w in told["photos"]],
        "data.val": [photo_source(word) for word in told["val"]],
        **told["settings"],
    }
    for word, key in MODELS.items():
        if told.get(word):
            settings[key] = model_source(of_scale(told[word], scale))
    tests = [validation if word == VALIDATION else data_folder() / word for word in told["test"]]
    asked = {f"study.{key}": told[key] for key in ASKED if key in told}
    asked |= {"study.losses": arms, "study.test": [str(test) for test in tests]}
    layers = [(TABLE.name, {**settings, **asked})]
    if len(arms) > 1:
        return make_study(layers)
    question, recipe = join_layers(KIND, layers, Question)
    return Study(replace(question, losses=tuple(map(canonical, arms))), recipe)


def _told(name: str) -> dict[str, Any]:
    """The keys of one study, those of [every] beneath them."""
    table = _table()
    if name not in table["study"]:
        raise InputError(f"{TABLE.name} has no study '{name}'. {nearest(name, names())}")
    told: dict[str, Any] = {}
    settings: dict[str, object] = {}
    for layer in (table["every"], table["study"][name]):
        if unknown := layer.keys() - KEYS:
            raise InputError(f"{TABLE.name}: {name} has '{min(unknown)}', which says nothing.")
        told |= layer
        settings |= layer.get("settings", {})
    if missing := NEEDED - told.keys():
        raise InputError(f"{TABLE.name}: {name} has no '{min(missing)}'.")
    return {**told, "settings": settings}


def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
