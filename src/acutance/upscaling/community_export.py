"""A Compact network as the file that other programs load: their layer names, PReLU, no card."""

from pathlib import Path

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

_SLOPES = {"leaky_relu": LEAKY_SLOPE, "relu": 0.0}  # each is a PReLU whose slopes are all alike


def export_community(network: nn.Module, card: ModelCard, path: Path) -> ModelCard:
    """Write a Compact network in the layout of SRVGGNetCompact (body.0, body.1, ...).

    Other activations become PReLUs that compute the same. What that layout cannot say is
    refused: other networks, the bicubic enlargement, luma, the head "spread". The file is read
    back as any foreign one and compared before it is put in place.
    """
    if path.suffix != ".safetensors":
        raise InputError(f"{path} must end in .safetensors.")
    problem = _problem(card)
    if problem is not None:
        raise InputError(f"The model cannot be written for other programs: {problem}.")
    content = save(_tensors(network, card))
    with evaluating(network):
        write_atomically(path, lambda temporary: _write_proven(network, content, temporary))
    return card


def _write_proven(network: nn.Module, content: bytes, path: Path) -> None:
    path.write_bytes(content)
    check_equal(network, engine_of(load_model(path)), "The community's file")


def _problem(card: ModelCard) -> str | None:
    if card.architecture != "compact":
        return f"the layout is known for 'compact' only, and this is '{card.architecture}'"
    if card.arguments.get("skip", "nearest") != "nearest":
        return (
            f"its layout corrects the nearest pixel, and this model was trained over "
            f"{card.arguments['skip']}; train with the constant skip = 'nearest'"
        )
    if card.color != "rgb":
        return "it works on luma, which they would give it no picture of; train it on RGB"
    return "it has the head 'spread', which they do not know" if card.head else None


def _tensors(network: nn.Module, card: ModelCard) -> dict[str, Tensor]:
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    activation = str(card.arguments.get("activation", "leaky_relu"))
    if activation in _SLOPES:
        last = max(int(name.split(".")[1]) for name in tensors)
        features = tensors["body.0.weight"].shape[0]
        for place in range(1, last, 2):
            tensors[f"body.{place}.weight"] = torch.full((features,), _SLOPES[activation])
    return tensors
