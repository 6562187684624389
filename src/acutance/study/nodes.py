"""What a training needs of a node of a cluster, and what the processes there share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acutance.cluster import Needs
from acutance.training.display import Silent
from acutance.training.pictures import Pictures, gather
from acutance.training.recipe import Recipe

_READ: dict[tuple[str, Path], Pictures] = {}  # by this process of a node; the last study's


def pictures_on_node(recipe: Recipe, place: Path) -> Pictures:
    """What all runs of a study learn from, read once by each process of a node."""
    key = repr(recipe), place
    if key not in _READ:
        _READ.clear()
        _READ[key] = gather(recipe, place, Silent())
    return _READ[key]


def needs_of(recipe: Recipe, plan: Mapping[str, Any]) -> Needs:
    """What a run occupies: its threads, and a GPU where it trains on one.

    `plan` is that of the study, whose "device" is what "auto" became: a node hides its GPUs from a
    run that does not ask for one.
    """
    threads, device = recipe.machine.threads, plan["device"]
    return Needs(1 if threads == "auto" else threads, 1 if device == "cuda" else 0)


def told(needs: Needs) -> str:
    """For people."""
    gpus = f" and {needs.gpus} GPU" if needs.gpus else ""
    return f"{needs.cpus} processor core{'s' * (needs.cpus > 1)}{gpus} for a task"
