"""Is a search for weights worth its compute? Against a grid and against random weights.

python benchmarks/tuning.py            about half an hour on two cores; goes on where it was

The loss is l1 + w*fft + v*lpips(net='squeeze'), judged by PSNR and LPIPS (AlexNet) on training
pictures that are held out; every trial goes on from one model that was trained under l1. The
grid of 8 x 8 weights is trained once. Random weights and two searches (TPE with halts, a Gaussian
process without) are repeated with three seeds. What is compared is the hypervolume of the trials
that came to their end, against the steps that all trials took together. Nothing is chosen by
test pictures.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from facts import stamp

RESULTS = Path(__file__).parent / "results" / "tuning.json"
LOSS, RANGES = "l1 + w*fft + v*lpips(net='squeeze')", {"w": "0.01..1:log", "v": "0.001..0.3:log"}
OBJECTIVE = ("psnr", "lpips")
SIDE, STEPS, REPEATS = 8, 100, 3
QUARTER = SIDE * SIDE * STEPS // 4  # steps: a quarter of the grid's
START_STEPS = 1000
SHARED = {
    "data.batch": 8,
    "data.hold_out": 0.02,
    "optim.rate": 5e-4,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "log.score_every": 1000,
    "log.samples": 0,
    "log.tensorboard": "off",
}
KINDS = {  # settings of what is compared with the grid
    "random": {"tune.sampler": "random", "tune.rungs": 1, "tune.trials": 16},
    "tpe, halts": {"tune.sampler": "tpe", "tune.rungs": 3, "tune.trials": 40},
    "gp": {"tune.sampler": "gp", "tune.rungs": 1, "tune.trials": 16},
}
SEEDS = {"random": (11, 12, 13), "tpe, halts": (21, 22, 23), "gp": (31, 32, 33)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/tuning"))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    data = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
    photos = [str(data / "T91"), str(data / "BSDS200")]
    folder = options.folder.resolve()
    start(photos, folder / "start")
    work = [("grid", k) for k in range(SIDE * SIDE)]
    work += [(kind, seed) for kind in KINDS for seed in SEEDS[kind]]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        places = [photos] * len(work), [folder] * len(work)
        for done, (kind, number) in enumerate(pool.map(one, work, *places), start=1):
            print(f"{done} of {len(work)}: {kind} {number}", flush=True)
    RESULTS.write_text(json.dumps({**stamp(), **gathered(folder)}, indent=1) + "\n")


def start(photos: list[str], folder: Path) -> None:
    """The model that every trial goes on from."""
    from acutance.training.start import train

    if not (folder / "model.safetensors").exists():
        settings = {**SHARED, "data.hold_out_seed": 0, "optim.rate": 2e-3}
        train(photos, folder, loss="l1", steps=START_STEPS, settings=settings, quiet=True)


def one(work: tuple[str, int], photos: list[str], folder: Path) -> tuple[str, int]:
    """A point of the grid, or a whole search; kept, so that it is not done again."""
    kind, number = work
    if kind == "grid":
        point(number, photos, folder)
    elif not (folder / kind / str(number) / "trials.json").exists():
        from acutance.study.tune.outcome import tried
        from acutance.study.tune.tuning import search
        from acutance.training.display import Silent

        place = folder / kind / str(number)
        tuning = tuning_of(photos, folder, {**KINDS[kind], "tune.seed": number})
        trials, _ = tried(search(tuning, place, Silent()))
        rows = [{"values": t.values, "steps": t.steps, "loss": t.loss} for t in trials]
        (place / "trials.json").write_text(json.dumps(rows))
    return kind, number


def tuning_of(photos: list[str], folder: Path, settings: dict[str, object]):
    from acutance.study.tune.question import make_tuning

    named = {
        "data.photos": photos,
        "network.start": str(folder / "start"),
        "tune.loss": LOSS,
        "tune.ranges": RANGES,
        "tune.objective": list(OBJECTIVE),
        "tune.steps": STEPS,
    }
    return make_tuning([("benchmark", {**SHARED, **named, **settings})])


def point(number: int, photos: list[str], folder: Path) -> None:
    """One pair of weights, trained to the end."""
    from acutance.evaluation.judging import open_metrics
    from acutance.evaluation.protocols import find_protocol
    from acutance.study.tune.trial import Judges, run_trial_table
    from acutance.training.display import Silent
    from acutance.training.pictures import gather

    place = folder / "grid" / f"{number:02d}"
    if (place / "values.json").exists():
        return
    tuning = tuning_of(photos, folder, {})
    shares = list(product(np.linspace(0, 1, SIDE), repeat=2))[number]
    knobs = tuning.space.knobs
    values = {knob.name: knob.at(share) for knob, share in zip(knobs, shares, strict=True)}
    loss = tuning.space.loss_at(values)
    recipe = tuning.recipe_of(loss, seed=0, steps=STEPS)
    rule = find_protocol(tuning.search.protocol)
    judge = Judges(open_metrics(OBJECTIVE, rule), rule)
    pictures = gather(recipe, place, Silent())
    table = run_trial_table(recipe, place, pictures=pictures, judge=judge)
    row = {"values": table.mean(axis=0).tolist(), "loss": loss, "steps": STEPS}
    (place / "values.json").write_text(json.dumps(row))


def gathered(folder: Path) -> dict[str, object]:
    """Hypervolumes against the worst values of the grid, at the steps of a quarter of the grid."""
    from acutance.study.tune.front import hypervolume

    grid = [json.loads(p.read_text()) for p in sorted((folder / "grid").glob("*/values.json"))]
    table = np.array([row["values"] for row in grid])
    corner = np.array([table[:, 0].min(), table[:, 1].max()])
    whole = hypervolume(table, corner, OBJECTIVE)

    def area(rows: list[dict]) -> float:
        ended = [r["values"] for r in rows if r["steps"] == STEPS]
        return hypervolume(np.array(ended), corner, OBJECTIVE) / whole

    found: dict[str, object] = {
        "command": "python benchmarks/tuning.py",
        "loss": LOSS,
        "ranges": RANGES,
        "corner": corner.tolist(),
        "grid_steps": SIDE * SIDE * STEPS,
        "grid_hypervolume": whole,
        "most_at_quarter": most(table, corner, SIDE * SIDE // 4) / whole,
        "points_to_grid": next(k for k in range(1, 65) if most(table, corner, k) >= whole),
        "rows": [],
    }
    for kind in KINDS:
        for seed in SEEDS[kind]:
            rows = json.loads((folder / kind / str(seed) / "trials.json").read_text())
            found["rows"].append({"kind": kind, "seed": seed, **reached(rows, area)})
    return found


def most(table: np.ndarray, corner: np.ndarray, count: int) -> float:
    """The largest hypervolume that `count` points can have, wherever a search puts them.

    They are chosen with hindsight, by dynamic programming, from the front of a smooth surface
    through the grid (cubic in the weights' logarithms): a set of few points is a coarse staircase
    under the curve, and no search can do better than this.
    """

    def powers(shares: np.ndarray) -> np.ndarray:
        a, b = shares.T
        return np.stack([a**i * b**j for i in range(4) for j in range(4 - i)], axis=1)

    coarse, fine = (
        np.array(list(product(np.linspace(0, 1, side), repeat=2))) for side in (SIDE, 101)
    )
    surface = powers(fine) @ np.linalg.lstsq(powers(coarse), table, rcond=None)[0]
    gains = np.abs(surface - corner) * (np.sign(surface - corner) == (1, -1))
    gains = gains[np.argsort(-gains[:, 0])]
    front = gains[gains[:, 1] > np.concatenate([[0], np.maximum.accumulate(gains[:, 1])[:-1]])]
    x, y = front.T  # x falls, y rises
    best = x * y  # the largest area of one point, and then of more, of which the last is this one
    for _ in range(count - 1):
        added = best[:, None] + x[None, :] * (y[None, :] - y[:, None])
        best = np.maximum(best, np.where(y[None, :] > y[:, None], added, 0).max(axis=0))
    return float(best.max())


def reached(rows: list[dict], area) -> dict[str, object]:
    """Share of the grid's hypervolume at a quarter of its steps, and the steps to reach it all."""
    spent = np.cumsum([row["steps"] for row in rows])
    shares = [area(rows[: k + 1]) for k in range(len(rows))]
    within = [share for share, steps in zip(shares, spent, strict=True) if steps <= QUARTER]
    enough = [int(steps) for share, steps in zip(shares, spent, strict=True) if share >= 1]
    return {
        "trials_at_quarter": len(within),
        "share_at_quarter": within[-1] if within else 0.0,
        "steps_to_grid": enough[0] if enough else None,
        "steps": int(spent[-1]),
    }


if __name__ == "__main__":
    main()
