"""The public verb: photographs in, a trained model out."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.errors import MissingPackageError
from acutance.training.package_recipes import recipe_layers
from acutance.training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from acutance.training.finish import Outcome

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"  # torchrun sets it in what it starts
NEEDED = ("torch", "lightning_fabric", "onnx", "psutil", "jaxtyping")


def train(
    photos: Sequence[str | Path],
    run: str | Path,
    *,
    recipe: str = "",
    scale: int = 0,
    network: str = "",
    loss: str = "",
    steps: int = 0,
    minutes: float = 0.0,
    val: Sequence[str | Path] = (),
    settings: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> "Outcome":
    """Train a network on photographs and leave it, with its scores, in the folder `run`.

    photos: folders, files, or "procedural" for drawn pictures. val: pictures to judge by;
    without them a seeded 5 % of the photographs is held out. recipe: a training by its name in
    `acutance recipes`, such as "esrgan" or "esrgan:paper". What is left out, or 0, is the
    recipe's; without one it is x2, "compact:nano", "l1" and 5 minutes. settings: anything else
    by its name, such as {"optim.rate": 2e-4}; `acutance train --print-config` lists the names.
    The same call continues a run that was cut short. Raises InputError for wrong input and
    RunError if the run itself fails.
    """
    named: dict[str, object] = {
        "data.photos": [str(p) for p in photos],
        "data.val": [str(p) for p in val],
        "network.scale": scale,
        "network.name": network,
        "loss.expression": loss,
        "stop.steps": steps,
        "stop.minutes": minutes,
    }
    given = {key: value for key, value in named.items() if value}
    layers = [*recipe_layers(recipe), ("arguments", given), ("settings", settings or {})]
    return carry_out(make_recipe(layers)[0], Path(run), quiet=quiet)


def carry_out(recipe: Recipe, folder: Path, *, quiet: bool = False) -> "Outcome":
    """Carry out a recipe in `folder`, with what a person sees on stderr."""
    began, started = time.monotonic(), time.time()
    require_training()
    if STARTED_BY_TORCHRUN in os.environ:
        from acutance.training.launch import run_under_torchrun

        return run_under_torchrun(recipe, folder, quiet=quiet, began=started)
    if recipe.machine.devices * recipe.machine.nodes > 1:
        from acutance.training.launch import launch

        return launch(recipe, folder, quiet=quiet, began=started)
    from acutance.training.display import make_display
    from acutance.training.loop import train as run

    with closing(make_display(quiet)) as display:
        return run(recipe, folder, display, spent_s=time.monotonic() - began)


def is_leader() -> bool:
    """Whether this process is the one of several, started by torchrun, that talks to people."""
    return STARTED_BY_TORCHRUN not in os.environ or os.environ.get("RANK", "0") == "0"


def require_training() -> None:
    """Raise MissingPackageError if what trains is not installed."""
    for package in NEEDED:
        if not is_installed(package):
            raise MissingPackageError(package, "train", "Training")


def is_installed(package: str) -> bool:
    """Whether `package` can be imported, without importing it."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
