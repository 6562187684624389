"""The forms a model can be given for use elsewhere, by name; each is proven before it is kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models.bundled import brought, family, member
from acutance.models.card import ModelCard, find_model, level_file
from acutance.models.checkpoint import load_model, save_model
from acutance.models.levels import cut
from acutance.storage import check_free
from acutance.upscaling.community_export import export_community
from acutance.upscaling.export import export_onnx
from acutance.upscaling.int8 import Cost, export_int8
from acutance.upscaling.ir_files import IR_ENDING, WEIGHTS_ENDING
from acutance.upscaling.openvino_export import export_openvino


@dataclass(frozen=True)
class Form:
    """One form: how its files end, and what writes them."""

    ending: str
    write: Callable[[nn.Module, ModelCard, Path], ModelCard]
    mark: str = ""  # between name and ending, where the plain name may be the model's own


FORMS: Mapping[str, Form] = {
    "onnx": Form(".onnx", export_onnx),
    "openvino": Form(IR_ENDING, export_openvino),
    "safetensors": Form(".safetensors", save_model),
    "community": Form(".safetensors", export_community, mark=".community"),
}
_IN_8_BITS = ("onnx", "openvino")


@dataclass(frozen=True)
class Exported:
    """What was written; `cost` where it is in 8 bits."""

    paths: tuple[Path, ...]
    cost: Cost | None = None


def export_model(
    model: Path,
    *,
    to: str | None = None,
    output: Path | None = None,
    architecture: str | None = None,
    scale: int | None = None,
    pictures: Sequence[Path] = (),
    overwrite: bool = False,
) -> Exported:
    """Write the model (a run folder, .safetensors or .pth) in the form `to`.

    Without `to` the ending of `output` decides, without both it is ONNX; without `output` the file
    stands beside the model, of a bundled one in the current folder. `scale` cuts a model that grows
    octave by octave to one of the lower levels it was trained for. `pictures` ask for 8 bits and
    calibrate them. Nothing that exists is replaced without `overwrite`.
    """
    if scale is not None and family(model):
        model, scale = member(str(model), scale), None
    name = _form_name(to, output)
    form = FORMS[name]
    if pictures and name not in _IN_8_BITS:
        raise InputError(f"8 bits are for {' and '.join(_IN_8_BITS)}, not for {name}.")
    mark = ".int8" if pictures else form.mark
    target = output or _beside(model, scale).with_suffix(mark + form.ending)
    if target.suffix != form.ending:
        raise InputError(f"{target} must end in {form.ending} to be {name}.")
    paths = [target]
    if form.ending == IR_ENDING:
        paths.append(target.with_suffix(WEIGHTS_ENDING))
    for path in paths:
        check_free(path, overwrite=overwrite)
    network = load_model(model, architecture=architecture)
    card: ModelCard = network.card  # pyright: ignore[reportAssignmentType]
    if scale is not None and scale != card.scale:
        network, card = cut(network, card, scale)
    cost = None
    if pictures:
        cost = export_int8(network, card, target, pictures)[1]
    else:
        form.write(network, card, target)
    return Exported(tuple(paths), cost)


def _beside(model: Path, scale: int | None) -> Path:
    """Beside the model; of one that the package brings, in the current folder."""
    file = find_model(model)
    file = Path(file.name) if brought(file) else file
    return file if scale is None else level_file(file, scale)


def _form_name(to: str | None, output: Path | None) -> str:
    if to is not None:
        if to not in FORMS:
            raise InputError(f"Unknown form '{to}'. {nearest(to, FORMS)}")
        return to
    if output is None:
        return "onnx"
    for name, form in FORMS.items():
        if output.suffix == form.ending:
            return name
    endings = sorted({form.ending for form in FORMS.values()})
    raise InputError(f"{output} must end in one of {', '.join(endings)}.")
