"""Weights made elsewhere: read without running anything, recognised by their layers' names."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.models import MODELS
from acutance.models.building import describe, fitted, misfit, skeleton
from acutance.models.card import damaged
from acutance.models.layouts import Recognised, as_ours, recognised

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
    except Exception as error:  # its reader of pickles raises whatever damage makes of it
        # torch's own text may advise to load the file unrestricted: never repeated
        if isinstance(error, UnpicklingError) or "TorchScript" in str(error):
            raise InputError(
                f"{file} holds more than tensors, or is damaged, and was not opened: such a file "
                "can run programs. Ask its author for .safetensors, or for the weights alone."
            ) from None
        raise damaged(file, ValueError("it is not a whole file of torch.save")) from None


def recognise(
    file: Path, tensors: Mapping[str, Tensor], *, architecture: str | None = None
) -> Recognised | None:
    """The card of weights that carry none, and the weights under our names; None where unknown.

    As `architecture` says, or by their layout. Where the layout fits several scales, the weights
    are tried at each.
    """
    if architecture is not None:
        return _named(file, tensors, architecture)
    found = recognised(tensors)
    return _at_its_scale(file, found) if found is not None and found.scales else found


def _at_its_scale(file: Path, found: Recognised) -> Recognised:
    """`found` with the one of its scales at which the network, reduced again, gives its input.

    A network enlarges an edge cleanly at the scale it was trained for, and at others it shifts it:
    the published PAN for x2 and x3 miss by 3 to 8 times as much at the other's scale.
    """
    edges = torch.full((1, int(found.card.arguments["channels"]), 32, 32), 0.2)
    edges[..., 16:] = 0.8
    edges[:, :, 10:20, 5:12] = 0.5
    misses = {}
    for scale in found.scales:
        network = fitted(replace(found.card, scale=scale), found.tensors, file)
        with torch.inference_mode():
            again = F.interpolate(
                network(edges), edges.shape[2:], mode="bicubic", antialias=True, align_corners=False
            )
        inner = (again - edges)[:, :, 4:-4, 4:-4]  # without what the network does at borders
        misses[scale] = float(inner.square().mean())
    best, second = sorted(misses, key=misses.__getitem__)[:2]
    if not 4 * misses[best] < misses[second]:  # twice as far; false for NaN
        name = found.card.architecture
        raise InputError(
            f"{file} fits '{name}' at several scales. Say which, as in '{name}@{found.scales[0]}'."
        )
    return replace(found, card=replace(found.card, scale=best))


def unknown_layout(file: Path, tensors: Mapping[str, Tensor]) -> InputError:
    """What to say of weights that nothing here recognises."""
    first = ", ".join(sorted(tensors)[:3])
    return InputError(
        f"{file} has no card, and its layers ({first} ...) are of no known layout. "
        f"{_NAME_A_NETWORK} The extra 'community' knows many more: "
        "pip install 'acutance[community]'."
    )


def _named(file: Path, tensors: Mapping[str, Tensor], architecture: str) -> Recognised:
    """The weights as "network:preset@scale"; the scale may be left out where only one fits."""
    name, _, wanted = architecture.partition("@")
    if wanted and not wanted.isdecimal():
        raise InputError(f"'{architecture}' names no scale behind '@'. Write, for x2, '{name}@2'.")
    network = MODELS.load(name.partition(":")[0])
    tensors = as_ours(name.partition(":")[0], tensors)
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
    return Recognised(fitting[0], tensors)
