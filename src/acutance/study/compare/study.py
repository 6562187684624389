"""The public verb: compare losses over seeds and say which is better."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.cluster import open_cluster
from acutance.errors import MissingPackageError
from acutance.storage import write_atomically
from acutance.study.compare.answers import Answers, answer, scores_of
from acutance.study.compare.question import RECORD, Study, make_study
from acutance.study.compare.wording import as_csv, as_json, as_markdown
from acutance.training.display import Display, make_display
from acutance.training.recipe import absolute
from acutance.training.start import is_installed, require_training

if TYPE_CHECKING:
    from acutance.study.compare.runs import Run


@dataclass(frozen=True)
class Outcome:
    """What a study left in its folder."""

    folder: Path
    answers: Answers
    report: Path


def compare(
    photos: Sequence[str | Path],
    losses: Sequence[str],
    run: str | Path,
    *,
    test: Sequence[str | Path],
    settings: Mapping[str, object] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Train under each of `losses` with several seeds, score on `test`, and compare.

    Arms of one seed begin with the same weights and see the same batches. settings: anything
    else by its name, of the study ("study.seeds": 5, "study.steps": [3000], "study.metrics":
    ["psnr", "lpips"]) or of the runs ("network.name": "compact:nano"). The same call continues a
    study that was cut short. Raises InputError for wrong input, before anything is trained.
    """
    named = {
        "study.losses": list(losses),
        "study.test": [str(Path(folder).resolve()) for folder in test],
        "data.photos": [absolute(str(photo)) for photo in photos],
    }
    study = make_study([("arguments", named), ("settings", settings or {})])
    return carry_out(study, Path(run), quiet=quiet)


def carry_out(
    study: Study,
    folder: Path,
    *,
    jobs: int = 1,
    quiet: bool = False,
    cluster: str = "",
    store: str = "",
) -> Outcome:
    """Carry out a study in `folder`, with `jobs` processes side by side, and answer it.

    cluster: "auto" or "ray://HOST:PORT", to put each run on a node of that Ray cluster in place of
    processes here. The nodes find the study in `folder`, or in `store`, an fsspec URL.
    """
    require_study()
    from acutance.study.compare.people import read_votes

    read_votes(study.question, folder)  # what cannot be read is told before any run
    if cluster:
        return _carry_out_placed(study, folder.resolve(), quiet=quiet, cluster=cluster, store=store)
    from acutance.study.compare.ground import settle
    from acutance.study.compare.runs import carry_out as work
    from acutance.study.compare.runs import list_runs

    with closing(make_display(quiet)) as display:
        ground = settle(study, folder, jobs=jobs, display=display)
        runs = list_runs(study, ground.steps, folder)
        command = [sys.executable, "-m", "acutance", "compare", "--quiet"]
        with helped([*command, "--file", str(folder / RECORD)], count=jobs - 1):
            work(ground.study, runs, ground.pictures, display)
        return report(folder, study, runs, display)


def _carry_out_placed(
    study: Study, folder: Path, *, quiet: bool, cluster: str, store: str
) -> Outcome:
    from acutance.study.compare.ground import settle
    from acutance.study.compare.placed import Desk, carry_out_placed
    from acutance.study.compare.runs import list_runs
    from acutance.study.store import Store

    kept = Store(store) if store else None
    with closing(make_display(quiet)) as display, open_cluster(cluster) as executor:
        ground = settle(study, folder, jobs=1, display=display)
        runs = list_runs(study, ground.steps, folder)
        carry_out_placed(ground, runs, Desk(folder, store), executor, display)
        outcome = report(folder, study, runs, display)
    if kept is not None:
        kept.put_beside(folder)
    return outcome


def foresee(study: Study, folder: Path, *, prior: Path | None = None) -> list[str]:
    """What the study can show, before it starts, as lines for people.

    How small a difference can show is known from runs that are done: of `prior`, an earlier
    study, or of `folder` itself.
    """
    require_study()
    from acutance.study.compare.foresight import plan_lines
    from acutance.study.compare.ground import read_record, recorded

    earlier = prior or (folder if read_record(folder) is not None else None)
    if earlier is None:
        return plan_lines(study.question, None)
    asked, runs = recorded(earlier)
    question = asked.question
    if prior is None:  # the folders of today, for those of the beginning may have moved
        question = replace(question, test=study.question.test)
    return plan_lines(study.question, answer(question, runs))


def require_study() -> None:
    """Raise MissingPackageError before any work if what trains or compares is not installed."""
    require_training()
    for package in ("filelock", "scipy"):
        if not is_installed(package):
            raise MissingPackageError(package, "study", "Comparing losses over seeds")


@contextmanager
def helped(command: Sequence[str], *, count: int) -> Iterator[None]:
    """While `count` more processes, begun by `command`, are at the same work without a word."""
    quiet = subprocess.DEVNULL
    helpers = [subprocess.Popen(command, stdout=quiet, stderr=quiet) for _ in range(count)]
    try:
        yield
    finally:
        for helper in helpers:
            helper.terminate()
            helper.wait()


def report(folder: Path, study: Study, runs: "Sequence[Run]", display: Display) -> Outcome:
    """Answer the question by the runs that are done, and write what people and machines read."""
    from acutance.study.compare.dial import dialled
    from acutance.study.compare.ground import read_record
    from acutance.study.compare.page import write_page
    from acutance.study.compare.people import judged, read_votes

    answers = answer(study.question, runs)
    votes = read_votes(study.question, folder)
    if votes is not None:
        people = judged(votes, study.question, scores_of(runs))
        answers = replace(answers, people=people)
    write_answers(folder, answers)
    if study.question.dial:  # what is known already is kept whatever becomes of the mixtures
        answers = dialled(answers, runs, folder, display, degrade=study.recipe.data.degrade)
        write_answers(folder, answers)
    page = folder / "report.html"
    write_page(page, study, answers, runs, read_record(folder) or {})
    return Outcome(folder, answers, page)


def write_answers(folder: Path, answers: Answers) -> None:
    """Write results.json, results.csv and results.md."""
    write_atomically(folder / "results.json", json.dumps(as_json(answers), indent=1) + "\n")
    write_atomically(folder / "results.csv", as_csv(answers))
    write_atomically(folder / "results.md", as_markdown(answers))
