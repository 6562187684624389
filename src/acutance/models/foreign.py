"""Weights made elsewhere: read without running anything, recognised by their layers' names."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from acutance.errors import InputError
from acutance.models import MODELS
from acutance.models.building import COLORS, describe, misfit, skeleton
from acutance.models.card import ModelCard, damaged

# where training programs keep the weights: the smooth ones before the raw ones
_PLACES = ("params_ema", "params", "state_dict")
_NAME_A_NETWORK = "Name it, as in architecture='compact:general@4' (network:preset@scale)."


def read_pickled_tensors(file: Path) -> dict[str, Tensor]:
    """The weights in a .pth. Only tensors and plain containers are read; code is refused unrun.

    Where the file holds several sets, smooth weights come first: params_ema, params, state_dict,
    then the bare dictionary. The prefix "module." of distributed training is taken off.
    """
    content = _load_unrun(file)
    for place in _PLACES:
        if isinstance(content, dict) and isinstance(content.get(place), dict):
            content = content[place]
            break
    if not isinstance(content, dict) or not content:
        raise InputError(f"{file} holds no table of weights. {_NAME_A_NETWORK}")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if len(tensors) < len(content):
        raise InputError(
            f"{file} holds no table of weights: beside {len(tensors)} tensors it has other things "
            f"under {', '.join(_PLACES)} or at the top. Save the weights alone."
        )
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


def _load_unrun(file: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual formats, which we judge below
            return torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, UnpicklingError) as error:
        # torch's own text may advise to load the file unrestricted: never repeated
        if isinstance(error, UnpicklingError) or "TorchScript" in str(error):
            raise InputError(
                f"{file} holds more than tensors, or is damaged, and was not opened: such a file "
                "can run programs. Ask its author for .safetensors, or for the weights alone."
            ) from None
        raise damaged(file, ValueError("it is not a whole file of torch.save")) from None


def recognise(
    file: Path, tensors: Mapping[str, Tensor], *, architecture: str | None = None
) -> ModelCard:
    """The card of weights that carry none: as `architecture` says, or by their layout."""
    if architecture is not None:
        return _named(file, tensors, architecture)
    card = _compact(tensors)
    if card is None:
        first = ", ".join(sorted(tensors)[:3])
        raise InputError(
            f"{file} has no card, and its layers ({first} ...) are of no known layout. "
            f"{_NAME_A_NETWORK}"
        )
    return card


def _compact(tensors: Mapping[str, Tensor]) -> ModelCard | None:
    """The community's layout: body.0 a convolution, body.1 a PReLU, ... body.N a convolution.

    Width, depth, channels and scale are read from the shapes. Without the slopes of PReLU the
    activation cannot be known, so such files are not recognised.
    """
    found = [re.fullmatch(r"body\.(\d+)\.(weight|bias)", name) for name in tensors]
    numbers = [int(match[1]) for match in found if match]
    if not numbers or None in found or max(numbers) % 2 or max(numbers) < 4:
        return None
    first, slopes = tensors.get("body.0.weight"), tensors.get("body.1.weight")
    last = tensors.get(f"body.{max(numbers)}.weight")
    if first is None or slopes is None or last is None or first.ndim != 4 or slopes.ndim != 1:
        return None
    features, channels = first.shape[:2]
    if channels not in COLORS:
        return None
    scale = round((last.shape[0] / channels) ** 0.5)
    arguments = {
        "channels": channels,
        "features": features,
        "convolutions": max(numbers) // 2 - 1,
        "activation": "prelu",
        "skip": "nearest",
    }
    return ModelCard(
        architecture="compact",
        arguments=arguments,
        scale=scale,
        color=COLORS[channels],
    )


def _named(file: Path, tensors: Mapping[str, Tensor], architecture: str) -> ModelCard:
    """The card of "network:preset@scale"; the scale may be left out where only one fits."""
    name, _, wanted = architecture.partition("@")
    if wanted and not wanted.isdecimal():
        raise InputError(f"'{architecture}' names no scale behind '@'. Write, for x2, '{name}@2'.")
    network = MODELS.load(name.partition(":")[0])
    scales = (int(wanted),) if wanted else getattr(network, "scales", (2, 3, 4))
    cards = [describe(name, scale=scale) for scale in scales]
    problems = [misfit(skeleton(card), tensors) for card in cards]
    fitting = [card for card, problem in zip(cards, problems, strict=True) if problem is None]
    if not fitting:
        raise InputError(f"{file} does not fit '{architecture}': {problems[0]}. {_NAME_A_NETWORK}")
    if len(fitting) > 1:
        raise InputError(
            f"{file} fits '{name}' at several scales. Say which, as in '{name}@{fitting[0].scale}'."
        )
    return fitting[0]
