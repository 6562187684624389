"""Networks that grow octave by octave: their levels, and a trained one cut to a lower level.

Such a network says `grows = True`. Its layers come level by level, so that the weights of a lower
scale are a part of those of a higher one, under the same names. `forward(lr, upto=s)` runs no
layer above the level s. In train mode the result is {"sr", "x2", ...}, "sr" being the picture at
the level s and the others those of the levels below it; in eval mode, and where there is no level
below, it is the picture alone.
"""

from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from acutance.errors import InputError
from acutance.models import MODELS
from acutance.models.building import skeleton
from acutance.models.card import ModelCard


def octaves(scale: int) -> tuple[int, ...]:
    """The levels up to `scale`, a power of 2: 8 has (2, 4, 8)."""
    return tuple(2**k for k in range(1, scale.bit_length()))


def levels_of(network: nn.Module) -> tuple[int, ...]:
    """The scales that a network can be run up to, its own last; empty where it has no levels."""
    scale = cast(int, network.scale)
    return octaves(scale) if getattr(network, "grows", False) else ()


def level_name(scale: int) -> str:
    """The output of a level below the one that is run up to."""
    return f"x{scale}"


def given(pictures: list[Tensor], training: bool) -> Tensor | dict[str, Tensor]:
    """What a network gives that has made `pictures`, one a level, the largest last."""
    if not training or len(pictures) == 1:
        return pictures[-1]
    lower = {level_name(2 ** (k + 1)): picture for k, picture in enumerate(pictures[:-1])}
    return {"sr": pictures[-1], **lower}


def depth_of(upto: int | None, scale: int) -> int:
    """How many levels lead to the scale `upto`; None is all the way to `scale`."""
    if upto is None:
        return len(octaves(scale))
    if upto not in octaves(scale):
        known = ", ".join(map(str, octaves(scale)))
        raise InputError(f"A network of scale {scale} has no level {upto}. Known: {known}.")
    return octaves(scale).index(upto) + 1


def growing_networks() -> tuple[str, ...]:
    """Names of the networks that have levels."""
    return tuple(n for n in MODELS.names() if getattr(MODELS.load(n), "grows", False))


def cut(network: nn.Module, card: ModelCard, scale: int) -> tuple[nn.Module, ModelCard]:
    """A network as one of the lower `scale`, with the weights it has, and the card of that.

    Raises InputError where it has no such level, or was not trained for it.
    """
    levels = levels_of(network)
    if not levels:
        raise InputError(
            f"The network '{card.architecture}' has one scale, {card.scale}, and no lower levels. "
            f"Those that can be cut: {', '.join(growing_networks())}."
        )
    if scale not in card.levels:
        trained = ", ".join(map(str, card.levels)) or "none"
        raise InputError(
            f"This model of scale {card.scale} was not trained for scale {scale}. Lower levels it "
            f"was trained for: {trained}. Train it with data.levels = 'joint'."
        )
    lower = replace(
        card,
        scale=scale,
        levels=tuple(level for level in card.levels if level < scale),
        name=card.name.replace(f"_x{card.scale}", f"_x{scale}"),
        scores=None,
        int8=None,
        weights="",
    )
    small, state = skeleton(lower), network.state_dict()
    small.load_state_dict({name: state[name].clone() for name in small.state_dict()}, assign=True)
    return small.eval(), lower
