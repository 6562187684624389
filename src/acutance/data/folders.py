"""Find the pictures to learn from: files, folders, drawn ones; match hr with lr; hold some out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from acutance.data.streams import Stream, uniforms
from acutance.errors import InputError
from acutance.imaging.files import picture_paths

PROCEDURAL = "procedural"
DRAWN_COUNT = 200
"""Pictures that "procedural" stands for where no count is given."""

_LR_FOLDER = re.compile(r"(?:^|_)LR(?:_|$)", re.IGNORECASE)
_SCALE_ENDING = re.compile(r"x\d+$")

T = TypeVar("T")


@dataclass(frozen=True)
class Original:
    """A picture to learn from, not read yet."""

    set: str
    name: str
    place: Path | int
    """Its file, or its number among the drawn pictures."""
    lr: Path | None = None
    """The file of its small version, where pairs are given."""


@dataclass(frozen=True)
class Fault:
    """Why a picture cannot be used; `reason` goes on where the file's name stops."""

    set: str
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.set}: {self.file} {self.reason}"


@dataclass(frozen=True)
class Found:
    """What sources hold: pictures to read, and those that were wrongly paired."""

    originals: tuple[Original, ...]
    faults: tuple[Fault, ...] = ()


def find_originals(sources: Sequence[str], lr_sources: Sequence[str] = (), *, scale: int) -> Found:
    """The pictures of `sources`: folders, files, "procedural" or "procedural:COUNT".

    A folder that contains a folder HR means that one (Set5/HR). With `lr_sources` every picture
    gets its partner among them: the same name, or with the scale behind it (0001.png and
    0001x2.png); a folder that contains X2 (or x2) means that one, for scale 2. As many
    `lr_sources` as `sources` belong together one by one; otherwise every picture may find its
    partner in any of them. Pictures without a partner are faults; so are lr files without one,
    where all of the sources are folders.
    """
    groups = [_group(source) for source in sources]
    originals = {original.place: original for group in groups for original in group}
    if not lr_sources:
        return Found(tuple(originals.values()))
    if any(isinstance(place, int) for place in originals):
        raise InputError(
            f"Drawn pictures ('{PROCEDURAL}') have no lr files. "
            "Leave out either them or the folders of lr files."
        )
    shelves = [_shelf(source, scale) for source in lr_sources]
    if len(groups) == len(shelves):
        jobs = list(zip(groups, shelves, strict=True))
    else:
        jobs = [([o for group in groups for o in group], _joined(shelves))]
    complete = all(Path(source).is_dir() for source in sources)
    matched = [_match(group, shelf, scale=scale, complete=complete) for group, shelf in jobs]
    paired = {original.place: original for found in matched for original in found.originals}
    return Found(
        tuple(paired.values()), tuple(fault for found in matched for fault in found.faults)
    )


def photo_paths(sources: Sequence[str]) -> list[Path]:
    """The files of `sources` by the rules of `find_originals`, drawn pictures left out."""
    originals = find_originals(sources, scale=1).originals
    return [original.place for original in originals if isinstance(original.place, Path)]


def split_validation(
    items: Sequence[T], share: float = 0.05, *, seed: int
) -> tuple[list[T], list[T]]:
    """Hold out a random `share` of the photographs: (for training, for validation).

    At least one and at most all but one are held out; both lists keep their order. The same seed
    and number of photographs give the same split.
    """
    if not 0 < share < 1:
        raise InputError(f"The share held out for validation is {share}; it must be in 0 .. 1.")
    if len(items) < 2:
        raise InputError(
            f"{len(items)} photograph cannot be split into training and validation. "
            "Add photographs, or name pictures for validation of their own."
        )
    count = min(max(1, round(share * len(items))), len(items) - 1)
    order = np.argsort(uniforms(seed, Stream.SPLIT, step=0, shape=(len(items),)), kind="stable")
    held = set(order[:count].tolist())
    return (
        [item for i, item in enumerate(items) if i not in held],
        [item for i, item in enumerate(items) if i in held],
    )


def refuse(faults: Sequence[Fault], total: int) -> None:
    """Raise one InputError that names every fault; nothing where there is none."""
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise InputError(
            f"{len(faults)} of {total} pictures cannot be used:\n{lines}\n"
            "Replace or remove these files, or set skip_bad to train without them."
        )


def _group(source: str) -> list[Original]:
    """The pictures of one source."""
    if source.partition(":")[0] == PROCEDURAL:
        count = _drawn_count(source)
        return [Original(PROCEDURAL, f"{i:05d}", i) for i in range(count)]
    path = Path(source)
    if not path.is_dir():
        return [Original(_set_name(p.parent), p.name, p) for p in picture_paths([path])]
    folder = path / "HR" if (path / "HR").is_dir() else path
    files = picture_paths([folder])
    names = [file.relative_to(folder) for file in files]
    _refuse_mixed(folder, names)
    return [
        Original(_set_name(folder), name.as_posix(), file)
        for name, file in zip(names, files, strict=True)
    ]


def _drawn_count(source: str) -> int:
    count = source.partition(":")[2] if ":" in source else str(DRAWN_COUNT)
    if not count.isdecimal() or int(count) == 0:
        raise InputError(
            f"The source '{source}' has no usable count. Write {PROCEDURAL}:200 for 200 drawn "
            f"pictures, or ./{source} for a file or folder of that name."
        )
    return int(count)


def _refuse_mixed(folder: Path, names: Sequence[Path]) -> None:
    """Stop before small pictures are taken for originals: nobody would see it in the results."""
    mixed = sorted({part for n in names for part in n.parts[:-1] if _LR_FOLDER.search(part)})
    if mixed:
        raise InputError(
            f"{folder} holds folders of lr pictures among the originals: {', '.join(mixed)}. "
            "Name the folder of the hr pictures."
        )


def _set_name(folder: Path) -> str:
    whole = folder.resolve()
    return whole.parent.name if whole.name.upper() == "HR" else whole.name


def _shelf(source: str, scale: int) -> dict[str, list[Path]]:
    """The lr files of one source, by their name without ending."""
    path = Path(source)
    folder = next((path / x for x in (f"X{scale}", f"x{scale}") if (path / x).is_dir()), path)
    shelf: dict[str, list[Path]] = {}
    for file in picture_paths([folder]):
        name = file.relative_to(folder) if folder.is_dir() else Path(file.name)
        shelf.setdefault(name.with_suffix("").as_posix(), []).append(file)
    return shelf


def _joined(shelves: Sequence[dict[str, list[Path]]]) -> dict[str, list[Path]]:
    joined: dict[str, list[Path]] = {}
    for shelf in shelves:
        for name, files in shelf.items():
            joined.setdefault(name, []).extend(files)
    return joined


def _match(
    group: Sequence[Original], shelf: dict[str, list[Path]], *, scale: int, complete: bool
) -> Found:
    """Each original with its lr file; faults for those without, and for files left over."""
    originals: list[Original] = []
    faults: list[Fault] = []
    for original in group:
        stem = Path(original.name).with_suffix("").as_posix()
        partners = [file for name in (f"{stem}x{scale}", stem) for file in shelf.get(name, [])]
        if len(partners) == 1:
            originals.append(Original(original.set, original.name, original.place, partners[0]))
        else:
            reason = _partner_reason(partners, stem, scale=scale)
            faults.append(Fault(original.set, str(original.place), reason))
    if complete:
        stems = {Path(original.name).with_suffix("").as_posix() for original in group}
        faults += _left_over(shelf, stems, set_name=group[0].set)
    return Found(tuple(originals), tuple(faults))


def _partner_reason(partners: Sequence[Path], stem: str, *, scale: int) -> str:
    if partners:
        names = ", ".join(str(file) for file in partners)
        return f"has {len(partners)} lr files, one is needed: {names}."
    return f"has no lr file: neither {stem}x{scale} nor {stem} is among them."


def _left_over(shelf: dict[str, list[Path]], stems: set[str], *, set_name: str) -> list[Fault]:
    """lr files without an hr file; those of other scales beside them do not count."""
    return [
        Fault(set_name, str(file), "has no hr file.")
        for name, files in shelf.items()
        if name not in stems and _SCALE_ENDING.sub("", name) not in stems
        for file in files
    ]
