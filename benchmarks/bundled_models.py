"""Make the models that the package brings, as bundled_models.toml says.

    python benchmarks/bundled_models.py list
    python benchmarks/bundled_models.py make nano-x2 [--minutes N] [--keep] [--set KEY=VALUE ...]

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14 and B100. `make` trains in runs/bundled/NAME and
goes on where it was stopped, by Ctrl-C or after --minutes. What is finished is scored, measured in
8 bits, given its card and its ONNX twin, checked for size, and only then put into the package
(--into names another folder). With --keep the last snapshot of an unfinished training is copied to
training/wip/NAME, from where another machine that has the pictures in the same folders goes on; the
finished model removes it. A draft is only trained, for others to begin from.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from threading import Timer
from typing import Any

from acutance.errors import InputError, RunError
from acutance.models.bundled import FOLDER, IN_8_BITS
from acutance.models.card import MODEL_FILE, ModelCard
from acutance.models.checkpoint import halve, load_model, save_model
from acutance.storage import write_atomically
from acutance.study.score import evaluate
from acutance.training.recipe import plain_settings, read_assignment
from acutance.training.record import differences
from acutance.training.snapshots import newest_snapshot
from acutance.training.start import carry_out
from acutance.training.two_stages import FIRST
from acutance.upscaling.export import export_onnx
from acutance.upscaling.int8 import export_int8
from bundled_plans import RUNS, Plan, names, read_plan
from places import data_folder

HERE = Path(__file__).parent
WIP = HERE.parent / "training" / "wip"
SETS, PROTOCOL = ("Set5", "Set14", "B100"), "y@1"
MOST_BYTES, MOST_TOGETHER = 2 * 2**20, 12_000_000  # of a file, and of all that are bundled
MOST_LOSS_DB = 0.1  # that 8 bits may cost where they are bundled
UNFINISHED = 3  # exit code
ELSEWHERE = ("  data.photos:", "  network.start:", "  loss.teacher:", "  machine.")  # settings


def main() -> None:
    options = _parser().parse_args()
    if options.work == "list":
        print("\n".join(names()))
        return
    plan = read_plan(options.name, dict(map(read_assignment, options.set)), options.runs)
    run = options.runs / plan.name
    take_up(WIP / plan.name, run)
    if not train(plan, run, options.minutes):
        if options.keep and keep(run, WIP / plan.name):
            print(WIP / plan.name)
        print(f"{plan.name} is not finished; give the same command to go on", file=sys.stderr)
        sys.exit(UNFINISHED)
    files = [run] if plan.told.get("draft") else finish(plan, run, options.into)
    print(*files, sep="\n")
    shutil.rmtree(WIP / plan.name, ignore_errors=True)


def train(plan: Plan, run: Path, minutes: float) -> bool:
    """Train, or go on, for at most so many minutes (0: to the end); whether it is finished."""
    if (run / MODEL_FILE).is_file():
        check_same_recipe(plan, run)
        return True
    try:
        with ended_after(minutes):
            carry_out(plan.recipe, run)
    except KeyboardInterrupt:
        return False
    return True


def check_same_recipe(plan: Plan, run: Path) -> None:
    """Raise InputError for a finished run of another recipe, which the card would not tell.

    Where the pictures and models are, and the machine, may differ.
    """
    tables = tomllib.loads((run / "run.toml").read_text(encoding="utf-8"))
    then, now = plain_settings(tables["recipe"]), plain_settings(asdict(plan.recipe))
    if different := [line for line in differences(then, now) if not line.startswith(ELSEWHERE)]:
        told = "\n".join(different)
        raise InputError(
            f"{run} is finished, by another recipe:\n{told}\nGive the same --set, or remove it."
        )


@contextmanager
def ended_after(minutes: float) -> Iterator[None]:
    """As if Ctrl-C were pressed then: the training saves everything and ends."""
    timer = Timer(minutes * 60, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    if minutes:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def finish(plan: Plan, run: Path, into: Path) -> list[Path]:
    """Score the model of a finished run, write its card, and put its files into `into`."""
    network = load_model(run)
    card: ModelCard = network.card  # pyright: ignore[reportAssignmentType]
    count, most = sum(p.numel() for p in network.parameters()), plan.told["most_parameters"]
    if count > most:
        raise InputError(f"{plan.name} has {count:,} parameters; its family has up to {most:,}.")
    half = bool(plan.told["half"])
    if half:
        halve(network)
    card = replace(
        card,
        name=plan.name,
        loss=plan.loss,
        data=f"{plan.pictures}; {plan.command}",
        data_terms=plan.told["data_terms"],
        seeds=(plan.recipe.seed,),
        licence=plan.told["licence"],
        bad_at=plan.told["bad_at"],
        scores=None,
    )
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / f"{plan.name}.safetensors"
        save_model(network, card, model, half=half)
        scores = scored(model, plan.told["metrics"])
        reduced, cost = in_8_bits(network, card, Path(folder), plan)
        card = replace(card, scores=scores, int8=cost)
        save_model(network, card, model, half=half)
        twin = model.with_suffix(".onnx")
        export_onnx(network, card, twin, half=half)
        return put_in_place([twin, model, *reduced], into)


def scored(model: Path, metrics: list[str]) -> dict[str, Any]:
    """The means on the test sets, as `acutance evaluate` gives them."""
    found = evaluate(
        model, [data_folder() / name for name in SETS], protocol=PROTOCOL, metrics=metrics
    )
    sets = {
        name: {metric: round(found.mean(name, metric), 4) for metric in metrics}
        for name in found.sets()
    }
    return {"protocol": found.protocol, "sets": sets}


def in_8_bits(
    network: Any, card: ModelCard, folder: Path, plan: Plan
) -> tuple[list[Path], Mapping[str, Any]]:
    """The model in 8 bits where that costs little; what it costs, as `export` measures it."""
    family, _, scale = plan.name.rpartition("-x")
    path = folder / f"{family}{IN_8_BITS}-x{scale}.onnx"
    pictures, card = [data_folder() / plan.told["int8_pictures"]], replace(card, name=path.stem)
    final, cost = export_int8(network, card, path, pictures)
    said: Mapping[str, Any] = (final.scores or {})["int8"]  # pyright: ignore[reportAssignmentType]
    if cost.loss_db > MOST_LOSS_DB:
        return [], said
    export_int8(network, replace(card, scores=scored(path, plan.told["metrics"])), path, pictures)
    return [path], said


def put_in_place(files: list[Path], into: Path) -> list[Path]:
    """Copy finished files, each whole or not at all.

    Raises RunError where a file, or all of the folder with them, would be too large.
    """
    coming = {into / file.name: file for file in files}
    beside = [p for p in into.glob("*") if p.suffix in (".safetensors", ".onnx")]
    together = sum(file.stat().st_size for file in [*files, *(set(beside) - coming.keys())])
    for file in files:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise RunError(f"{file.name} has {size:,} bytes; a bundled file has {MOST_BYTES:,}.")
    if together > MOST_TOGETHER:
        raise RunError(f"All bundled files have {together:,} bytes, more than {MOST_TOGETHER:,}.")
    for target, file in coming.items():
        write_atomically(target, file.read_bytes())
    return list(coming)


def keep(run: Path, wip: Path) -> bool:
    """Copy what a run needs to go on: its recipe, its log, and the newest snapshot alone.

    A first stage is only needed until the second has begun. Gives whether there is anything.
    """
    for stage in (Path(), Path(FIRST)):
        here, there = run / stage, wip / stage
        newest = newest_snapshot(here)
        if newest is None:
            continue
        files = [newest, *(here / name for name in ("run.toml", "log.jsonl", MODEL_FILE))]
        for file in files:
            if file.is_file():
                write_atomically(there / file.relative_to(here), file.read_bytes())
        for old in (there / newest.parent.relative_to(here)).glob("step-*.safetensors"):
            if old.name != newest.name:
                old.unlink()
        if stage == Path():
            shutil.rmtree(wip / FIRST, ignore_errors=True)
        break
    return wip.is_dir()


def take_up(wip: Path, run: Path) -> None:
    """Begin a run from what was kept, where this machine has not begun it."""
    if wip.is_dir() and not run.exists():
        shutil.copytree(wip, run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    works = parser.add_subparsers(dest="work", required=True)
    works.add_parser("list", help="The models of the table.")
    make = works.add_parser("make", help="Train, score and bundle one model.")
    make.add_argument("name", metavar="NAME-xS")
    make.add_argument("--minutes", type=float, default=0.0, help="of training, now [to the end]")
    make.add_argument("--keep", action="store_true", help="an unfinished one in training/wip")
    make.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    make.add_argument("--runs", type=Path, default=RUNS)
    make.add_argument("--into", type=Path, default=FOLDER)
    return parser


if __name__ == "__main__":
    try:
        main()
    except (InputError, RunError) as error:
        sys.exit(f"bundled_models: {error}")
