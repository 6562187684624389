"""The learned F of a run: how it begins, and what the run leaves of it."""

from dataclasses import replace
from pathlib import Path

from torch import nn

from acutance.errors import InputError
from acutance.models.card import SHRINK_FILE, ModelCard, find_model
from acutance.models.rescaling import Rescaler, card_of, load_shrinker, save_shrinker
from acutance.models.shrinker import make_shrinker
from acutance.training.recipe import NetworkChoice


def with_shrinker(generator: nn.Module, choice: NetworkChoice) -> Rescaler:
    """`generator` with the F that `choice` names before it.

    F begins as bicubic, or as that of the run whose model the generator begins from.
    """
    channels = int(generator.channels)  # pyright: ignore[reportArgumentType]
    shrinker = make_shrinker(choice.shrink, scale=choice.scale, channels=channels)
    beside = _beside(choice.start)
    if beside is not None:
        try:
            shrinker.load_state_dict(load_shrinker(beside)[0].state_dict())
        except RuntimeError as error:
            raise InputError(
                f"--from {choice.start} has an F of another size than network.shrink = "
                f"'{choice.shrink}', in {beside}. Name the same, or begin from another model."
            ) from error
    return Rescaler(shrinker, generator)


def leave_shrinker(network: Rescaler, card: ModelCard, folder: Path) -> ModelCard:
    """Save F in `folder`; the card of the model, which from then on says that it goes with it."""
    own = card_of(network.shrinker, name=f"shrinker_{card.name}", steps=card.steps)
    save_shrinker(network.shrinker, own, folder / SHRINK_FILE)
    return replace(card, shrunk_by=own.weights)


def _beside(start: str) -> Path | None:
    """The learned F of the run that `start` is the model of, where it had one."""
    if not start:
        return None
    found = find_model(Path(start)).with_name(SHRINK_FILE)
    return found if found.is_file() else None
