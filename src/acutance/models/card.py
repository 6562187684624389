"""What a model file says about itself: enough to rebuild the network and to judge it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from pathlib import Path

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models.bundled import best_scale, families, family, member, model_files
from acutance.models.onnx_header import read_onnx_header
from acutance.models.preset import Constant

FORMAT = 1
METADATA_KEY = "acutance"
MODEL_FILE = "model.safetensors"
TWIN_FILE = "model.onnx"
LATER = {"compact": {"unshuffle": 1, "strided": 1}, "esrgan": {"strided": 1}}
"""Constants that networks got after their first files, at the value that changes nothing.

They are silent in a file, so that it stays the same to the byte and older versions read it."""
SHRINK_FILE = "shrink.safetensors"  # of a run that learned its F, too
REDUCTION = "shrinker"  # `architecture` of a learned F, which makes pictures small
RENAMED = {"rrdb": "esrgan"}  # architectures by the names that older files have for them


@dataclass(frozen=True)
class Bound:
    """How little cutting changes the result of a network that sees the whole picture, as measured.

    Pieces that keep at least `tile` x `tile` lr pixels, with `overlap` more on each side, changed
    no value by more than `levels` of 255, and no picture by more than `rms` (root of the mean
    square, in levels). Measured on all pictures of Set14 by benchmarks/cutting.py.
    """

    tile: int
    overlap: int
    levels: float
    rms: float


@dataclass(frozen=True)
class ModelCard:
    """The JSON in a model file's metadata, under the key "acutance"."""

    architecture: str  # a name of MODELS
    scale: int
    arguments: Mapping[str, Constant] = field(default_factory=dict)  # all constants but scale
    levels: tuple[int, ...] = ()  # lower scales that it was trained for, and can be cut to
    degradation: str = ""  # the chain that made its lr; empty: MATLAB's bicubic
    head: str = ""  # "spread": it also says how sure it is of each value
    color: str = "rgb"  # "rgb", or "luma": Y of BT.601, (16..235) / 255
    reach: int | None = None  # lr pixels; None: every pixel matters
    bound: Bound | None = None  # where every pixel matters: what cutting changes
    multiple: int = 1  # pieces must begin at multiples of this many lr pixels
    input_range: tuple[float, float] = (0.0, 1.0)
    name: str = ""
    loss: str = ""  # the expression it was trained with
    steps: int = 0
    data: str = ""  # what it was trained on
    scores: Mapping[str, object] | None = None  # as `evaluate` writes them, protocol included
    licence: str = ""
    data_terms: str = ""  # of the pictures it was trained on, and what follows for users
    seeds: tuple[int, ...] = ()  # of its training, a first stage's before
    int8: Mapping[str, object] | None = None  # what 8 bits cost it, as `export --int8` measures
    bad_at: str = ""  # where it fails or disappoints
    shrunk_by: str = ""  # SHA-256 of the learned F that it was trained with; "": none
    weights: str = ""  # SHA-256 of the tensors: tells whether an ONNX file is this model's twin
    format: int = FORMAT

    def to_json(self) -> str:
        """The text that stands in a file, the same for equal cards."""
        # what older files do not have
        silent = {"levels": (), "degradation": "", "shrunk_by": "", "head": "", "bound": None}
        silent |= {"multiple": 1, "data_terms": "", "seeds": (), "int8": None, "bad_at": ""}
        said = {k: v for k, v in asdict(self).items() if k not in silent or v != silent[k]}
        later = LATER.get(self.architecture, {})
        said["arguments"] = {k: v for k, v in self.arguments.items() if later.get(k) != v}
        return json.dumps(said, sort_keys=True)


def find_model(path: Path) -> Path:
    """The model file that `path` means: itself, the one of a run folder, or a bundled model's.

    A file or folder of that name goes before a model that the package brings.
    """
    if path.is_dir():
        inside = path / MODEL_FILE
        if not inside.is_file():
            raise InputError(
                f"{path} holds no {MODEL_FILE}. It is not a run folder, or its run has not "
                "finished: repeat the training command to finish it."
            )
        return inside
    if path.is_file():
        return path
    return _bundled(str(path))


def _bundled(name: str) -> Path:
    """The file of a bundled model: "nano-x3", or "nano" for its lowest scale."""
    found, files = families(), model_files()
    if name in found:
        return next(iter(found[name].values()))
    if name in files:
        return files[name]
    stem, _, scale = name.rpartition("-x")
    if stem in found and scale.isdecimal():
        return member(stem, int(scale))
    raise InputError(
        f"There is no model at {name}. Give a run folder, a model file, or the name of a "
        f"bundled model. {nearest(name, found)}"
    )


def level_file(model: Path, scale: int) -> Path:
    """Where a run leaves its model cut to a lower scale: model-x2.safetensors."""
    return model.with_stem(f"{model.stem}-x{scale}")


def at_level(model: str | Path, scale: object) -> str | Path:
    """What of `model` is best for `scale`: a member of a bundled family, or the file of a level.

    A family gives the nearest scale that needs the fewest runs, its lowest where `scale` is None.
    The file of a lower level stands beside the model, where the run left it. Else `model` as it is.
    """
    if files := family(model):
        asked = isinstance(scale, int | float | Fraction)
        return files[best_scale(files, scale) if asked else min(files)]
    if scale is None:
        return model
    try:
        file = find_model(Path(model))
        card = read_card(file)
    except InputError:  # a mixture, or no model: whoever opens it says so
        return model
    beside = next((level_file(file, level) for level in card.levels if level == scale), None)
    return beside if beside is not None and beside.is_file() else model


def exactly_at(model: str | Path, scale: int | None) -> str | Path:
    """As `at_level`, for work that needs just this scale.

    Raises InputError for a bundled family that has it not.
    """
    if scale is not None and family(model):
        return member(str(model), scale)
    return at_level(model, scale)


def read_card(path: Path) -> ModelCard:
    """Read the card of a .safetensors or .onnx file or of a run folder; no weights, no torch."""
    model = find_model(path)
    metadata = _onnx_metadata if model.suffix == ".onnx" else safetensors_metadata
    return parse_card(model, metadata(model).get(METADATA_KEY))


def safetensors_metadata(path: Path) -> Mapping[str, str]:
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} has no card, since only .safetensors and .onnx files carry one. "
            "Convert it by: acutance export FILE --output NAME.safetensors"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error


def _onnx_metadata(path: Path) -> Mapping[str, str]:
    try:
        return read_onnx_header(path).metadata
    except (ValueError, OSError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> InputError:
    """What to say of a model file that its own format's reader refuses."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return InputError(
        f"{path} cannot be read as a model: {reason}. It is damaged or incomplete. "
        "Copy it again or train it again."
    )


def parse_card(path: Path, text: str | None) -> ModelCard:
    """Check the JSON of a card; `path` is named in the errors. A learned F is refused."""
    card = _parsed(path, text)
    if card.architecture == REDUCTION:
        raise InputError(
            f"{path} holds a learned F, which makes pictures small. Use it by: acutance shrink "
            f"PHOTO -o OUT --model {path}; the model that enlarges is {path.parent / MODEL_FILE}."
        )
    return card


def parse_reduction(path: Path, text: str | None) -> ModelCard:
    """Check the JSON of the card of a learned F; a network that enlarges is refused."""
    card = _parsed(path, text)
    if card.architecture != REDUCTION:
        raise InputError(
            f"{path} holds {card.architecture}, which enlarges; a learned F is in the file "
            f"{SHRINK_FILE} of a run that was trained with network.shrink."
        )
    return card


def _parsed(path: Path, text: str | None) -> ModelCard:
    if text is None:
        raise InputError(
            f"{path} does not say which network it holds (no metadata '{METADATA_KEY}'). "
            "If it comes from elsewhere, name its architecture: "
            "load_model(path, architecture='compact:small@2')."
        )
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _wrong_card(path, f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise _wrong_card(path, "it is not a JSON object")
    if found.get("format") != FORMAT:
        raise InputError(
            f"The card of {path} has format {found.get('format')}; this version reads {FORMAT}. "
            "Install a newer acutance."
        )
    for name, (right, expected) in _EXPECTED.items():
        if name in found and not right(found[name]):
            raise _wrong_card(path, f"'{name}' is {found[name]!r} instead of {expected}")
    missing = {"architecture", "scale"} - found.keys()
    if missing:
        raise _wrong_card(path, f"'{min(missing)}' is missing")
    own = {f.name for f in fields(ModelCard)}  # a later version may say more: not our concern
    card = {name: value for name, value in found.items() if name in own}
    card["architecture"] = RENAMED.get(card["architecture"], card["architecture"])
    bound = Bound(**card["bound"]) if card.get("bound") else None
    levels, seeds = tuple(card.get("levels", ())), tuple(card.get("seeds", ()))
    card["arguments"] = _with_later(str(card["architecture"]), card.get("arguments", {}))
    card |= {"input_range": (0.0, 1.0), "bound": bound, "levels": levels, "seeds": seeds}
    return ModelCard(**card)


def _with_later(architecture: str, arguments: Mapping[str, Constant]) -> Mapping[str, Constant]:
    """The constants of a file with those that are silent in it; none where it writes out none."""
    return {**LATER.get(architecture, {}), **arguments} if arguments else {}


def _wrong_card(path: Path, reason: str) -> InputError:
    return InputError(f"The card of {path} is wrong: {reason}. Train or export the model again.")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_constants(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(v, Constant) for v in value.values())


def _are_levels(value: object) -> bool:
    return isinstance(value, list) and all(_is_count(v) and 2 <= v <= 16 for v in value)


def _is_bound(value: object) -> bool:
    counts = ("tile", "overlap")
    return (
        isinstance(value, dict)
        and value.keys() == {*counts, "levels", "rms"}
        and all(_is_count(value[name]) for name in counts)
        and all(type(value[name]) in (int, float) for name in ("levels", "rms"))
    )


_EXPECTED = {
    "architecture": (_is_text, "a name"),
    "scale": (lambda v: _is_count(v) and 1 <= v <= 16, "a whole number from 1 to 16"),
    "arguments": (_are_constants, "an object of numbers and words"),
    "levels": (_are_levels, "a list of scales"),
    "degradation": (_is_text, "a text"),
    "head": (lambda v: v in ("", "spread"), "'spread' or ''"),
    "color": (lambda v: v in ("rgb", "luma"), "'rgb' or 'luma'"),
    "reach": (lambda v: v is None or _is_count(v), "a number of pixels or null"),
    "bound": (lambda v: v is None or _is_bound(v), "a tile, an overlap, levels and rms, or null"),
    "multiple": (lambda v: _is_count(v) and 1 <= v <= 256, "a whole number from 1 to 256"),
    "input_range": (lambda v: v == [0, 1], "[0, 1]"),
    "name": (_is_text, "a text"),
    "loss": (_is_text, "a text"),
    "steps": (_is_count, "a number of steps"),
    "data": (_is_text, "a text"),
    "scores": (lambda v: v is None or isinstance(v, dict), "an object or null"),
    "licence": (_is_text, "a text"),
    "data_terms": (_is_text, "a text"),
    "seeds": (lambda v: isinstance(v, list) and all(map(_is_count, v)), "a list of numbers"),
    "int8": (lambda v: v is None or isinstance(v, dict), "an object or null"),
    "bad_at": (_is_text, "a text"),
    "shrunk_by": (_is_text, "a text"),
    "weights": (_is_text, "a text"),
}
