"""Which runs there are under the folders that were named, now and as they appear."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acutance.errors import InputError
from acutance.storage import read_toml
from acutance.study.board.own import subfolders
from acutance.study.compare.question import RECORD as STUDY
from acutance.study.compare.question import folder_name
from acutance.study.tune.question import RECORD as SEARCH
from acutance.training.two_stages import FIRST

MOST_RUNS, MOST_FOLDERS, DEEPEST = 500, 20_000, 8
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Found:
    """A run's folder, or the place where a study will put one."""

    folder: Path
    root: Path  # what was named, resolved
    name: str  # of the run on the page
    arm: str  # runs of one arm share a curve: the loss of a study, else the run itself
    loss: str = ""  # where a study says it before the run does
    steps: int = 0
    seed: int | None = None
    is_trial: bool = False  # of a search

    @property
    def key(self) -> str:
        """Short letters for its folder, the same whenever the page is served."""
        return hashlib.sha256(str(self.folder).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def named_folders(words: Sequence[str]) -> list[Path]:
    """The folders of the command, resolved, each once. Raises InputError for what is none."""
    folders = []
    for word in words:
        if not Path(word).is_dir():
            what = "is no folder" if Path(word).exists() else "does not exist"
            raise InputError(
                f"{word} {what}. Name a run, a study, or a folder of them; where a run is only to "
                "begin, name the folder that it will be in."
            )
        folders.append(Path(word).resolve())
    return list(dict.fromkeys(folders))


def find(roots: Sequence[Path]) -> tuple[list[Found], int]:
    """Runs under `roots` in the order of their names, and how many more were left out."""
    found: dict[Path, Found] = {}
    for root, title in zip(roots, titles(roots), strict=True):
        for run in _under(root, title, alone=len(roots) == 1):
            found.setdefault(run.folder, run)
    runs = list(found.values())
    return runs[:MOST_RUNS], max(0, len(runs) - MOST_RUNS)


def titles(roots: Sequence[Path]) -> list[str]:
    """A name for each: its own, or the whole path where two have the same."""
    names = [root.name or str(root) for root in roots]
    return [
        name if names.count(name) == 1 else str(root)
        for root, name in zip(roots, names, strict=True)
    ]


def _under(root: Path, title: str, *, alone: bool) -> Iterator[Found]:
    left = MOST_FOLDERS
    ahead = [(root, 0)]
    before = "" if alone else f"{title}/"
    while ahead and left:
        folder, depth = ahead.pop()
        left -= 1
        within = folder.relative_to(root).as_posix()
        name = title if within == "." else before + within
        if _is_file(folder / STUDY):
            yield from _of_study(folder, root, "" if within == "." and alone else f"{name}/")
        elif is_run(folder):
            yield from _staged(Found(folder, root, name, name))
        elif depth < DEEPEST:
            inner = [one for one in subfolders(folder) if not one.name.startswith(".")]
            if _is_file(folder / SEARCH):
                yield from _of_search(folder, root, "" if within == "." and alone else f"{name}/")
                continue
            ahead += [(one, depth + 1) for one in reversed(inner)]


def is_run(folder: Path) -> bool:
    """Whether a training has begun there."""
    return any(_is_file(folder / name) for name in ("run.toml", "log.jsonl"))


def _staged(run: Found) -> Iterator[Found]:
    """A run, and before it its first stage where it has one."""
    first = run.folder / FIRST
    if is_run(first) and not first.is_symlink():
        more = ", first stage"
        yield Found(first, run.root, run.name + more, run.arm + more)
    yield run


def _of_study(study: Path, root: Path, before: str) -> Iterator[Found]:
    """Every run that a study asks for, begun or not, seed by seed."""
    asked = _asked(study / STUDY, "study")
    losses, seeds = _texts(asked.get("losses")), asked.get("seeds")
    budgets = [step for step in _list(asked.get("steps")) if isinstance(step, int)]
    count = min(seeds, MOST_SEEDS) if isinstance(seeds, int) else 0
    for budget in budgets:
        for seed in range(count):
            for loss in losses:
                folder = study / "arms" / folder_name(loss) / f"steps-{budget}" / f"seed-{seed}"
                if not folder.resolve().is_relative_to(root):
                    continue
                more = f", {budget:,} steps" if len(budgets) > 1 else ""
                arm = f"{before}{loss}{more}"
                name = f"{arm}, seed {seed}"
                yield from _staged(Found(folder, root, name, arm, loss, budget, seed))


def _of_search(search: Path, root: Path, before: str) -> Iterator[Found]:
    """Trials of a search, and the runs again of its front, whose seeds make an arm each."""
    for trial in subfolders(search / "trials"):
        if is_run(trial):
            name = f"{before}trial {trial.name}"
            yield from _staged(Found(trial, root, name, name, is_trial=True))
    for again in subfolders(search / "again"):
        arm = f"{before}trial {again.name} again"
        for seed in subfolders(again):
            if is_run(seed / "run"):
                name = f"{arm}, {seed.name}"
                yield from _staged(Found(seed / "run", root, name, arm, is_trial=True))


def _asked(path: Path, table: str) -> Mapping[str, Any]:
    try:
        found = read_toml(path).get(table)
    except InputError:  # it is being written, or is none
        return {}
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:
        return False
