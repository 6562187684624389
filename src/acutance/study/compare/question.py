"""What a study asks: the arms, budgets and seeds, what judges them, and the recipe they share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.evaluation.protocols import find_protocol
from acutance.losses.expression import parse_loss
from acutance.metrics import METRICS
from acutance.study.settings import Kind, as_tables, join_layers, read_tables, run_recipe
from acutance.training.lessons import looks_at_teacher
from acutance.training.recipe import Recipe, Settings, absolute, plain_settings
from acutance.training.record import differences as recipe_differences

_STRICT = ConfigDict(extra="forbid")
Count = Annotated[int, Field(ge=1)]

RECORD = "study.toml"  # in the study's folder: what it asks, and what was settled at its start

KIND = Kind(
    "study",
    "a study's own",
    {
        "loss.expression": "--loss, once for each arm",
        "seed": "--seeds",
        "stop.steps": "--steps",
        "stop.minutes": "--steps",
        "stop.until": "--steps",
        "first.loss": "--from with a model that was trained before",
    },
)


@dataclass(frozen=True, config=_STRICT)
class Question:
    """What is compared, and by what. The first loss is the one that others are held against."""

    losses: tuple[str, ...] = ()
    steps: tuple[Count, ...] = (3000,)  # budgets, each with its own full schedule
    seeds: Count = 5
    equal: Literal["steps", "time"] = "steps"  # time: a budget is the first loss's; others fit in
    test: tuple[str, ...] = ()  # folders of pictures that nothing is trained on
    metrics: tuple[str, ...] = ("psnr", "ssim")
    primary: str = "psnr"  # what the verdict is about
    protocol: str = "y@1"
    against: Literal["first", "all"] = "first"
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    show: tuple[str, ...] = ()  # pictures for the report's crops; none: those of `test`
    blind: tuple[str, ...] = ()  # files of a blind test of the arms
    dial: tuple[str, ...] = ()  # two arms whose mixtures are scored, too
    dial_points: Annotated[int, Field(ge=2)] = 8  # with both ends


@dataclass(frozen=True)
class Study:
    """A question and the recipe that all its runs share."""

    question: Question
    recipe: Recipe

    def recipe_of(self, loss: str, steps: int, seed: int) -> Recipe:
        """The recipe of one run."""
        return run_recipe(self.recipe, loss, steps=steps, seed=seed)

    def to_tables(self) -> dict[str, Any]:
        """As the tables of a TOML file, every default written out."""
        return as_tables(KIND, self.question, self.recipe)


def read_study(path: Path) -> dict[str, object]:
    """The settings of a study's TOML file as "study.losses" -> value, "optim.rate" -> value.

    Relative folders and models are relative to the file.
    """
    settings, asked = read_tables(path, KIND)
    if not isinstance(asked, dict) or not asked.get("losses"):
        raise InputError(f'{path} is no study: it has no [study] with losses = ["l1", ...].')
    for key in ("test", "show", "blind"):
        if isinstance(asked.get(key), list):
            asked[key] = [absolute(str(folder), folder=path.parent) for folder in asked[key]]
    return {**settings, **{f"study.{key}": value for key, value in asked.items()}}


def make_study(layers: Sequence[tuple[str, Settings]]) -> Study:
    """Join layers of settings, later ones first in rank, into a checked study.

    Raises InputError for an unknown setting, for an arm whose loss cannot be read, for equal
    arms, for a single arm or seed, and for settings that the study itself gives its runs.
    """
    question, recipe = join_layers(KIND, layers, Question)
    checked = _checked(question)
    if checked.dial and not recipe.network.start:
        raise InputError(
            "A dial needs two arms of one origin: name the model that all arms go on from by "
            "--from, or leave out --dial."
        )
    if checked.dial and recipe.network.shrink:
        raise InputError(
            "A dial mixes networks that enlarge the same lr, and with network.shrink each arm has "
            "its own. Leave out one of the two."
        )
    teacher = recipe.loss.teacher
    if teacher and not any(map(looks_at_teacher, checked.losses)):
        raise InputError(
            f"No arm looks at the teacher {teacher}. Add one, as in 'output_distillation', or "
            "leave loss.teacher out."
        )
    return Study(checked, recipe)


def _checked(question: Question) -> Question:
    """Losses in canonical form; refuse what no answer can come of."""
    losses = tuple(_read_arm(k, text) for k, text in enumerate(question.losses, start=1))
    for k, loss in enumerate(losses, start=1):
        first = losses.index(loss) + 1
        if first < k:
            raise InputError(
                f"Arms {first} and {k} are the same loss, '{loss}'. Leave one out; a study of "
                "chance alone is made of other seeds of one arm."
            )
    if len(losses) < 2:
        raise InputError(
            "A comparison needs two losses or more: --loss l1 --loss mse. The first is the one "
            "that the others are held against."
        )
    if question.seeds < 2:
        raise InputError(
            "One seed cannot tell a difference from chance. Use --seeds 5, or 2 at the least."
        )
    if not question.test:
        raise InputError("Nothing to judge by: name --test FOLDER, pictures never trained on.")
    if not question.steps:
        raise InputError("No budget is given: --steps 3000, or 1000,5000 for two.")
    find_protocol(question.protocol)
    metrics = tuple(dict.fromkeys((question.primary, *question.metrics)))
    for metric in metrics:
        METRICS.place(metric)
    steps = tuple(sorted(set(question.steps)))
    dial = _ends(question.dial, losses)
    return replace(question, losses=losses, metrics=metrics, steps=steps, dial=dial)


def _ends(dial: tuple[str, ...], losses: tuple[str, ...]) -> tuple[str, ...]:
    """The two arms of a dial in canonical form, or none."""
    ends = tuple(_canonical(text) for text in dial)
    for text, loss in zip(dial, ends, strict=True):
        if loss not in losses:
            raise InputError(
                f"The dial's '{text}' is no arm of this study. {nearest(loss, losses)}"
            )
    if ends and (len(ends) != 2 or ends[0] == ends[1]):
        raise InputError(f"A dial lies between two arms, not {len(set(ends))}: --dial l1 mse.")
    return ends


def _canonical(text: str) -> str:
    try:
        return str(parse_loss(text))
    except InputError:
        return text


def _read_arm(number: int, text: str) -> str:
    """The loss in canonical form."""
    try:
        expression = parse_loss(text)
    except InputError as error:
        raise InputError(f"Arm {number}, '{text}': {error}") from error
    if expression.free:
        names = ", ".join(expression.free)
        raise InputError(
            f"Arm {number}, '{text}', leaves {names} open. Give numbers, or look for them by "
            "acutance tune."
        )
    return str(expression)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What of a study's tables has changed that its runs depend on, as lines for people.

    Arms, budgets, seeds, test sets and metrics may be added to or left out: each run stands for
    itself.
    """
    lines = recipe_differences(plain_settings(old["recipe"]), plain_settings(new["recipe"]))
    for key in ("equal", "protocol"):
        if old["study"].get(key) != new["study"].get(key):
            lines.append(f"  {key}: {old['study'].get(key)!r} there, {new['study'][key]!r} now")
    first, now = old["study"]["losses"][0], new["study"]["losses"][0]
    if new["study"]["equal"] == "time" and first != now:
        lines.append(f"  first loss, whose time is everyone's: '{first}' there, '{now}' now")
    return lines


def folder_name(loss: str) -> str:
    """What an arm's folder is called: its loss in letters that every system allows."""
    if re.fullmatch(r"[a-z0-9_]+", loss):
        return loss
    words = re.sub(r"[^a-z0-9.]+", "-", loss.lower()).strip("-.")
    return f"{words[:60]}-{sha256(loss.encode()).hexdigest()[:6]}"
