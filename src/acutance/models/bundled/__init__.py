"""The models that the package brings, by name: each with its ONNX twin, so that none needs torch.

"nano-int8" is nano in 8 bits, of the scales where that costs little, as ONNX alone. A name such as
"nano" is a family of files, one for each scale: nano-x2, nano-x3. `python
benchmarks/bundled_models.py` makes them anew.
"""

import re
from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

from acutance.errors import InputError

FOLDER = Path(__file__).parent
USUAL = 2  # the scale where none is asked for
FOR_JPEG = ("photo", "small", "nano")
"""Families for pictures that carry the marks of a codec, the right one first."""
FOR_OTHERS = ("small", "nano")

IN_8_BITS = "-int8"  # at the end of a family's name
_MEMBER = re.compile(r"(.+)-x(\d+)")


def model_files() -> dict[str, Path]:
    """The model files by name, such as "nano-x2". Those of 8 bits are ONNX alone."""
    found = {path.stem: path for path in FOLDER.glob("*.onnx")}
    found |= {path.stem: path for path in FOLDER.glob("*.safetensors")}
    return dict(sorted(found.items()))


def in_float(name: str) -> str:
    """The name of the model that one of 8 bits was made from; any other is its own."""
    return name.replace(f"{IN_8_BITS}-x", "-x")


def brought(path: Path) -> bool:
    """Whether the file is one of the package, beside which nothing is to be written."""
    return path.parent == FOLDER


def families() -> dict[str, dict[int, Path]]:
    """The files by family and scale: {"nano": {2: ...}}. Scales ascend."""
    found: dict[str, dict[int, Path]] = {}
    for name, path in model_files().items():
        member = _MEMBER.fullmatch(name)
        if member is not None:
            found.setdefault(member[1], {})[int(member[2])] = path
    return {family: dict(sorted(files.items())) for family, files in found.items()}


def family(model: str | Path) -> dict[int, Path]:
    """The files of a family by scale; empty where `model` is none.

    A file or folder of that name in the current folder goes before a family.
    """
    found = families().get(str(model), {})
    return {} if found and Path(model).exists() else found


def is_name(model: str) -> bool:
    """Whether this is the name of a family, or of a file that a family has or might have."""
    found = _MEMBER.fullmatch(model)
    return (found[1] if found is not None else model) in families()


def best_scale(scales: Collection[int], factor: Fraction | float) -> int:
    """Which of the scales to enlarge by `factor` with: the fewest runs, then the least beyond.

    What is beyond is reduced afterwards, so the nearest larger scale is taken where there is one.
    """

    def cost(scale: int) -> tuple[int, int]:
        passes = passes_of(scale, factor)
        return passes, scale**passes

    return min(sorted(scales), key=cost)


def passes_of(scale: int, factor: Fraction | float) -> int:
    """How often a network of this scale is run to enlarge by `factor` or more."""
    passes = 0
    while scale**passes < factor and scale > 1:
        passes += 1
    return passes


def member(name: str, scale: int) -> Path:
    """The file of a family for exactly this scale.

    Raises InputError that says which scales there are.
    """
    files = families()[name]
    if scale not in files:
        raise InputError(
            f"The bundled model '{name}' is there for {listed(files)}, not for x{scale}. "
            f"Give --scale {min(files)}, or a model for x{scale} "
            "(`acutance models` lists them; `acutance train --scale` makes one)."
        )
    return files[scale]


def listed(scales: Collection[int]) -> str:
    """Scales for people: "x2, x3 and x4", "x2 only"."""
    *most, last = (f"x{scale}" for scale in sorted(scales))
    return f"{', '.join(most)} and {last}" if most else f"{last} only"
