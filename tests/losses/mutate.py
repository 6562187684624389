"""Break each loss of ours in small ways and see that its tests notice.

python tests/losses/mutate.py                      five changes of every loss; about an hour
python tests/losses/mutate.py --only ssim --per-loss 20

A change is made in memory, in a process of its own; no file of the package is touched. The tests
of a change stop at the first that fails: values from outside, points of the contract (but compile
and memory), then the tests of the family that name the loss. Results are kept in
build/mutants.json: what was caught is not run again while the source is the same. Exit code 1 if
less than 95 % are caught.
"""

import argparse
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import multiprocessing
import os
import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # two processes side by side, before torch is imported

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.losses.mutations import Mutant, mutants, shortened  # noqa: E402

from acutance.losses import LOSSES, family  # noqa: E402

PLAIN_LIMIT_S = 300.0  # for a loss as it is; a change gets LIMIT_S, or three times the plain time
LIMIT_S = 60.0
ENOUGH = 0.95
# In the order of what finds most in the least time.
POINTS = (
    "minimum_at_equality",
    "symmetry",
    "homogeneity",
    "out_of_range",
    "blind_spots",
    "sizes",
    "degenerate",
    "finite_at_equality",
    "shape_and_type",
    "tiling",
    "per_picture",
    "layout",
    "determinism",
    "no_host_sync",
    "gradcheck",
    "precision",
    "descends",
)

# (loss or "", what the changed lines look like, why the change changes nothing that can be seen)
EQUIVALENT = (
    ("", r"\b(GROUP|PIECE)\b", "how much is done at once; the sums are the same"),
    ("", r"plane_groups\(", "how much is done at once; the sums are the same"),
    ("", r"lru_cache\(", "how many tables are kept"),
    ("", r"register_buffer\(.*\.detach\(\)", "weights of a file ask for no gradient"),
    ("", r"^- (ROUNDING|LEAST) = 1e-06", "a floor anywhere between rounding and what is seen"),
    ("contrastive_ratio", r"lr\.detach\(\)", "what is seen of it is a constant all the same"),
    ("dists", r"dict\.fromkeys\(layers", "its layers are weighed by shares of its own"),
    ("scattering", r"// 2 \*\* scales\) for side", "both sides' signs fall out of their product"),
    (
        "",
        r"where\([^()]*, 1\.1\)\.(sqrt|rsqrt|log|pow)\(",
        "what stands in for a 0 under a root, and is taken out again behind it",
    ),
)


@dataclass(frozen=True)
class Job:
    """One change of one loss; without a change, the loss as it is has to pass everything."""

    name: str
    mutant: Mutant | None
    key: str


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed source, and leaves its file alone."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source = module, source

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> Any:
        if fullname != self.module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(_file(fullname)))

    def exec_module(self, module: Any) -> None:
        module.__file__ = str(_file(self.module))
        exec(compile(self.source, module.__file__, "exec"), module.__dict__)  # noqa: S102

    def get_source(self, _fullname: str) -> str:
        """What the reader of declarations reads."""
        return self.source


def main() -> int:
    """Run the changes that are not known to be caught; print and keep what came of each."""
    options = _options()
    names = [n for n in LOSSES.names() if _is_ours(n) and (n in options.only or not options.only)]
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    known = {key: row for key, row in known.items() if row["verdict"] == "caught"}
    _import_heavy()
    caught = total = 0
    for name in names:
        began = time.monotonic()
        jobs = _jobs(name, options.per_loss, options.seed)
        is_new = any(job.key not in known for job in jobs[1:])
        plain = _run(jobs[0], PLAIN_LIMIT_S) if is_new else {"verdict": "survived", "seconds": 0}
        if plain["verdict"] == "caught":
            print(f"{name}: fails as it is, so no change was tried: {plain['by']}")
            total += 1
            continue
        with ThreadPoolExecutor(options.processes) as pool:
            limit_s = max(LIMIT_S, 3 * plain["seconds"])
            rows = list(pool.map(partial(_known_or_run, known, limit_s), jobs[1:]))
        known |= {job.key: row for job, row in zip(jobs[1:], rows, strict=True)}
        _keep(options.results, known)
        found = sum(row["verdict"] == "caught" for row in rows)
        caught, total = caught + found, total + len(rows)
        print(f"{name}: {found} of {len(rows)} caught, {time.monotonic() - began:.0f} s")
        for job, row in zip(jobs[1:], rows, strict=True):
            if row["verdict"] != "caught" or options.verbose:
                _tell(job, row)
        sys.stdout.flush()
    share = caught / total if total else 1.0
    print(f"{caught} of {total} changes caught, {share:.1%}")
    return 0 if share >= ENOUGH else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--per-loss", type=int, default=5)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=ROOT / "build" / "mutants.json")
    parser.add_argument("--verbose", action="store_true", help="show what was caught, and by what")
    return parser.parse_args()


def _is_ours(name: str) -> bool:
    return LOSSES.place(name).startswith("acutance.")


def _import_heavy() -> None:
    """What every process needs is imported once, and nothing of it run: the others are forks."""
    for package in ("numpy", "torch", "torch.profiler", "pytest", "jaxtyping", "beartype"):
        importlib.import_module(package)


def _jobs(name: str, count: int, seed: str) -> list[Job]:
    """The loss as it is, and `count` changes of it that could be seen."""
    source = _file(LOSSES.place(name).partition(":")[0]).read_text(encoding="utf-8")
    drawn = mutants(source, seed=f"{seed}:{name}")
    seen = islice((m for m in drawn if not _is_equivalent(name, m)), count)
    jobs = [Job(name, mutant, _key(name, mutant)) for mutant in seen]
    return [Job(name, None, ""), *jobs]


def _file(module: str) -> Path:
    return (ROOT / "src" / Path(*module.split("."))).with_suffix(".py")


def _key(name: str, mutant: Mutant) -> str:
    return f"{name}:{hashlib.sha256(mutant.source.encode()).hexdigest()[:16]}"


def _is_equivalent(name: str, mutant: Mutant) -> bool:
    return any(of in ("", name) and re.search(look, mutant.diff) for of, look, _ in EQUIVALENT)


def _known_or_run(known: dict[str, Any], limit_s: float, job: Job) -> dict[str, Any]:
    return known.get(job.key) or _run(job, limit_s)


def _run(job: Job, limit_s: float) -> dict[str, Any]:
    """In a process of its own: "caught" with what caught it, or "survived"."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(job, theirs))
    began = time.monotonic()
    process.start()
    theirs.close()
    said: dict[str, Any] = {"verdict": "caught", "by": f"no end within {limit_s:.0f} s"}
    try:
        if mine.poll(limit_s):
            said = mine.recv()
    except EOFError:
        said = {"verdict": "caught", "by": "the process died"}
    process.kill()
    process.join()
    return {**said, "seconds": round(time.monotonic() - began, 1)}


def _child(job: Job, pipe: Any) -> None:
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)  # the profiler writes past python
        with redirect_stdout(nothing), redirect_stderr(nothing):
            by = _first_failure(job)
    pipe.send({"verdict": "survived" if by is None else "caught", "by": by})
    pipe.close()


def _first_failure(job: Job) -> str | None:
    if job.mutant is not None:
        module = LOSSES.place(job.name).partition(":")[0]
        sys.meta_path.insert(0, Changed(module, job.mutant.source))
    try:
        _try_values(job.name)
        return _points(job.name) or _tests(job.name)
    except BaseException as error:  # also what is meant to end pytest
        if hasattr(error, "shown_by"):
            return str(error.shown_by)
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def _try_values(name: str) -> None:
    """The rows of tests/losses/anchors for this loss, as test_values.py tries them."""
    import torch
    from tests.losses import anchors, test_values

    from acutance.losses.expression import parse_loss
    from acutance.losses.proof.fault import tried_on

    for row in test_values.TWINS + test_values.ANCHORS:
        if not re.search(rf"\b{name}\b", row.expression):
            continue
        if name not in {term.name for term in parse_loss(row.expression).terms}:
            continue  # an option, or a loss inside it
        with tried_on(f"the value of {row.expression}"):
            if isinstance(row, anchors.Twin):
                test_values.test_values_are_those_of_the_formula(row)
                continue
            for dtype in (torch.float64, torch.float32):
                test_values.test_values_are_those_of_others(row, dtype)


def _points(name: str) -> str | None:
    from acutance.losses.proof.suite import rows

    contract = LOSSES.module(name).CONTRACT
    for row in rows(LOSSES.load(name), contract, POINTS):
        if not row.holds:
            return f"{row.point}: {row.what}"
    return None


def _tests(name: str) -> str | None:
    """The test files of the family and of the twins, filtered by the name of the loss."""
    import pytest

    here = ROOT / "tests" / "losses"
    files = [here / f"test_{family(name)}.py", here / "test_values.py", here / "test_twins.py"]
    for file in files:
        if not file.exists():
            continue
        late = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins imported before it
        options = [
            *late,
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-k",
            name,
            "-m",
            "not slow",
        ]
        code = pytest.main([str(file), f"--rootdir={ROOT}", *options])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return file.name
    return None


def _keep(path: Path, known: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(known, indent=1))
    fresh.replace(path)


def _tell(job: Job, row: dict[str, Any]) -> None:
    assert job.mutant is not None
    by = f" by {row['by']}" if row["by"] else ""
    print(f"  {row['verdict']}{by}, {job.mutant.kind} near line {job.mutant.line}:")
    for line in shortened(job.mutant.diff).splitlines():
        print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
