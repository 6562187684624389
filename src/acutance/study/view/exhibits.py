"""What is asked to be shown, as sides: pictures by name, each read or made when it is looked at."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.imaging.files import picture_paths, read_rgb

Read = Callable[[], np.ndarray]  # a picture, uint8 (H, W, 3)
SCALED = re.compile(r"[_-]?x\d+(\.\d+)?$")  # what upscaling and published sets add to a name
RECORD, RUN, MODEL, SAMPLES = "study.toml", "run.toml", "model.safetensors", "samples"


@dataclass(frozen=True, eq=False)
class Side:
    """One thing that is compared: its name for people, and its pictures by key.

    A key is a path within the side's folder without the ending; that of a single file is "".
    """

    name: str
    pictures: Mapping[str, Read]


@dataclass(frozen=True, eq=False)
class Item:
    """One picture by each side, None where a side lacks it; the reference; lr of models."""

    name: str
    sides: tuple[Read | None, ...]
    reference: Read | None = None
    small: Read | None = None


@dataclass(frozen=True, eq=False)
class Exhibition:
    """All that a page shows. `scale` is what the pictures were enlarged by, where it is known."""

    names: tuple[str, ...]
    items: tuple[Item, ...]
    has_reference: bool
    scale: int | None = None
    remarks: tuple[str, ...] = field(default_factory=tuple)  # what was left out, for stderr


def picture_side(place: Path) -> tuple[Side, tuple[str, ...]]:
    """The pictures of a file or a folder, and what was left out of it.

    Files whose links lead out of the folder are left out, and refused again when they are read:
    whoever can put a link into a folder shall not choose what else is shown.
    """
    if not place.is_dir():
        picture_paths([place])  # refuses what is not there
        return Side(place.name, {"": lambda: read_rgb(place)}), ()
    root = (place / "HR" if (place / "HR").is_dir() else place).resolve()
    pictures: dict[str, Read] = {}
    shown: dict[str, Path] = {}
    left_out = []
    for path in picture_paths([root]):
        if _leads_out(path, root):
            left_out.append(f"{path} is left out: it is a link out of {place}.")
            continue
        key = path.relative_to(root).with_suffix("").as_posix()
        if key in shown:
            left_out.append(f"{path} is left out: {shown[key].name} has the same name.")
            continue
        shown[key] = path
        pictures[key] = _reader(path, root)
    return Side(place.resolve().name, pictures), tuple(left_out)


def _leads_out(path: Path, root: Path) -> bool:
    return not path.resolve().is_relative_to(root)


def _reader(path: Path, root: Path) -> Read:
    def read() -> np.ndarray:
        if _leads_out(path, root):
            raise InputError(f"{path.name} has become a link out of its folder and is not shown.")
        return read_rgb(path)

    return read


def sample_side(run: Path) -> Side:
    """What a run without a reference has to show: its newest samples."""
    pictures = {}
    for folder in sorted((run / SAMPLES).iterdir()) if (run / SAMPLES).is_dir() else []:
        steps = sorted(folder.glob("step-*.png"))
        if steps:
            pictures[folder.name] = _reader(steps[-1], run.resolve())
    if not pictures:
        raise InputError(
            f"{run} has no samples to show. Give --reference HR: its model is then applied to it."
        )
    return Side(run.resolve().name, pictures)


def plain_key(key: str) -> str:
    """A key without what upscaling adds to a name: baby_x4 -> baby."""
    return SCALED.sub("", key) or key


def joined(name: str, sides: Sequence[Side]) -> tuple[Side, tuple[str, ...]]:
    """The pictures of several sides as one, and what was left out: of equal names the first."""
    owners: dict[str, str] = {}
    pictures: dict[str, Read] = {}
    left_out = []
    for side in sides:
        for key, read in side.pictures.items():
            if key in pictures:
                left_out.append(f"{key} of {side.name} is left out: {owners[key]} has one, too.")
                continue
            owners[key], pictures[key] = side.name, read
    return Side(name, pictures), tuple(left_out)


def hidden(side: Side) -> tuple[str, ...]:
    """What `matched` leaves out of a side: of equal plain keys it takes the first."""
    first: dict[str, str] = {}
    left_out = []
    for key in side.pictures:
        taken = first.setdefault(plain_key(key), key)
        if taken != key:
            left_out.append(
                f"{key} of {side.name} is left out: {taken} is the same picture, as names without "
                "_x2, _x4 are compared. Name a folder that holds one scale."
            )
    return tuple(left_out)


def matched(
    sides: Sequence[Side], reference: Side | None, small: Side | None = None
) -> tuple[Item, ...]:
    """Pictures of the same name as items, in the order of the reference, else of the first side.

    `small` has the lr of each picture, where models were applied.

    A single file stands beside whatever single files there are, and beside the picture of its
    name in a folder. Items that only one of all has are left out. InputError where none is left.
    """
    columns = [_by_plain_key(side) for side in sides]
    given = {} if reference is None else _by_plain_key(reference)
    lows = {} if small is None else _by_plain_key(small)
    everything = [*sides, reference] if reference is not None else list(sides)
    if all("" in side.pictures for side in everything):
        shown = [side.pictures[""] for side in everything]
        original = shown.pop() if reference is not None else None
        name = everything[-1].name
        return (Item(name, tuple(shown), original, small.pictures[""] if small else None),)
    keys = dict.fromkeys(key for column in ([given] if given else []) + columns for key in column)
    items = []
    for key in keys:
        found = tuple(column.get(key) for column in columns)
        original = given.get(key)
        if sum(one is not None for one in (*found, original)) >= 2:
            items.append(Item(key, found, original, lows.get(key)))
    if not items:
        raise InputError(
            "No picture is in two of what is compared: "
            + "; ".join(f"{side.name} has {_some(side)}" for side in sides)
            + ". Pictures are matched by their names without ending and without _x2, _x4."
        )
    return tuple(items)


def _by_plain_key(side: Side) -> dict[str, Read]:
    found: dict[str, Read] = {}
    for key, read in side.pictures.items():
        name = key or Path(side.name).with_suffix("").as_posix()
        found.setdefault(plain_key(name), read)
    return found


def _some(side: Side) -> str:
    names = [key or side.name for key in list(side.pictures)[:3]]
    return ", ".join(ascii(name) for name in names) + (" ..." if len(side.pictures) > 3 else "")


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names with numbers where two are equal."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if names.count(name) == 1 else f"{name} ({seen[name]})")
    return tuple(found)
