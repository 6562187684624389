"""Every recipe of the package by its one command: what it reaches, and that it can be taken up.

    python benchmarks/recipes.py [--minutes 2] [--only NAME] [--jobs 2]

Needs ACUTANCE_DATA with T91, BSDS200 and Set5, and scikit-image. For each recipe: `acutance train
T91 BSDS200 --recipe NAME` for so many minutes on one thread, judged by the 15 pictures that the
command holds out; the model's PSNR on Set5, made small or degraded by the recipe's own F, beside
bicubic's; one free photograph of scikit-image enlarged; and a short run that is killed and given
again, whose model must be that of one that was not, bit for bit. What is finished in --runs is not
repeated. Writes src/acutance/recipes/measured.json, which `acutance recipes` shows; at the end
docs/generate.py makes its table in docs/results.md.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from acutance.models.card import read_card
from acutance.training.package_recipes import MEASURED, recipe_names
from facts import stamp

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
ACUTANCE = [sys.executable, "-m", "acutance"]
SEED = 0
SET, PROTOCOL = "Set5", "y@1"
SIDE = 128  # of the photograph that is enlarged
KILL_AFTER = 10  # steps


@dataclass(frozen=True)
class Asked:
    """What is done to each recipe."""

    minutes: float
    proof_steps: int
    runs: Path


def run(*words: object) -> str:
    """What a command of ours prints; raises CalledProcessError where it fails."""
    command = [*ACUTANCE, *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train_command(name: str, minutes: float, photos: list[object], folder: object) -> list[object]:
    """The one command, threads and seed said."""
    told = ["--minutes", f"{minutes:g}", "--seed", SEED, "--threads", 1, "--run", folder, "--quiet"]
    return ["train", *photos, "--recipe", name, *told]


def measure(name: str, asked: Asked) -> dict[str, object]:
    """The row of one recipe; from its folder, where it is finished for the same minutes."""
    kept = asked.runs / name / "row.json"
    if kept.exists():
        row = json.loads(kept.read_text(encoding="utf-8"))
        if row["minutes"] == asked.minutes:
            return row
    folder = asked.runs / name / "run"
    run(*train_command(name, asked.minutes, [DATA / "T91", DATA / "BSDS200"], folder))
    shown = train_command(name, asked.minutes, ["T91", "BSDS200"], "RUN")
    row = {
        "command": " ".join(map(str, ["acutance", *shown])),
        "minutes": asked.minutes,
        "seed": SEED,
        **told_by(folder),
        **scored(folder),
        **enlarged(folder),
        **taken_up(name, asked),
        **stamp(),
    }
    kept.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({"recipe": name, **row}), flush=True)
    return row


def told_by(folder: Path) -> dict[str, object]:
    """Network and steps as run.toml has them, those of a first stage beside."""
    told = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
    validation = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["validation"]
    found: dict[str, object] = {
        "network": told["recipe"]["network"]["name"],
        "scale": told["recipe"]["network"]["scale"],
        "steps": told["plan"]["steps"],
        "validation": validation["psnr"],
    }
    first = folder / "first" / "run.toml"
    if first.exists():
        found["first_steps"] = tomllib.loads(first.read_text(encoding="utf-8"))["plan"]["steps"]
    return found


def scored(folder: Path) -> dict[str, object]:
    """PSNR on the test set of the model, of that of a first stage, and of bicubic, in dB.

    Of pictures as the recipe's own F makes them; at x1 bicubic is the degraded picture itself.
    """
    card = read_card(folder)
    own = ("--shrink", folder) if (folder / "shrink.safetensors").exists() else ()
    how: tuple[object, ...] = ("--protocol", PROTOCOL)
    if card.degradation:
        protocol = "grey@1" if card.color == "luma" else PROTOCOL
        how = ("--protocol", protocol, "--degrade", card.degradation)
    found = {
        "set": SET,
        "protocol": how[1],
        "psnr": psnr(folder, *how, *own),
        "bicubic": psnr("bicubic", *how, "--scale", card.scale),
    }
    if (folder / "first").exists():
        found["first_psnr"] = psnr(folder / "first", *how)
    return found


def psnr(model: object, *how: object) -> float:
    """Mean PSNR of the test set, in dB."""
    words = ["evaluate", model, "--data", DATA / SET, "--metrics", "psnr"]
    scores = json.loads(run(*words, *how, "--json", "-"))
    return round(scores["sets"][SET]["psnr"], 3)


def enlarged(folder: Path) -> dict[str, object]:
    """Size of a piece of a free photograph, enlarged with the model."""
    import skimage.data
    from PIL import Image

    small, large = folder.parent / "photo.png", folder.parent / "photo_large.png"
    Image.fromarray(skimage.data.astronaut()[:SIDE, 160 : 160 + SIDE]).save(small)
    run("upscale", small, "-o", large, "--model", folder, "--overwrite")
    with Image.open(large) as made:
        return {"photo": f"astronaut, {SIDE}x{SIDE} to {made.width}x{made.height}"}


def taken_up(name: str, asked: Asked) -> dict[str, object]:
    """Kill a short run, give it again, and hold its model against that of a run not killed."""
    folder = asked.runs / name / "proof"
    shutil.rmtree(folder, ignore_errors=True)
    told = ["--recipe", name, "--val", DATA / SET, "--steps", asked.proof_steps, "--threads", 1]
    told += ["--seed", SEED, "--set", "log.save_every=5", "--set", "log.every=5", "--quiet"]
    words = ["train", "procedural:8", *told, "--precision", "fp32", "--run"]
    run(*words, folder / "whole")
    kill(words, folder / "killed")
    run(*words, folder / "killed")
    one, other = (tensors(folder / place / "model.safetensors") for place in ("whole", "killed"))
    if one != other:
        raise SystemExit(f"{name}: a killed run of {asked.proof_steps} steps ends otherwise.")
    return {"resumed": f"killed and continued, {asked.proof_steps} steps: equal to the bit"}


def kill(words: list[object], folder: Path) -> None:
    """Start a run and kill it once it, or its first stage, has taken a few steps."""
    command = [*ACUTANCE, *map(str, words), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            saved = folder.glob("**/state/step-*.safetensors")
            if any(int(path.stem.partition("-")[2]) >= KILL_AFTER for path in saved):
                process.send_signal(signal.SIGKILL)
            time.sleep(0.005)
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"{folder} was not killed ({process.returncode}). Use more --proof-steps.")


def tensors(path: Path) -> dict[str, tuple[object, ...]]:
    """Name -> type, shape and bytes."""
    from safetensors import deserialize

    return {
        name: (kept["dtype"], tuple(kept["shape"]), bytes(kept["data"]))
        for name, kept in deserialize(path.read_bytes())
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--only", nargs="+", choices=recipe_names(), default=recipe_names())
    parser.add_argument("--jobs", type=int, choices=[1, 2], default=1, help="Recipes at once.")
    parser.add_argument("--proof-steps", type=int, default=100)
    parser.add_argument("--runs", type=Path, default=Path("runs/recipes"))
    parser.add_argument("--target", type=Path, default=MEASURED)
    options = parser.parse_args()
    asked = Asked(options.minutes, options.proof_steps, options.runs.resolve())
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = dict(
            zip(options.only, pool.map(lambda n: measure(n, asked), options.only), strict=True)
        )
    old = {}
    if options.target.exists():
        old = json.loads(options.target.read_text(encoding="utf-8"))["recipes"]
    joined = {name: row for name, row in sorted({**old, **rows}.items()) if name in recipe_names()}
    words = ["python", "benchmarks/recipes.py", "--minutes", f"{options.minutes:g}"]
    found = {"command": " ".join(words), "recipes": joined}
    options.target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
