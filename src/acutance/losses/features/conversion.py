"""Put weights made elsewhere into the user's folder: read unrun, recognised, stored whole."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.features.weights import HEADS, KNOWN, known, shapes_of, user_folder
from acutance.models.foreign import read_pickled_tensors
from acutance.storage import write_atomically


def add(file: Path) -> tuple[str, Path]:
    """Store the weights in a .safetensors or .pth under the name they are recognised by.

    Only the layers that losses use are kept. Nothing in the file is run.
    """
    tensors = _named_as_here(_read(file))
    name = _recognised(file, tensors)
    return name, store(name, tensors, source=file.name)


def convert(name: str, file: Path) -> Path:
    """Store the publisher's `file` of the weights `name`."""
    tensors = _named_as_here(_read(file))
    wrong = _misfits(tensors, name)
    if wrong:
        raise InputError(f"The file of {name} has no '{wrong[0]}' of the shape that it should.")
    return store(name, tensors, source=known(name).url)


def store(name: str, tensors: Mapping[str, Tensor], *, source: str) -> Path:
    """Write what `shapes_of(name)` asks for to the user's folder; the old file or the new."""
    kept = {key: tensors[key].detach().float().contiguous() for key in shapes_of(name)}
    if not all(bool(tensor.isfinite().all()) for tensor in kept.values()):
        raise InputError(f"The weights of {name} hold values that are no numbers. Nothing stored.")
    path = user_folder() / known(name).file
    about = {"name": name, "source": source, "licence": known(name).licence}
    fill: Callable[[Path], None] = lambda place: save_file(kept, place, metadata=about)  # noqa: E731
    write_atomically(path, fill)
    return path


def _read(file: Path) -> Mapping[str, Tensor]:
    if not file.is_file():
        raise InputError(f"There is no file {file}.")
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{file} is not a whole safetensors file ({error}).") from error
    if file.suffix not in {".pth", ".pt"}:
        raise InputError(f"{file} is neither .safetensors nor .pth; other files are not read.")
    return read_pickled_tensors(file)


def _named_as_here(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The heads of LPIPS are "lin0.model.1.weight" in the authors' files."""
    return {
        name.replace(".model.1.", ".") if name.startswith("lin") else name: tensor
        for name, tensor in tensors.items()
        if tensor.dtype in {torch.float16, torch.bfloat16, torch.float32, torch.float64}
    }


def _recognised(file: Path, tensors: Mapping[str, Tensor]) -> str:
    """The name whose layers `tensors` are; a network's file has others beside, heads have not."""
    for name in KNOWN:
        if not _misfits(tensors, name) and (name not in HEADS or len(tensors) == len(HEADS[name])):
            return name
    first = ", ".join(sorted(tensors)[:3])
    raise InputError(
        f"{file} holds none of {', '.join(KNOWN)} whole: its layers are {first} ... "
        "Take the publisher's file ('acutance weights list' names it)."
    )


def _misfits(tensors: Mapping[str, Tensor], name: str) -> list[str]:
    return [
        key
        for key, shape in shapes_of(name).items()
        if key not in tensors or tuple(tensors[key].shape) != shape
    ]
