"""Does a network that has learned from degraded pictures enlarge degraded pictures better.

    python benchmarks/degraded.py [--minutes 20] [--seed 0]

Needs ACUTANCE_DATA with T91, BSDS200 and B100, the weights of LPIPS, and scikit-image. Two
trainings by the recipe real-esrgan, on one thread and with one seed, its features those of LPIPS
by SqueezeNet in place of a random network's: on degraded pictures, and on clean ones, of which lr
is MATLAB's bicubic, for as many steps; the latter's first stage, absolute error alone, is judged
as well. LPIPS by AlexNet judges and is no term. All are scored on B100 degraded by the recipe's
chain at x4 (seed 0; a picture's draws depend on its name alone), and on B100 as it is, reduced.
Writes results/degraded.json and docs/images/degraded.png, photographs of scikit-image by each;
docs/generate.py makes the table in docs/results.md. What is finished in --runs is not repeated.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from acutance import degrade, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.losses.expression import parse_loss
from acutance.storage import write_atomically
from acutance.study.quickstart import sample_folder
from degraded_scores import DEGRADE_SEED, PROTOCOL, SET, Condition, scored, told
from facts import stamp
from pieces import strip

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
RECIPE, SCALE = "real-esrgan", 4
METRICS = ("psnr", "lpips", "niqe")
LOSS = "l1 + 0.1*lpips(net='squeeze') + 0.05*gan(kind='vanilla', discriminator='unet', width=16)"
RATE = "1e-3"
CONDITIONS = {"degraded": RECIPE, "clean": ""}  # what B100 is scored under
FIDELITY = "clean pictures, absolute error"
CLEAN, DEGRADED = "clean pictures, the same losses", "degraded pictures"
# (top, left) of the pieces that are shown, in hr pixels
PHOTOGRAPHS = {"astronaut.png": (0, 110), "coffee.png": (60, 200), "chelsea.png": (40, 110)}
PIECE = 224


def train(folder: Path, *more: str, options: argparse.Namespace) -> list[str]:
    """Carry out a training, or go on with it; the command as it is told."""
    told = ["--recipe", RECIPE, "--loss", LOSS, "--rate", RATE, "--seed", str(options.seed)]
    told += ["--threads", "1", *more]
    words = ["train", str(DATA / "T91"), str(DATA / "BSDS200"), *told, "--run", str(folder)]
    subprocess.run([sys.executable, "-m", "acutance", *words, "--quiet"], check=True)
    check_loss(folder)
    return ["acutance", "train", "T91", "BSDS200", *told, "--run", "RUN"]


def check_loss(folder: Path) -> None:
    """LPIPS by AlexNet judges, so it must not have taught: no term may look through AlexNet."""
    recipe = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))["recipe"]
    losses = [recipe["loss"]["expression"], recipe["first"]["loss"]]
    terms = [term for text in losses if text for term in parse_loss(text).terms]
    nets = [dict(term.options).get("net", "alex") for term in terms if term.name == "lpips"]
    nets += [dict(term.options).get("net") for term in terms if term.name != "lpips"]
    if "alex" in nets:
        raise SystemExit(f"{folder} was trained through AlexNet, by which it is to be judged.")


def steps_of(folder: Path) -> tuple[int, int]:
    """Steps of the first stage, and of both."""
    plans = [tomllib.loads((f / "run.toml").read_text("utf-8")) for f in (folder / "first", folder)]
    first, second = (plan["plan"]["steps"] for plan in plans)
    return first, first + second


def rows_of(models: Mapping[str, str], kept: Path) -> list[dict[str, object]]:
    """A row for each condition and model, and what the degraded training changes on it."""
    rows = []
    for condition in CONDITIONS:
        seen = Condition(condition, CONDITIONS[condition], SCALE)
        found = {name: scored(model, seen, METRICS, kept) for name, model in models.items()}
        rows += [{"pictures": condition, **row} for row in told(found, DEGRADED, METRICS)]
    return rows


def pieces(name: str, models: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The same piece of a photograph: small, by everything that is compared, and itself."""
    hr = crop_to_multiple(read_rgb(sample_folder() / name), SCALE)
    lr = degrade(hr, RECIPE, name=Path(name).stem, seed=DEGRADE_SEED)
    made = {
        label: resize(lr, scale=SCALE)
        if model == "bicubic"
        else np.asarray(upscale(lr, model=model))
        for label, model in models.items()
    }
    shown = {"lr": lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1), **made, "original": hr}
    top, left = PHOTOGRAPHS[name]
    return {
        label: np.ascontiguousarray(pixels[top : top + PIECE, left : left + PIECE])
        for label, pixels in shown.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=Path("runs/degraded"))
    parser.add_argument("--target", type=Path, default=ROOT / "benchmarks/results/degraded.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/images/degraded.png")
    options = parser.parse_args()
    place = options.runs.resolve() / f"{options.minutes:g}-seed{options.seed}"
    taught, clean = place / "degraded", place / "clean"
    commands = [train(taught, "--minutes", f"{options.minutes:g}", options=options)]
    first, steps = steps_of(taught)
    share = f"first.share={first / steps!r}"
    same = ("--degrade", "", "--steps", str(steps), "--set", share)
    commands.append(train(clean, *same, options=options))
    if steps_of(clean) != (first, steps):
        raise SystemExit(f"The clean training took {steps_of(clean)} steps, not {first, steps}.")
    first_of_clean = str(clean / "first")
    models = {"bicubic": "bicubic", FIDELITY: first_of_clean}
    models |= {CLEAN: str(clean), DEGRADED: str(taught)}
    found = {
        "command": f"python benchmarks/degraded.py --minutes {options.minutes:g} --seed "
        f"{options.seed}",
        **stamp(),
        "train": [shlex.join(words) for words in commands],
        "set": SET,
        "protocol": PROTOCOL,
        "recipe": RECIPE,
        "degrade_seed": DEGRADE_SEED,
        "steps": [first, steps - first],
        "rows": rows_of(models, place / "scores"),
    }
    write_atomically(options.target, json.dumps(found, indent=2) + "\n")
    labels = {FIDELITY: "clean, L1", CLEAN: "clean, same losses", DEGRADED: "degraded"}
    shown = {labels.get(name, name): model for name, model in models.items()}
    write_atomically(options.picture, strip([pieces(name, shown) for name in PHOTOGRAPHS]))
    for row in found["rows"]:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
