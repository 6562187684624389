"""What several devices that share each batch ask of a recipe."""

from torch import nn

from acutance.data.batches import slices
from acutance.errors import InputError
from acutance.losses.objective import Objective
from acutance.training.recipe import Recipe
from acutance.training.team import Team


def check_team(recipe: Recipe, team: Team) -> None:
    """Raise InputError where the devices of a recipe are not there, or have not a picture each."""
    asked = recipe.machine.devices * recipe.machine.nodes
    if asked > 1 and team.ranks == 1:
        raise InputError(
            f"The recipe asks for {asked} devices (machine.devices, machine.nodes), and this run "
            "has one: those of a study stand side by side instead. Leave the settings out."
        )
    if recipe.optim.name != "gd":
        pieces = recipe.optim.accumulate
        batch = recipe.data.batch
        advice = f"Use --batch {max(1, min(pieces, batch)) * team.ranks} or more"
        check_slices(batch, pieces, team, advice)


def check_slices(count: int, pieces: int, team: Team, advice: str) -> None:
    """Raise InputError where a device would have no picture to look at."""
    least = min(len(piece) for piece in slices(count, pieces=pieces))
    if least < team.ranks:
        parts = f" in {pieces} parts (optim.accumulate)" if pieces > 1 else ""
        raise InputError(
            f"A step looks at {count} patches{parts}, which are too few for one on each of "
            f"{team.ranks} devices. {advice}, or fewer devices."
        )


def check_alone(network: nn.Module, objective: Objective, team: Team) -> None:
    """Raise InputError for what looks at all pictures of a batch, where a device has a slice."""
    if team.ranks == 1:
        return
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules()):
        raise InputError(
            "A network with batch norm would see the statistics of each device's own pictures, "
            "so that several devices train another one. Choose the constant norm = 'none', or "
            "one device."
        )
    for built in objective.terms:
        if built.contract.batch_coupled:
            raise InputError(
                f"The loss of the term '{built.term}' looks at all pictures of a batch at once "
                "(batch_coupled), of which each device has a slice. Leave it out, or use one "
                "device."
            )
