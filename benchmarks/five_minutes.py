"""The acceptance training: one command, five minutes, two cores, three seeds.

    python benchmarks/five_minutes.py [--seeds 0 1 2]

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14 and B100. Writes results/training.json.
Fourteen pictures of BSDS200, seeded, are held out by the command itself (--val is not given), so
that no test set is looked at while it trains.
"""

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from facts import stamp

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data"))
SETS = ("Set5", "Set14", "B100")
TRAIN = (
    "acutance train T91 BSDS200 --scale 2 --network compact:small --minutes 5 "
    '--loss "charbonnier(stop=0.6) + mse(start=0.6)"'
)


def train(seed: int, folder: Path) -> float:
    """Seconds that the whole command took."""
    words = shlex.split(TRAIN)[1:]
    words = [str(DATA / word) if (DATA / word).is_dir() else word for word in words]
    command = [sys.executable, "-m", "acutance", *words, "--seed", str(seed), "--run", str(folder)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def score(folder: Path) -> dict[str, float]:
    """PSNR of each test set by y@1."""
    from acutance import evaluate

    scores = evaluate(folder, [DATA / name for name in SETS])
    return {name: round(scores.mean(name, "psnr"), 4) for name in SETS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs/five-minutes"))
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        folder = options.runs / f"seed{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        taken = train(seed, folder)
        plan = tomllib.loads((folder / "run.toml").read_text())["plan"]
        runs.append(
            {
                "seed": seed,
                "seconds": round(taken, 1),
                "steps": plan["steps"],
                "psnr": score(folder),
                "threads": plan["threads"],
                "precision": plan["precision"],
            }
        )
        print(json.dumps(runs[-1]))
    median = {name: statistics.median(r["psnr"][name] for r in runs) for name in SETS}
    found = {
        "command": "python benchmarks/five_minutes.py",
        **stamp(),
        "train": f"{TRAIN} --seed SEED --run RUN",
        "sets": list(SETS),
        "runs": runs,
        "median": median,
    }
    target = Path(__file__).parent / "results" / "training.json"
    target.write_text(json.dumps(found, indent=2) + "\n")
    print("median", median)


if __name__ == "__main__":
    main()
