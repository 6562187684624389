"""Two stages: a run of its own for fidelity, and the run proper from the model that it leaves."""

from dataclasses import replace
from pathlib import Path

from acutance.training.lessons import with_expression
from acutance.training.recipe import Recipe, StopChoice

FIRST = "first"  # folder of the first stage within that of the run
DEFAULT_MINUTES = 5.0  # of a whole run for which nothing is said


def has_first(recipe: Recipe) -> bool:
    """Whether another stage comes before the run's own."""
    return bool(recipe.first.loss) and not recipe.network.start


def first_stage(recipe: Recipe) -> Recipe:
    """The stage before as a recipe of its own: its loss, its part of the length, one stage."""
    first = recipe.first
    rate = recipe.optim.rate if first.rate == "auto" else first.rate
    milestones = recipe.optim.milestones if first.milestones == "auto" else first.milestones
    stop = _part(recipe.stop, first.share, steps=_first_steps(recipe))
    return replace(
        recipe,
        loss=replace(with_expression(recipe.loss, first.loss), balance=""),
        first=replace(first, loss=""),
        optim=replace(recipe.optim, rate=rate, milestones=milestones),
        stop=replace(stop, until="converged" if stop.until else ""),  # fidelity alone is its aim
    )


def main_stage(recipe: Recipe, start: Path | None = None) -> Recipe:
    """The run proper: what is left of the length, from `start`, the first stage's folder.

    A recipe of one stage is its own. Without `start` it can be planned, timed and checked.
    """
    if not has_first(recipe):
        return recipe
    steps = recipe.stop.steps - _first_steps(recipe)
    network = replace(recipe.network, start="" if start is None else str(start))
    return replace(
        recipe, network=network, stop=_part(recipe.stop, 1 - recipe.first.share, steps=steps)
    )


def _first_steps(recipe: Recipe) -> int:
    """Steps of the first stage, so that each has one; 0 where minutes count."""
    steps = recipe.stop.steps
    return steps and min(max(1, round(recipe.first.share * steps)), steps - 1)


def _part(stop: StopChoice, share: float, *, steps: int) -> StopChoice:
    """A stage's part: `steps`, or a share of the minutes; each stage converges by itself."""
    if stop.until and not stop.minutes:
        return replace(stop, steps=steps)
    minutes = 0.0 if steps and not stop.minutes else (stop.minutes or DEFAULT_MINUTES) * share
    return replace(stop, steps=steps, minutes=minutes)
