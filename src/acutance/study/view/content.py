"""What is compared, by its content: the same wherever it lies, and another where it has changed."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance.imaging.files import picture_paths
from acutance.study.view.applied import BICUBIC
from acutance.study.view.exhibits import MODEL, SAMPLES
from acutance.study.view.opening import Wanted, unfolded

_PIECE = 1 << 20  # bytes read at once


@dataclass(frozen=True)
class Content:
    """A short digest of each side, of the reference, and of what degrades it."""

    sides: tuple[str, ...]  # in the order of the exhibition's names
    reference: str
    degrade: str


def content_of(wanted: Wanted) -> Content:
    """Read all files that are shown once, or the models that are applied; no place counts.

    Names within a folder count, since pictures are matched by them. A bundled model and bicubic
    are their names.
    """
    asked, reference = unfolded(wanted)
    sides = tuple(_digest(word, shows_samples=not reference) for _, word in asked)
    originals = _joined(_digest(word, shows_samples=False) for word in reference)
    return Content(sides, originals, _digest(wanted.degrade, shows_samples=False))


def told(names: Sequence[str], content: Content) -> dict[str, Any]:
    """As a file holds it: digests of sides by their names, whatever order they are in."""
    sides = dict(zip(names, content.sides, strict=True))
    return {"sides": sides, "reference": content.reference, "degrade": content.degrade}


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What of two `told` contents differs, for people."""
    before, after = old.get("sides", {}), new["sides"]
    found = [f"pictures of '{name}'" for name in after if before.get(name) != after[name]]
    return found + [what for what in ("reference", "degrade") if old.get(what) != new[what]]


def _digest(word: str, *, shows_samples: bool) -> str:
    place = Path(word)
    if word in ("", BICUBIC) or not place.exists():
        return word
    if place.is_file():
        return _joined([_bytes_of(place)])
    if (place / MODEL).is_file() and not shows_samples:
        return _joined([_bytes_of(place / MODEL)])
    root = place / SAMPLES if (place / MODEL).is_file() else place
    root = root / "HR" if (root / "HR").is_dir() else root
    paths = picture_paths([root])
    return _joined(f"{path.relative_to(root).as_posix()}\n{_bytes_of(path)}" for path in paths)


def _joined(parts: Iterable[str]) -> str:
    """One short word for several; "" for none."""
    found = list(parts)
    return hashlib.sha256("\n".join(found).encode("utf-8")).hexdigest()[:16] if found else ""


def _bytes_of(path: Path) -> str:
    mark = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            mark.update(piece)
    return mark.hexdigest()


def written(words: Sequence[str], home: Path) -> list[str]:
    """Places as they are found from the folder `home`; names of models stay."""
    return [_written(word, home) for word in words]


def _written(word: str, home: Path) -> str:
    if word in ("", BICUBIC) or not Path(word).exists():
        return word
    try:
        found = Path(os.path.relpath(Path(word).resolve(), home.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return str(Path(word).resolve())
    return found if found.startswith("..") else f"./{found}"


def found_again(word: str, home: Path) -> str:
    """What `written` wrote, as a place."""
    return str(home / word) if word.startswith(("./", "../")) or word == ".." else word
