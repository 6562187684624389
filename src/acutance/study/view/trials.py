"""What is asked in a blind test, and the file of the answers: lines of JSON, only ever added to.

The first line says what is compared, each further one is a choice:

    {"format": 2, "kind": "acutance blind test", "names": [...], "pictures": [...], "seed": 0, ...}
    {"trial": 0, "picture": "baby", "left": "a", "right": "b", "choice": "left", "seconds": 2.1}

A line is on the disk before the next pair is shown, so a kill at any instant costs at most the
pair in view; a line that was cut by one is passed over. The same command goes on where it stopped.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from acutance.errors import InputError
from acutance.storage import append, write_atomically
from acutance.study.view.content import Content, changed, told, written

KIND, FORMAT = "acutance blind test", 2
PLACES = ("sides", "reference", "degrade")  # which may change: what lies there may not
CHOICES = ("left", "tie", "right")


@dataclass(frozen=True)
class Test:
    """What is compared and how it is mixed.

    `sides`, `reference` and `degrade` are the words of the command: where things are now. A test
    is bound to their `content`, so that it goes on wherever they are moved.
    """

    names: tuple[str, ...]
    pictures: tuple[str, ...]
    pairs: tuple[tuple[int, int, int], ...]  # (picture, side, side) that can be shown
    sides: tuple[str, ...]
    content: Content
    reference: str = ""
    scale: int | None = None
    degrade: str = ""
    seed: int = 0
    rounds: int = 1
    person: str = ""

    def head(self, home: Path) -> dict[str, Any]:
        """The first line of a file in the folder `home`, from which its places are told."""
        *sides, reference, degrade = written([*self.sides, self.reference, self.degrade], home)
        return {
            "kind": KIND, "format": FORMAT, "names": list(self.names),
            "pictures": list(self.pictures), "sides": sides, "reference": reference,
            "scale": self.scale, "degrade": degrade, "content": told(self.names, self.content),
            "pairs": _digest(self.pairs), "seed": self.seed, "rounds": self.rounds,
            "person": self.person,
        }  # fmt: skip


def _digest(pairs: tuple[tuple[int, int, int], ...]) -> str:
    """Short for all pairs: answers are by number, which means another pair where these differ."""
    return hashlib.sha256(json.dumps(pairs).encode("ascii")).hexdigest()[:16]


@dataclass(frozen=True)
class Trial:
    """One pair: a picture, and which side stands where."""

    picture: int
    left: int
    right: int


def trials(test: Test) -> tuple[Trial, ...]:
    """Every pair once a round, in an order and with sides drawn from the seed.

    A pair that stood one way round in one round stands the other way in the next.
    """
    generator = np.random.default_rng(test.seed)
    turned = generator.integers(0, 2, len(test.pairs))
    found: list[Trial] = []
    for number in range(test.rounds):
        for k in generator.permutation(len(test.pairs)):
            picture, a, b = test.pairs[k]
            left, right = (a, b) if (turned[k] + number) % 2 else (b, a)
            found.append(Trial(picture, left, right))
    return tuple(found)


def pairs_of(present: Sequence[Sequence[int]]) -> tuple[tuple[int, int, int], ...]:
    """(picture, side, side) of the sides that are present in each picture."""
    return tuple(
        (picture, a, b) for picture, sides in enumerate(present) for a, b in combinations(sides, 2)
    )


@dataclass(frozen=True)
class Choice:
    """One answer, by names: it means the same without the test that it belongs to."""

    trial: int
    picture: str
    left: str
    right: str
    choice: str  # of CHOICES
    seconds: float


@dataclass(frozen=True)
class Answers:
    """What a file holds: its first line, and the choices in their order, each trial once."""

    head: dict[str, Any]
    choices: tuple[Choice, ...]


def begin(path: Path, test: Test) -> int:
    """Make the file of a test, or go on with it; how many trials are answered already.

    Raises InputError where the file is of another test, and says in what.
    """
    if not path.exists():
        write_atomically(path, json.dumps(test.head(path.parent)) + "\n")
        return 0
    answers = read_answers(path)
    head = test.head(path.parent)
    known = {key: value for key, value in head.items() if key not in (*PLACES, "content")}
    other = [key for key, value in known.items() if answers.head.get(key) != value]
    other += changed(answers.head["content"], head["content"])
    if other:
        raise InputError(
            f"{path} holds another test: its {', '.join(other)} differ from what is asked now. "
            "Name another file by -o, or repeat its own command to go on with it."
        )
    if not path.read_bytes().endswith(b"\n"):  # a kill cut the last line
        with path.open("ab", buffering=0) as file:
            append(file, b"\n", path=path, durable=True)
    return len(answers.choices)


def add(path: Path, choice: Choice) -> None:
    """Add an answer; it is on the disk when this returns. Raises RunError where it cannot be."""
    line = json.dumps(vars(choice)) + "\n"
    with path.open("ab", buffering=0) as file:
        append(file, line.encode("ascii"), path=path, durable=True)


def read_answers(path: Path) -> Answers:
    """The answers in a file; InputError where it is none. Lines that a kill cut are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. Name a file of a blind test.") from error
    parsed = [_object(line) for line in lines]
    head = parsed[0] if parsed else None
    if head is None or head.get("kind") != KIND or not isinstance(head.get("names"), list):
        raise InputError(f"{path} is no file of a blind test: its first line does not say so.")
    if head.get("format") != FORMAT or not isinstance(head.get("content"), dict):
        raise InputError(f"{path} was written by another version of acutance. Use that one.")
    found: dict[int, Choice] = {}
    for content in parsed[1:]:
        choice = _choice(content, head["names"])
        if choice is not None:
            found.setdefault(choice.trial, choice)
    return Answers(head, tuple(found.values()))


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _choice(content: dict[str, Any] | None, names: list[str]) -> Choice | None:
    match content:
        case {
            "trial": int(trial), "picture": str(picture), "left": str(left), "right": str(right),
            "choice": str(choice), "seconds": int() | float() as seconds,
        } if choice in CHOICES and {left, right} <= set(names):  # fmt: skip
            return Choice(trial, picture, left, right, choice, float(seconds))
    return None
