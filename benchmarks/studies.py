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
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from acutance.errors import InputError
from acutance.storage import write_atomically
from acutance.study.compare.answers import Answers, answer
from acutance.study.compare.dial import dialled
from acutance.study.compare.ground import read_record, settle
from acutance.study.compare.question import Study
from acutance.study.compare.runs import Run, list_runs
from acutance.study.compare.runs import carry_out as work_off
from acutance.study.compare.study import helped
from acutance.study.compare.wording import as_json, sentences
from acutance.training.display import make_display
from facts import stamp
from places import without_folders
from study_findings import (
    as_claim,
    beside,
    claims,
    family,
    fixed_scores,
    overlap,
    shifted,
)
from study_pages import keep
from study_plans import TABLE, Plan, hold_out, names, read_plan

HERE = Path(__file__).parent
RUNS, RESULTS = HERE.parent / "runs" / "studies", HERE / "results"
REPEAT = "study-repeat.json"
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
            hold_out(plan)
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


def collect_studies(options: argparse.Namespace) -> int:
    """Answer studies by the runs that are done, and keep what was found; the exit code."""
    missing = 0
    for name in options.names:
        plan = read_plan(name, options.runs)
        runs = plan.runs()
        answers = answer(plan.study.question, runs)
        if not answers.means:
            raise InputError(f"No run of {name} is done. First: {plan.command}")
        degrade = plan.study.recipe.data.degrade
        with closing(make_display(False)) as display:
            answers = dialled(answers, runs, plan.folder, display, degrade=degrade)
        found = findings(plan, answers, options.runs)
        path = options.results / f"study-{name}.json"
        text = json.dumps(found, indent=1) + "\n"
        write_atomically(path, without_folders(text, {plan.folder: plan.name}))
        print(path)
        missing |= _told_missing(answers)
        if len(plan.study.question.losses) > 1 and not options.no_page:
            keep(plan.folder, name, plan.command)
    return missing


def findings(plan: Plan, answers: Answers, root: Path) -> dict[str, Any]:
    """All that is kept of a study."""
    record = read_record(plan.folder) or {}
    recipe = plan.study.recipe
    perception = set(plan.study.question.metrics) - {"psnr", "ssim"}
    return {
        "command": plan.command,
        **stamp(),
        "machine": "; ".join(machines(plan.folder)),
        "versions": record["versions"],
        "name": plan.name,
        "about": plan.about,
        "network": recipe.network.name,
        "scale": recipe.network.scale,
        "photos": list(recipe.data.photos),
        "start": recipe.network.start,
        "teacher": recipe.loss.teacher,
        "claims": claims(plan),
        "beside": beside(plan, read_plan(plan.beside, root)) if plan.beside else [],
        "fixed": fixed_scores(plan) if perception else [],
        **as_json(answers),
    }


def repeat_study(options: argparse.Namespace) -> int:
    """Train the arms of a study's claim under other seeds, and hold them against what is kept."""
    plan = read_plan(options.name, options.runs)
    if plan.claim is None:
        raise InputError(f"{plan.name} claims nothing in {TABLE.name}, so nothing can be repeated.")
    kept = options.results / f"study-{plan.name}.json"
    if not kept.exists():
        raise InputError(f"{kept} is not there to be compared with. First: collect {plan.name}")
    arms = (plan.claim.against, plan.claim.arm)
    question = replace(plan.study.question, losses=arms, seeds=options.seeds)
    again = Study(question, plan.study.recipe)
    folder = plan.folder.with_name(f"{plan.name}-repeat")
    runs = runs_of(again, folder, options.first_seed)
    carry_out(again, runs, folder, options)
    if options.quiet:
        return 0
    done = [run for run in runs if run.is_done(question)]
    scores = shifted(done, options.first_seed)
    found = []
    for budget in question.steps:
        now = as_claim(family(question, scores, plan.claim.arm, plan.claim.against, budget))
        found += held_against(now["rows"], json.loads(kept.read_text(encoding="utf-8")))
    for row in found:
        print(repeat_line(row))
    command = f"python benchmarks/studies.py repeat {plan.name} --seeds {options.seeds}"
    kept_again = {
        "command": f"{command} --first-seed {options.first_seed}",
        **stamp(),
        "machine": "; ".join(machines(folder)),
        "name": plan.name,
        "rows": found,
    }
    write_atomically(options.results / REPEAT, json.dumps(kept_again, indent=1) + "\n")
    return 0 if len(done) == len(runs) else 1


def runs_of(study: Study, folder: Path, first_seed: int) -> list[Run]:
    """The runs of a study with its seeds counted from `first_seed`."""
    question = study.question
    last = replace(study, question=replace(question, seeds=first_seed + question.seeds))
    budgets = {budget: budget for budget in question.steps}
    runs = list_runs(last, dict.fromkeys(question.losses, budgets), folder)
    return [run for run in runs if run.seed >= first_seed]


def held_against(rows: list[dict[str, Any]], kept: dict[str, Any]) -> list[dict[str, Any]]:
    """Each row with the kept one of the same budget and set."""
    old = {
        (row["budget"], row["set"]): row
        for claim in kept["claims"]
        if claim["claimed"]
        for row in claim["rows"]
    }
    return [
        {**row, "kept": was, **overlap(row, was)}
        for row in rows
        if (was := old.get((row["budget"], row["set"])))
    ]


def repeat_line(row: dict[str, Any]) -> str:
    """For people."""
    sign = "the same sign" if row["same_sign"] else "ANOTHER sign"
    overlaps = "intervals overlap" if row["overlap"] else "intervals do NOT overlap"
    now, was = (
        f"{r['mean']:+.3f} ({r['low']:+.3f} to {r['high']:+.3f})" for r in (row, row["kept"])
    )
    return f"{row['set']}, {row['budget']:,} steps: {now}, kept {was}: {sign}, {overlaps}"


def carry_out(study: Study, runs: Sequence[Run], folder: Path, options: argparse.Namespace) -> None:
    """Train and score what is not, by `options.jobs` processes that work side by side.

    The others are this very script with --jobs 1: `runs` may be of one arm or of other seeds, which
    a study's file cannot say.
    """
    with closing(make_display(options.quiet)) as display:
        ground = settle(study, folder, jobs=options.jobs, display=display)
        _note_machine(folder)
        same = [sys.executable, *sys.argv, "--jobs", "1", "--quiet"]
        with helped(same, count=options.jobs - 1):
            work_off(ground.study, runs, ground.pictures, display)


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
    parser.add_argument("--results", type=Path, default=RESULTS, help="Where answers are kept.")
    works = parser.add_subparsers(required=True)
    work = works.add_parser("list", help="Every study, and how far it is.")
    work.set_defaults(work=list_studies)
    work = works.add_parser("run", help="Carry a study out, or go on.")
    work.set_defaults(work=run_study)
    work.add_argument("name")
    _add_working(work)
    work = works.add_parser("collect", help="Answer studies and keep what was found.")
    work.set_defaults(work=collect_studies)
    work.add_argument("names", nargs="+")
    work.add_argument("--no-page", action="store_true", help="Nothing for docs/studies.")
    work = works.add_parser("repeat", help="A study's claim under other seeds.")
    work.set_defaults(work=repeat_study)
    work.add_argument("name")
    work.add_argument("--seeds", type=int, default=3)
    work.add_argument("--first-seed", type=int, default=100)
    _add_working(work)
    return parser


def _add_working(work: argparse.ArgumentParser) -> None:
    work.add_argument("--jobs", type=int, default=1, help="Processes side by side.")
    work.add_argument("--quiet", action="store_true", help="Nothing but errors.")


if __name__ == "__main__":
    main()
