"""Read trained weights from the files that `weights.places` finds; only tensors, never a pickle."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.features.weights import Shapes, how_to_get, lacking, places


def stored_tensors(name: str, shapes: Shapes) -> Mapping[str, Tensor]:
    """The tensors `shapes` asks for, from the first file of the weights `name` that has them all.

    Raises InputError with what to do where no file has.
    """
    found = places(name)
    for path in found:
        if not lacking(path, shapes):
            return _read(path, tuple(shapes), path.stat().st_mtime_ns)
    if not found:
        raise InputError(f"The trained weights '{name}' are not here. {how_to_get(name)}")
    missing = lacking(found[0], shapes)
    raise InputError(
        f"{found[0]} holds '{name}' in part: '{missing[0]}' is not in it as this loss needs it. "
        f"{how_to_get(name)}"
    )


@lru_cache(maxsize=8)
def _read(path: Path, names: tuple[str, ...], _changed: int) -> Mapping[str, Tensor]:
    """In float32; `_changed` makes a file that was replaced be read again."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).float() for name in names}
