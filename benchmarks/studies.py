"""Carry out the studies of studies.toml, and keep what they found.

    python benchmarks/studies.py list
    python benchmarks/studies.py run NAME [--jobs 2]
    python benchmarks/studies.py collect NAME [NAME ...]
    python benchmarks/studies.py repeat NAME [--seeds 3] [--first-seed 100] [--jobs 2]

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14, B100 and weights. `run` works in
runs/studies/NAME, goes on where it was stopped, and may be given several times at once. `collect`
answers a study by the runs that are done, writes results/study-NAME.json, and keeps the study's
report in docs/studies. `repeat` trains the two arms of a study's claim under other seeds, says
whether the claim holds again, and writes results/study-repeat.json.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from acutance.errors import InputError
from acutance.storage import write_atomically
from acutance.study.compare.answers import Answers, answer
from acutance.study.compare.question import Study
from acutance.study.compare.runs import Run
from acutance.study.compare.wording import sentences
from acutance.training.display import make_display
from facts import stamp
from study_plans import hold_out, names, read_plan

HERE = Path(__file__).parent
RUNS, RESULTS = HERE.parent / "runs" / "studies", HERE / "results"
MACHINES = "machines.json"  # in a study's folder: what its runs were carried out on


def main() -> None:
    options = _parser().parse_args()
    try:
        sys.exit(options.work(options))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def list_studies(options: argparse.Namespace) -> int:
    """A line a study: its runs, those that are done, and its steps."""
    for name in names():
        try:
            plan = read_plan(name, options.runs)
            runs = plan.runs()
            done = sum(run.is_done(plan.study.question) for run in runs)
            state = f"{done} of {len(runs)} runs done, {sum(r.steps for r in runs):,} steps in all"
        except InputError as error:
            state = f"not yet: {error}"
        print(f"{name:20} {state}")
    return 0


def run_study(options: argparse.Namespace) -> int:
    """Carry out one study; the exit code."""
    plan = read_plan(options.name, options.runs)
    hold_out(plan)
    runs = plan.runs()
    carry_out(plan.study, runs, plan.folder, options)
    if options.quiet:
        return 0
    answers = answer(plan.study.question, runs)
    if len(plan.study.question.losses) > 1:
        print("\n".join(sentences(answers)))
    return _told_missing(answers)


def carry_out(study: Study, runs: Sequence[Run], folder: Path, options: argparse.Namespace) -> None:
    """Train and score what is not, by `options.jobs` processes that work side by side.

    The others are this very script with --jobs 1: `runs` may be of one arm or of other seeds, which
    a study's file cannot say.
    """
    from acutance.study.compare.ground import settle
    from acutance.study.compare.runs import carry_out as work

    with closing(make_display(options.quiet)) as display:
        ground = settle(study, folder, jobs=options.jobs, display=display)
        _note_machine(folder)
        helpers = [_join() for _ in range(options.jobs - 1)]
        try:
            work(ground.study, runs, ground.pictures, display)
        finally:
            for helper in helpers:
                helper.terminate()
                helper.wait()


def _join() -> "subprocess.Popen[bytes]":
    """Another process with the same work."""
    command = [sys.executable, *sys.argv, "--jobs", "1", "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _note_machine(folder: Path) -> None:
    """Remember what the runs are carried out on: a study may be moved while it goes on."""
    import torch

    card = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    now, known = stamp()["machine"] + card, machines(folder)
    if now not in known:
        write_atomically(folder / MACHINES, json.dumps([*known, now], indent=1) + "\n")


def machines(folder: Path) -> list[str]:
    """What the runs in `folder` were carried out on."""
    path = folder / MACHINES
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _told_missing(answers: Answers) -> int:
    for name in answers.missing:
        print(f"not carried out: {name} (failed.txt in its folder says why)", file=sys.stderr)
    return 1 if answers.missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=RUNS, help="Folder of all studies.")
    works = parser.add_subparsers(required=True)
    work = works.add_parser("list", help="Every study, and how far it is.")
    work.set_defaults(work=list_studies)
    work = works.add_parser("run", help="Carry a study out, or go on.")
    work.set_defaults(work=run_study)
    work.add_argument("name")
    _add_working(work)
    return parser


def _add_working(work: argparse.ArgumentParser) -> None:
    work.add_argument("--jobs", type=int, default=1, help="Processes side by side.")
    work.add_argument("--quiet", action="store_true", help="Nothing but errors.")


if __name__ == "__main__":
    main()
