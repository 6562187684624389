"""Find the originals of a test set in its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acutance.errors import InputError
from acutance.imaging.files import picture_paths

_ORIGINALS = "HR"  # the folder that published sets keep their originals in


@dataclass(frozen=True)
class PictureSet:
    """A named list of originals; a picture's name is its file's without the ending."""

    name: str
    pictures: tuple[Path, ...]


def find_set(folder: Path) -> PictureSet:
    """The set in `folder`: the pictures in its HR folder if it has one, else its own.

    `Set5` and `Set5/HR` are the same set, named Set5. Folders below are not searched: they hold
    the small pictures of published sets.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Name the folder of a test set, such as Set5.")
    originals = folder / _ORIGINALS if (folder / _ORIGINALS).is_dir() else folder
    resolved = originals.resolve()
    name = resolved.parent.name if resolved.name == _ORIGINALS else resolved.name
    pictures = tuple(path for path in picture_paths([originals]) if path.parent == originals)
    if not pictures:
        raise InputError(
            f"{originals} holds no pictures of its own, only folders. Name one of these."
        )
    _check_names(pictures)
    return PictureSet(name, pictures)


def find_sets(folders: Sequence[Path]) -> list[PictureSet]:
    """The sets in `folders`, each of a name of its own."""
    sets = [find_set(folder) for folder in folders]
    names = [found.name for found in sets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Two of the folders are named {name}. Score them one at a time.")
    return sets


def _check_names(pictures: tuple[Path, ...]) -> None:
    by_name: dict[str, Path] = {}
    for path in pictures:
        other = by_name.setdefault(path.stem, path)
        if other != path:
            raise InputError(
                f"{other} and {path} would both be scored as '{path.stem}'. "
                "Rename or remove one of them."
            )
