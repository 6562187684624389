"""A network as the file that other programs load: their layer names, no card."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import torch
from safetensors.torch import save
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.models.activations import LEAKY_SLOPE
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.storage import write_atomically
from acutance.upscaling.export import check_equal, evaluating
from acutance.upscaling.pytorch import engine_of

Tensors = dict[str, Tensor]

_SLOPES = {"leaky_relu": LEAKY_SLOPE, "relu": 0.0}  # each is a PReLU whose slopes are all alike
_ESRGAN_GROWTH = 32  # written into the programs that read its files


def export_community(network: nn.Module, card: ModelCard, path: Path) -> ModelCard:
    """Write a network under the layer names of the programs that the community uses.

    What a layout cannot say is refused, by name: other networks, luma, the head "spread". The
    file is read back as any foreign one and compared before it is put in place.
    """
    if path.suffix != ".safetensors":
        raise InputError(f"{path} must end in .safetensors.")
    content = save(_tensors(network, card))
    with evaluating(network):
        write_atomically(path, lambda temporary: _write_proven(network, content, temporary))
    return card


def _write_proven(network: nn.Module, content: bytes, path: Path) -> None:
    path.write_bytes(content)
    check_equal(network, engine_of(load_model(path)), "The community's file")


def _tensors(network: nn.Module, card: ModelCard) -> Tensors:
    if card.architecture not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        _refuse(f"they know no layout of '{card.architecture}'. Layouts are known for: {known}")
    if card.color != "rgb":
        _refuse("it works on luma, which they would give it no picture of; train it on RGB")
    if card.head:
        _refuse(f"it has the head '{card.head}', which they do not know")
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    return LAYOUTS[card.architecture](tensors, card)


def _refuse(problem: str) -> NoReturn:
    raise InputError(f"The model cannot be written for other programs: {problem}.")


def _compact(tensors: Tensors, card: ModelCard) -> Tensors:
    """SRVGGNetCompact (body.0, body.1, ...): other activations become PReLUs of the same slope."""
    _refuse_entry(card, "unshuffle")
    _refuse_entry(card, "strided")
    skip = card.arguments.get("skip", "nearest")
    if skip != "nearest":
        _refuse(
            f"its layout corrects the nearest pixel, and this model was trained over {skip}; "
            "train with the constant skip = 'nearest'"
        )
    activation = str(card.arguments.get("activation", "leaky_relu"))
    if activation in _SLOPES:
        last = max(int(name.split(".")[1]) for name in tensors)
        features = tensors["body.0.weight"].shape[0]
        for place in range(1, last, 2):
            tensors[f"body.{place}.weight"] = torch.full((features,), _SLOPES[activation])
    return tensors


def _refuse_entry(card: ModelCard, constant: str) -> None:
    if card.arguments.get(constant, 1) != 1:
        _refuse(
            f"they begin '{card.architecture}' with a plain convolution, and this model has "
            f"{constant} = {card.arguments[constant]}; train with the constant {constant} = 1"
        )


def _esrgan(tensors: Tensors, card: ModelCard) -> Tensors:
    """Real-ESRGAN's names, which are ours."""
    _refuse_entry(card, "strided")
    growth = card.arguments.get("growth", _ESRGAN_GROWTH)
    if growth != _ESRGAN_GROWTH:
        _refuse(
            f"they take {_ESRGAN_GROWTH} new features after each convolution as given, and this "
            f"model has {growth}; train with the constant growth = {_ESRGAN_GROWTH}"
        )
    if card.scale & (card.scale - 1):
        _refuse(f"they count enlargements by 2, and this model enlarges by {card.scale}")
    return tensors


LAYOUTS: Mapping[str, Callable[[Tensors, ModelCard], Tensors]] = {
    "compact": _compact,
    "esrgan": _esrgan,
    "span": lambda tensors, _: tensors,  # its authors' names are ours
}
"""By architecture: the weights as its layout has them. Raises InputError for what it cannot say."""
