"""What a recipe's network is, before there is one."""

from acutance.models.building import describe
from acutance.models.card import ModelCard
from acutance.training.recipe import NetworkChoice

CHANNELS = {"rgb": 3, "luma": 1, "auto": None}  # auto: the preset's own


def blank_card(choice: NetworkChoice) -> ModelCard:
    """The card of the network, untrained, every constant written out."""
    return describe(
        choice.name,
        scale=choice.scale,
        channels=CHANNELS[choice.color],
        arguments=choice.arguments,
        head=choice.head,
    )
