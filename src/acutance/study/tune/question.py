"""What a search asks: what may vary, what counts, how long, and the recipe that trials share."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from acutance.errors import InputError
from acutance.evaluation.judging import card_of
from acutance.evaluation.scored_terms import check_scorer_is_no_term
from acutance.losses.expression import parse_loss
from acutance.study.settings import Kind, as_tables, join_layers, plain, read_tables, run_recipe
from acutance.study.tune.space import Space, pool_space, weight_space
from acutance.training.recipe import Recipe, Settings

_STRICT = ConfigDict(extra="forbid")
Count = Annotated[int, Field(ge=1)]
KIND = Kind(
    "tune",
    "the search's own",
    {
        "loss.expression": "--loss or --terms",
        "stop.steps": "--steps",
        "stop.minutes": "--steps",
        "stop.until": "--steps",
        "first.loss": "--from with a model that was trained before",
    },
)
RECORD = "tune.toml"  # in the folder of the search
FREE_TO_CHANGE = ("trials", "front", "again", "storage")  # a search may be made longer


@dataclass(frozen=True, config=_STRICT)
class Search:
    """What is looked for, by what, and how long."""

    loss: str = ""  # with free names
    ranges: dict[str, str] = Field(default_factory=dict)
    terms: tuple[str, ...] = ()
    objective: tuple[str, ...] = ("psnr", "lpips")
    trials: Count = 40
    steps: Count = 300  # of a trial that survives
    rungs: Annotated[int, Field(ge=1, le=5)] = 3  # halts, each at twice the steps of the last
    keep: Annotated[float, Field(gt=0, le=1)] = 0.5  # share of trials that goes on at a halt
    sampler: Literal["tpe", "nsga2", "gp", "qmc", "random"] = "tpe"
    seed: Annotated[int, Field(ge=0)] = 0  # of the sampler; all trials have the recipe's seed
    protocol: str = "y@1"
    storage: str = ""  # empty: a journal file in the folder
    front: Count = 5  # members of the front that are run again
    again: Annotated[int, Field(ge=2)] = 3  # fresh seeds for each of them

    def lasting(self) -> dict[str, Any]:
        """What stays as it is while a search is continued; it may be made longer."""
        return plain({k: v for k, v in asdict(self).items() if k not in FREE_TO_CHANGE})


@dataclass(frozen=True)
class Tuning:
    """A search and the recipe that its trials share."""

    search: Search
    recipe: Recipe

    @cached_property
    def space(self) -> Space:
        """What trials vary."""
        search = self.search
        return (
            pool_space(search.terms) if search.terms else weight_space(search.loss, search.ranges)
        )

    @property
    def stops(self) -> tuple[int, ...]:
        """Steps at which a trial halts: the whole, half of it, a quarter ... in order."""
        steps = (self.search.steps >> k for k in reversed(range(self.search.rungs)))
        return tuple(sorted({max(1, step) for step in steps}))

    def recipe_of(self, loss: str, *, seed: int, steps: int) -> Recipe:
        """The recipe of one trial."""
        return run_recipe(self.recipe, loss, steps=steps, seed=seed)

    def to_tables(self) -> dict[str, Any]:
        """As the tables of a TOML file, every default written out."""
        return as_tables(KIND, self.search, self.recipe)


def read_tuning(path: Path) -> dict[str, object]:
    """The settings of a search's TOML file as "tune.loss" -> value, "optim.rate" -> value."""
    settings, asked = read_tables(path, KIND)
    if not isinstance(asked, dict):
        raise InputError(f'{path} is no search: it has no [tune] with loss = "l1 + w*fft".')
    return {**settings, **{f"tune.{key}": value for key, value in asked.items()}}


def make_tuning(layers: Sequence[tuple[str, Settings]]) -> Tuning:
    """Join layers of settings, later ones first in rank, into a checked search."""
    search, recipe = join_layers(KIND, layers, Search)
    return _checked(Tuning(search, recipe))


def _checked(tuning: Tuning) -> Tuning:
    """Refuse what no search can come of."""
    search = tuning.search
    if bool(search.loss) == bool(search.terms):
        raise InputError("Give --loss with names to look for, or --terms to share, and not both.")
    if search.terms and search.ranges:
        raise InputError("--range is for the names of --loss; --terms has none.")
    if not 1 <= len(search.objective) <= 3 or len(set(search.objective)) < len(search.objective):
        raise InputError(
            f"--objective takes one to three different metrics, not {', '.join(search.objective)}."
        )
    for metric in search.objective:
        card_of(metric)
    tuning.space  # noqa: B018  reads the ranges
    whole = search.loss or " + ".join(search.terms)
    check_scorer_is_no_term(parse_loss(whole), search.objective)
    return tuning
