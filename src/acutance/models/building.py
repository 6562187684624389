"""Make the network that a card describes, with first weights or with given ones."""

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path

import torch
from torch import Tensor, nn

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models import MODELS, split_name
from acutance.models.card import ModelCard
from acutance.models.preset import Constant, Preset
from acutance.models.spread import with_head

LARGEST_CONSTANT = 4096
"""Beyond any width or depth in use: a damaged card must not ask for all memory."""


COLORS = {1: "luma", 3: "rgb"}  # by the number of channels


def describe(
    name: str,
    *,
    scale: int,
    channels: int | None = None,
    arguments: Mapping[str, Constant] | None = None,
    head: str = "",
) -> ModelCard:
    """The card of an untrained network such as "compact:small", every constant written out.

    Raises InputError for names and constants that do not exist, with the nearest that do.
    """
    network, _ = split_name(name)
    preset = find_preset(name)
    known = signature(MODELS.load(network)).parameters
    own = [constant for constant in known if constant != "scale"]
    given = {"channels": preset.channels if channels is None else channels}
    given = {**given, **preset.arguments, **(arguments or {})}
    wrong = next((constant for constant in given if constant not in own), None)
    if wrong is not None:
        raise InputError(
            f"The network '{network}' has no constant '{wrong}'. {nearest(wrong, own)}"
        )
    complete = {constant: given.get(constant, known[constant].default) for constant in own}
    if complete["channels"] not in COLORS:
        raise InputError(
            f"A network has 1 channel (luma) or 3 (RGB), not {complete['channels']!r}."
        )
    color = COLORS[complete["channels"]]
    return ModelCard(architecture=network, scale=scale, arguments=complete, color=color, head=head)


def find_preset(name: str) -> Preset:
    """The Preset that "compact:small" names; without a preset, the network's first."""
    network, wanted = split_name(name)
    presets = MODELS.module(network).PRESETS
    if wanted is None:
        return next(iter(presets.values()))
    if wanted not in presets:
        raise InputError(
            f"The network '{network}' has no preset '{wanted}'. {nearest(wanted, presets)}"
        )
    return presets[wanted]


def completed(card: ModelCard) -> ModelCard:
    """`card` with every constant written out, so that changed defaults change no old file."""
    channels = next(count for count, color in COLORS.items() if color == card.color)
    full = describe(
        card.architecture, scale=card.scale, channels=channels, arguments=card.arguments
    )
    if full.color != card.color:
        raise InputError(
            f"The card says color '{card.color}', but the network has "
            f"{full.arguments['channels']} channels. Train or export the model again."
        )
    return replace(card, architecture=full.architecture, arguments=full.arguments)


def instantiate(card: ModelCard) -> nn.Module:
    """Make the network of `card` with fresh weights, drawn from torch's global generator."""
    card = completed(card)
    network = MODELS.load(card.architecture)
    scales = getattr(network, "scales", (card.scale,))
    if card.scale not in scales:
        known = ", ".join(map(str, scales))
        raise InputError(
            f"The network '{card.architecture}' is not made for scale {card.scale}. Known: {known}."
        )
    known = signature(network).parameters
    for name, value in card.arguments.items():
        _check_constant(name, value, known[name].default)
    return with_head(network(scale=card.scale, **card.arguments), card.head)


def _check_constant(name: str, value: object, default: object) -> None:
    fits = type(value) is type(default) or (type(value) is int and type(default) is float)
    if not fits:
        raise InputError(f"The constant '{name}' must be like {default!r}, not {value!r}.")
    if type(value) is int and not 1 <= value <= LARGEST_CONSTANT:
        raise InputError(
            f"The constant '{name}' must lie between 1 and {LARGEST_CONSTANT}, not be {value}."
        )


def skeleton(card: ModelCard) -> nn.Module:
    """The network of `card` with shapes but no memory for weights; takes no random numbers."""
    with torch.device("meta"):
        return instantiate(card)


def misfit(network: nn.Module, tensors: Mapping[str, Tensor]) -> str | None:
    """What stands between `tensors` and the weights of `network`; None where they fit."""
    own = network.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            return f"'{name}' is missing"
        if tensors[name].shape != tensor.shape:
            found, needed = tuple(tensors[name].shape), tuple(tensor.shape)
            return f"'{name}' has the shape {found} instead of {needed}"
        if tensors[name].is_floating_point() != tensor.is_floating_point():  # counters are whole
            needed = "floating point" if tensor.is_floating_point() else "whole numbers"
            return f"'{name}' is {tensors[name].dtype}, not {needed}"
    extra = sorted(tensors.keys() - own.keys())
    return f"'{extra[0]}' is not part of the network" if extra else None


def fitted(card: ModelCard, tensors: Mapping[str, Tensor], file: Path) -> nn.Module:
    """The network of `card` with `tensors` as its weights, in eval mode."""
    network = skeleton(card)
    problem = misfit(network, tensors)
    if problem is not None:
        raise InputError(
            f"{file} does not fit the network {card.architecture} x{card.scale}: {problem}. "
            "The file is damaged, or it holds another network."
        )
    # copies, which torch aligns: a file's own places may lead to other kernels and last bits
    types = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    own = {name: tensor.to(types[name], copy=True) for name, tensor in tensors.items()}
    network.load_state_dict(own, assign=True)
    return network.eval()
