"""Save a network so that its file alone rebuilds it; load one, ours or made elsewhere."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from acutance.errors import InputError, MissingPackageError, RunError
from acutance.models.building import completed, fitted, misfit, skeleton
from acutance.models.card import (
    METADATA_KEY,
    ModelCard,
    damaged,
    find_model,
    parse_card,
    safetensors_metadata,
)
from acutance.models.community import adopted, is_adopted
from acutance.models.foreign import read_pickled_tensors, recognise, unknown_layout
from acutance.storage import write_atomically

_NEEDS = {"reach": None, "bound": None, "multiple": 1}  # what a network says of itself
PICKLED = (".pth", ".pt", ".ckpt")


def save_model(network: nn.Module, card: ModelCard, path: Path, *, half: bool = False) -> ModelCard:
    """Write `network` with its card as .safetensors, whole or not at all.

    The card that is written, with reach and digest filled in, is returned: an ONNX twin of the
    same network carries the same. Weights that are not finite are refused. With `half` they are
    stored in 16 bits, and read as the same numbers in 32: so they must be what `halve` leaves.
    """
    if path.suffix != ".safetensors":
        raise InputError(f"{path} must end in .safetensors: models are saved in no other form.")
    tensors = _tensors(network)
    broken = next((name for name, t in tensors.items() if not t.isfinite().all()), None)
    if broken is not None:
        raise RunError(
            f"{path} is not written: the weights '{broken}' hold numbers that are not finite. "
            "Go back to an earlier snapshot and train with a smaller rate."
        )
    full = stamped(card, network)
    problem = None if is_adopted(full) else misfit(skeleton(full), tensors)
    if problem is not None:
        raise InputError(f"{path} is not written: its card describes another network: {problem}.")
    if half:
        tensors = {name: _in_half(name, tensor, path) for name, tensor in tensors.items()}
    write_atomically(path, save(tensors, metadata={METADATA_KEY: full.to_json()}))
    return full


def halve(network: nn.Module) -> None:
    """Round the weights to what 16 bits hold, in place; they stay float32."""
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())


def _in_half(name: str, tensor: Tensor, path: Path) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    if not torch.equal(half.to(tensor.dtype), tensor):
        raise InputError(
            f"{path} is not written: '{name}' does not fit into 16 bits. Round the weights first, "
            "by halve."
        )
    return half


def stamped(card: ModelCard, network: nn.Module) -> ModelCard:
    """`card` with all constants, and with the network's reach and the digest of its weights."""
    needs = {name: getattr(network, name, default) for name, default in _NEEDS.items()}
    full = card if is_adopted(card) else completed(card)
    return replace(full, weights=digest_of(network), **needs)


def digest_of(network: nn.Module) -> str:
    """SHA-256 of the weights by their names, types and shapes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(_tensors(network).items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().data)
    return digest.hexdigest()


def load_model(
    path: str | Path, *, architecture: str | None = None, device: str = "cpu"
) -> nn.Module:
    """Load a network from a run folder, a .safetensors or a .pth; ready to use, with its `.card`.

    Weights made elsewhere are recognised by their layers' names; where that is not possible,
    `architecture` says what they are: "vdsr:20@2" is the network, its preset and the scale.
    Nothing that a file holds is ever executed.
    """
    file = find_model(Path(path))
    if file.suffix in PICKLED:
        tensors, text = read_pickled_tensors(file), None
    elif file.suffix == ".safetensors":
        tensors, text = read_tensors(file), safetensors_metadata(file).get(METADATA_KEY)
    else:
        raise InputError(
            f"{file} is not a model that can be loaded: its name must end in .safetensors or .pth."
        )
    if text is None or architecture is not None:
        network, card = _made_elsewhere(file, tensors, architecture)
    else:
        card = parse_card(file, text)
        network = adopted(tensors, file)[0] if is_adopted(card) else fitted(card, tensors, file)
    full = card if card.weights else stamped(card, network)
    network.card = full  # pyright: ignore[reportArgumentType]  # torch takes any attribute
    return network.to(device)


def _made_elsewhere(
    file: Path, tensors: Mapping[str, Tensor], architecture: str | None
) -> tuple[nn.Module, ModelCard]:
    found = recognise(file, tensors, architecture=architecture)
    if found is not None:
        return fitted(found.card, found.tensors, file), found.card
    try:
        return adopted(tensors, file)
    except MissingPackageError:
        raise unknown_layout(file, tensors) from None


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file. Raises InputError where it is damaged."""
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise damaged(file, error) from error


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    state = network.state_dict()
    return {name: t.detach().cpu().contiguous() for name, t in state.items()}
