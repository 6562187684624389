"""All pictures of a batch for a cluster, in files: listed as a stream, and cut into shards.

Which shard a picture is in depends on its folder and its name without ending, and on the number of
shards, which the first command in an output folder settles. So a shard's record knows all that
ever became of its pictures, however many are added later, and two pictures that would become one
file meet in one shard.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from acutance.errors import InputError, MissingPackageError
from acutance.storage import write_atomically
from acutance.upscaling.batch.kinds import PICTURES
from acutance.upscaling.batch.planning import find_sources

FOLDER = ".acutance-cluster"  # in the output folder
LEAST, MOST = 16, 256  # pictures of a shard: not all of a batch with one worker, and few files
PARTS = 1000  # shards of a batch between those
MARKS = ("mtime", "LastModified", "last_modified", "ETag", "etag")  # by file systems of fsspec
BUFFERED = 8 << 20  # bytes of lines that are held before they are written


@dataclass(frozen=True)
class Item:
    """A picture to be made larger: a path or URL, and the folder whose structure is kept.

    `state` is its size in bytes and its time of change (ns) where it is at a URL.
    """

    source: str
    root: str
    state: tuple[int, int] | None = None

    @property
    def inside(self) -> str:
        """Its place below the root."""
        return PurePosixPath(self.source).relative_to(PurePosixPath(self.root)).as_posix()


@dataclass(frozen=True)
class Manifest:
    """What the files of a manifest say."""

    output: Path
    shards: int
    pictures: int
    engine: str
    note: str = ""  # for people, where the number of shards does not fit

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.output / FOLDER

    def filled(self) -> Iterator[int]:
        """Numbers, from 0, of the shards with pictures."""
        return (number for number in range(self.shards) if self.place(number).exists())

    def place(self, number: int) -> Path:
        """The file of a shard."""
        return self.folder / "shards" / f"{number:06d}.jsonl"

    def read(self, number: int) -> list[Item]:
        """The pictures of a shard, by name."""
        lines = self.place(number).read_bytes().splitlines()  # of text, U+2028 would end one
        items = [_item(json.loads(line.decode(errors="surrogateescape"))) for line in lines]
        return sorted(dict.fromkeys(items), key=lambda item: item.source)


def known_of(output: Path) -> dict[str, Any]:
    """What an earlier command settled for `output`; {} where none did.

    "shards", "engine", and "asked": the fingerprint of the request that the engine was chosen for,
    or "" where it was named.
    """
    try:
        found = json.loads((output / FOLDER / "manifest.json").read_text(encoding="utf-8"))
        told = {"engine": str(found["engine"]), "asked": str(found.get("asked", ""))}
        return {"shards": int(found["shards"])} | told
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{output / FOLDER / 'manifest.json'} is damaged. Choose another folder with -o."
        ) from error


def write_manifest(
    items: Iterator[Item], output: Path, *, engine: str, asked: str = ""
) -> Manifest:
    """List `items` into the files of the output folder; memory does not grow with their number.

    `asked` is the fingerprint of what `engine` was chosen for. Raises InputError where there are no
    items.
    """
    folder, settled = output / FOLDER, known_of(output)
    listing = folder / "listing.jsonl"
    try:
        count = _list(items, listing)
        if not count:
            raise InputError("The input holds no pictures. Name another folder.")
        size = min(MOST, max(LEAST, count // PARTS))
        shards = settled.get("shards") or -(-count // size)
        made = Manifest(output, shards, count, engine, _advice(output, shards, count))
        _cut(listing, made)
    finally:
        listing.unlink(missing_ok=True)
        if folder.exists() and not any(folder.iterdir()):  # of the first command here
            folder.rmdir()
    head = {"shards": shards, "pictures": count, "engine": engine, "asked": asked}
    write_atomically(folder / "manifest.json", json.dumps(head) + "\n")
    return made


def _advice(output: Path, shards: int, count: int) -> str:
    """What to do where the first command here was for far fewer pictures; or nothing."""
    if count <= MOST * shards:
        return ""
    return (
        f"Shards in {output}: {shards}, as its first command settled it, now with about "
        f"{-(-count // shards):,} pictures each. No more are worked on at once; another folder "
        "with -o would have more."
    )


def _list(items: Iterator[Item], listing: Path) -> int:
    """Write a line for each; their number. What an earlier command left stands meanwhile."""
    listing.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with listing.open("wb") as file:
        for count, item in enumerate(items, start=1):  # noqa: B007  its last value is the number
            file.write(_line(item))
    return count


def _cut(listing: Path, manifest: Manifest) -> None:
    place = manifest.folder / "shards"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    waiting: dict[int, list[bytes]] = defaultdict(list)
    held = 0
    with listing.open("rb") as file:
        for line in file:
            item = _item(json.loads(line.decode(errors="surrogateescape")))
            waiting[shard_of(item, manifest.shards)].append(line)
            held += len(line)
            if held > BUFFERED:
                _append(waiting, manifest)
                held = 0
    _append(waiting, manifest)


def _append(waiting: dict[int, list[bytes]], manifest: Manifest) -> None:
    for number, lines in waiting.items():
        with manifest.place(number).open("ab") as file:
            file.writelines(lines)
    waiting.clear()


def shard_of(item: Item, shards: int) -> int:
    """The number, from 0, of the shard that holds a picture."""
    place = PurePosixPath(item.inside)
    name = os.fsencode((place.parent / place.stem).as_posix())
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest()) % shards


def list_items(words: Sequence[str | Path], output: Path) -> Iterator[Item]:
    """The pictures that words name, one after the other: folders and URLs of folders as streams.

    What lies in the output folder is left out.
    """
    for word in words:
        if "://" in str(word):
            yield from _at_url(str(word))
        elif str(word) and Path(word).is_dir():
            yield from _in_folder(Path(word).resolve(), output.resolve())
        else:
            for found in find_sources([word]):
                yield Item(str(found.path.absolute()), str(found.root.absolute()))


def _in_folder(folder: Path, output: Path) -> Iterator[Item]:
    if folder == output:
        raise InputError(f"{folder} is input and output. Name another folder with -o.")
    left = [folder]
    while left:
        place = left.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inside = Path(entry.path)
                    if inside != output:
                        left.append(inside)
                elif _is_picture(entry.name):
                    yield Item(entry.path, str(folder))


def _at_url(url: str) -> Iterator[Item]:
    system, root = open_url(url)
    for place, _, files in system.walk(root, detail=True):
        for name, facts in files.items():
            if _is_picture(name) and not name.startswith("."):
                path = system.unstrip_protocol(f"{place.rstrip('/')}/{name}")
                item = Item(path, system.unstrip_protocol(root.rstrip("/")), _state(facts))
                _check_inside(item, url)
                yield item


def _check_inside(item: Item, url: str) -> None:
    """Refuse names by which a node would write outside its folders: a bucket allows any name."""
    try:
        inside = Path(item.inside)
    except ValueError:  # not below the root at all
        inside = Path("..")
    if ".." in inside.parts or inside.is_absolute() or inside.drive:
        raise InputError(
            f"{item.source} would lie outside {url}. Rename it there, or name another folder."
        )


def _state(facts: dict[str, Any]) -> tuple[int, int]:
    """Size and a mark of the version: a time where there is one, else of the system's tag."""
    told = next((facts[name] for name in MARKS if facts.get(name)), "")
    mark = int.from_bytes(hashlib.blake2b(str(told).encode(), digest_size=4).digest()) >> 1
    return int(facts.get("size") or 0), mark * 10**9  # whole seconds, which every disk can keep


def open_url(url: str) -> tuple[Any, str]:
    """The file system of a URL and the place in it. Raises InputError where it is unknown."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingPackageError("fsspec", "cluster", "Reading from a URL") from error
    try:
        return url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(f"{url} cannot be read: {error}") from error


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURES


def _line(item: Item) -> bytes:
    told = [item.source, item.root, *([item.state] if item.state else [])]
    return f"{json.dumps(told, ensure_ascii=False)}\n".encode(errors="surrogateescape")


def _item(told: list[Any]) -> Item:
    return Item(told[0], told[1], tuple(told[2]) if len(told) > 2 else None)
