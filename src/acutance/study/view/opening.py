"""From the words of the command to what is shown: files, folders, runs, studies and models."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from acutance.errors import InputError
from acutance.study.view.applied import Applied, apply_models, cropped
from acutance.study.view.exhibits import (
    MODEL,
    RECORD,
    RUN,
    Exhibition,
    Side,
    hidden,
    joined,
    matched,
    picture_side,
    sample_side,
    told_apart,
)

MODEL_ENDINGS = (".safetensors", ".onnx", ".pth")
MOST_SIDES = 9


@dataclass(frozen=True)
class Wanted:
    """What the command names. `scale` and `degrade` are None and "" where nothing is said."""

    sides: tuple[str, ...]
    reference: str | None = None
    scale: int | None = None
    degrade: str = ""


def open_exhibition(wanted: Wanted) -> Exhibition:
    """Everything that is to be shown; pictures themselves are read when they are looked at.

    A folder with a model in it is a run: its model is applied to what bicubic (or `degrade`)
    makes of the reference; without a reference its newest samples are shown. A folder with a
    study is the first seed of every arm at the largest budget, and its reference is the study's
    test pictures. "bicubic", a model file or the name of a bundled model is a side, too.
    """
    asked, reference = unfolded(wanted)
    remarks: list[str] = []
    found: list[Side | Applied] = []
    for name, word in asked:
        side, said = _side(name, word, has_reference=bool(reference))
        found.append(side)
        remarks += said + (hidden(side) if isinstance(side, Side) else ())
    if len(found) > MOST_SIDES:
        raise InputError(f"{len(found)} sides do not fit on a page: name at most {MOST_SIDES}.")
    if len(found) + bool(reference) < 2:
        raise InputError("One thing alone is not compared: name a second, or --reference HR.")
    original = _references(reference, remarks) if reference else None
    scale, sides, small = _made(found, original, wanted)
    if original is not None and scale is not None:
        cut = {key: cropped(read, scale) for key, read in original.pictures.items()}
        original = Side(original.name, cut)
    items = matched(sides, original, small)
    names = told_apart([side.name for side in sides])
    return Exhibition(names, items, original is not None, scale, tuple(dict.fromkeys(remarks)))


def unfolded(wanted: Wanted) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """(name, place) of each side, a study as its arms; and the references."""
    found: list[tuple[str, str]] = []
    reference = (wanted.reference,) if wanted.reference else ()
    for word in wanted.sides:
        if (Path(word) / RECORD).is_file():
            arms, tests = _arms(Path(word))
            found += arms
            reference = reference or tests
        else:
            found.append(("", word))
    return found, reference


def _arms(folder: Path) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Each arm's first seed at the largest budget that is trained, and the test pictures."""
    from acutance.study.compare.ground import recorded

    study, runs = recorded(folder)
    newest = {}
    for run in sorted(runs, key=lambda one: (one.budget, -one.seed)):
        if (run.folder / MODEL).is_file():
            newest[run.loss] = run
    if not newest:
        raise InputError(f"{folder} has no trained run yet. Look again when one has finished.")
    arms = [(f"{loss}, seed {run.seed}", str(run.folder)) for loss, run in newest.items()]
    order = {loss: place for place, loss in enumerate(study.question.losses)}
    arms.sort(key=lambda arm: order[arm[0].rpartition(", seed ")[0]])
    return arms, tuple(study.question.test)


def _side(name: str, word: str, *, has_reference: bool) -> tuple[Side | Applied, tuple[str, ...]]:
    place = Path(word)
    is_run = place.is_dir() and ((place / MODEL).is_file() or (place / RUN).is_file())
    if is_run and not has_reference:
        side = sample_side(place)
        return (replace(side, name=name) if name else side), ()
    if is_run or not place.exists() or place.suffix.lower() in MODEL_ENDINGS:
        shown = name or (place.resolve().name if is_run else _model_name(word))
        return Applied(shown, word), ()
    side, left_out = picture_side(place)
    return (replace(side, name=name) if name else side), left_out


def _model_name(word: str) -> str:
    """Of a file the last two parts of its path, the same from wherever it is named."""
    place = Path(word)
    return "/".join(place.resolve().parts[-2:]) if place.is_file() else word


def _references(places: Sequence[str], remarks: list[str]) -> Side:
    """The originals of one or several folders as one side."""
    sides = []
    for place in places:
        if not Path(place).exists():
            raise InputError(f"{place} does not exist. Check the name of the reference.")
        side, left_out = picture_side(Path(place))
        remarks += left_out
        sides.append(side)
    found, left_out = (sides[0], ()) if len(sides) == 1 else joined("reference", sides)
    remarks += left_out + hidden(found)
    return found


def _made(
    found: Sequence[Side | Applied], original: Side | None, wanted: Wanted
) -> tuple[int | None, list[Side], Side | None]:
    """The scale, all sides with their pictures, and lr where models are among them."""
    models = [one for one in found if isinstance(one, Applied)]
    if not models:
        return wanted.scale, [one for one in found if isinstance(one, Side)], None
    if original is None:
        raise InputError(
            f"{models[0].model} is neither a picture nor a folder of pictures. If it is a model, "
            "give --reference HR: it is then applied to what bicubic makes of these."
        )
    scale, small, made = apply_models(models, original, scale=wanted.scale, degrade=wanted.degrade)
    return scale, [one if isinstance(one, Side) else made[one] for one in found], small
