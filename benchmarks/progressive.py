"""One training for every scale against one training a scale: progressive and single networks.

    python benchmarks/progressive.py [--steps N] [--seeds 0 ...] [--arms ARM ...]

Two compact networks, x2 and x4, and the progressive network whose path to each of its levels is
the same chain: as many convolutions, features and multiply-adds for a pixel of the result, which
is counted and refused beyond 5 %. The progressive one is trained by turns (joint) and with the
level x4 joining half-way (grow). `--steps` are those of each single network; a progressive run has
the sum of theirs, so joint has as many for each level and grow three times as many for x2 as for
x4. The rest is the same: l1, rate, crops, smooth weights, first weights by the seed.

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14 and B100. Each arm is a run folder, and the same
command goes on where it was; `--arms` takes some of them, so that several cores can share the work,
and the results are written once all are there.
"""

import argparse
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from acutance import evaluate, train
from acutance.models import build
from acutance.models.card import at_level, read_card
from acutance.storage import write_atomically
from acutance.training.levels import Turns
from acutance.training.record import read_log
from facts import stamp

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data"))
TARGET = Path(__file__).parent / "results" / "progressive.json"
SETS, PROTOCOL, LOSS = ("Set5", "Set14", "B100"), "y@1", "l1"
SCALES = (2, 4)
FEATURES, CONVOLUTIONS = 24, 6  # a level's
LR_PATCH = 24  # x4: crops of 96 hr pixels; pictures of T91 that are smaller are left out there
STEPS = 5_000  # some 30 minutes of one core for the four arms
RATE = 2e-3
CLOSE = 0.05  # the most by which two costs that are called the same may differ


@dataclass(frozen=True)
class Arm:
    """One training."""

    name: str
    network: str
    scale: int
    steps: int  # times --steps
    arguments: dict[str, object]
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def scales(self) -> tuple[int, ...]:
        """What it is scored at."""
        return SCALES if self.network == "progressive" else (self.scale,)

    def steps_at(self, scale: int, steps: int) -> int:
        """How many of its steps are for that scale."""
        way = self.settings.get("data.levels")
        shares = Turns(SCALES, grows=way == "grow").shares() if way else {self.scale: 1.0}
        return round(self.steps * steps * shares[scale])


def single(scale: int) -> Arm:
    depth = SCALES.index(scale) + 1
    chain = {"features": FEATURES, "convolutions": depth * CONVOLUTIONS, "skip": "bicubic"}
    return Arm(f"single-x{scale}", "compact", scale, 1, chain)


def progressive(way: str) -> Arm:
    chain = {"features": FEATURES, "convolutions": CONVOLUTIONS, "at": "lr"}
    levels = {"data.levels": way}
    return Arm(f"progressive-{way}", "progressive", SCALES[-1], len(SCALES), chain, levels)


ARMS = (*(single(scale) for scale in SCALES), progressive("joint"), progressive("grow"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [arm.name for arm in ARMS]
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--arms", nargs="+", choices=names, default=names)
    parser.add_argument("--runs", type=Path, default=Path("runs/progressive"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    costs = {scale: same_cost(scale) for scale in SCALES}
    runs = [(arm, seed) for seed in options.seeds for arm in ARMS]
    for arm, seed in runs:
        if arm.name in options.arms:
            print(f"== {arm.name}, seed {seed}", flush=True)
            score(arm, carry_out(arm, seed, options))
    places = {(arm.name, seed): place(arm, seed, options) / "scored.json" for arm, seed in runs}
    missing = [str(file.parent) for file in places.values() if not file.exists()]
    if missing:
        print(f"Not yet trained: {', '.join(missing)}. The results are written once they are.")
        return
    rows = [
        row_of(arm, seed, scale, options)
        for scale in SCALES
        for arm, seed in runs
        if scale in arm.scales
    ]
    found = {
        "command": f"python benchmarks/progressive.py --steps {options.steps} --seeds "
        + " ".join(map(str, options.seeds)),
        **stamp(),
        "chain": f"{FEATURES} features, {CONVOLUTIONS} convolutions a level, luma",
        "protocol": PROTOCOL,
        "sets": list(SETS),
        "costs": {f"x{scale}": cost for scale, cost in costs.items()},
        "rows": rows,
    }
    write_atomically(TARGET, json.dumps(found, indent=2) + "\n")
    show(rows)


def same_cost(scale: int) -> dict[str, float]:
    """Multiply-adds for a pixel of the result, of both networks; they must be as good as equal."""
    arms = {"single": single(scale), "progressive": progressive("joint")}
    costs = {name: cost_of(arm, scale) for name, arm in arms.items()}
    print(f"x{scale}: multiply-adds for a pixel of the result {costs}", flush=True)
    if max(costs.values()) > (1 + CLOSE) * min(costs.values()):
        raise SystemExit(f"The networks do not cost the same at x{scale}, so nothing is compared.")
    return costs


def cost_of(arm: Arm, scale: int) -> float:
    side = 32
    network = build(arm.network, scale=arm.scale, channels=1, arguments=arm.arguments).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        lr = torch.zeros(1, 1, side, side)
        network(lr) if scale == arm.scale else network(lr, upto=scale)
    return round(counter.get_total_flops() / 2 / (side * scale) ** 2, 1)


def place(arm: Arm, seed: int, options: argparse.Namespace) -> Path:
    return options.runs / f"{arm.name}-{options.steps}-seed{seed}"


def carry_out(arm: Arm, seed: int, options: argparse.Namespace) -> Path:
    """Train the arm, or go on with it, or find it finished."""
    folder = place(arm, seed, options)
    events = [event["event"] for event in read_log(folder)]
    if "end" not in events:
        settings = {
            "network.arguments": arm.arguments,
            "network.color": "luma",
            "data.patch": LR_PATCH * arm.scale,
            "data.hold_out_seed": 0,
            "data.skip_bad": True,
            "optim.rate": RATE,
            "machine.threads": 1,
            "machine.precision": "fp32",
            "log.samples": 0,
            "log.tensorboard": "off",
            "seed": seed,
            **arm.settings,
        }
        train(
            [DATA / "T91", DATA / "BSDS200"],
            folder,
            scale=arm.scale,
            network=arm.network,
            loss=LOSS,
            steps=arm.steps * options.steps,
            settings=settings,
        )
    return folder


def score(arm: Arm, folder: Path) -> None:
    """PSNR and SSIM of every set at every scale of the arm, kept beside the run."""
    target, weights = folder / "scored.json", read_card(folder).weights
    if target.exists() and json.loads(target.read_text())["weights"] == weights:
        return
    found: dict[str, object] = {"weights": weights}
    for scale in arm.scales:
        scores = evaluate(
            at_level(folder, scale),
            [DATA / name for name in SETS],
            scale=scale,
            protocol=PROTOCOL,
        )
        found[f"x{scale}"] = {
            name: {m: round(scores.mean(name, m), 4) for m in ("psnr", "ssim")} for name in SETS
        }
    write_atomically(target, json.dumps(found, indent=2) + "\n")


def row_of(arm: Arm, seed: int, scale: int, options: argparse.Namespace) -> dict[str, object]:
    folder = place(arm, seed, options)
    steps = [event["step_s"] for event in read_log(folder) if event["event"] == "step"]
    return {
        "arm": arm.name,
        "seed": seed,
        "scale": scale,
        "steps": arm.steps_at(scale, options.steps),
        "of_steps": arm.steps * options.steps,
        "step_ms": round(1000 * sum(steps) / len(steps), 2),
        "scores": json.loads((folder / "scored.json").read_text())[f"x{scale}"],
    }


def show(rows: list[dict]) -> None:
    print(f"{'':20} {'seed':>4} {'scale':>5} {'steps':>7} " + " ".join(f"{s:>8}" for s in SETS))
    for row in rows:
        values = " ".join(f"{row['scores'][name]['psnr']:8.3f}" for name in SETS)
        print(f"{row['arm']:20} {row['seed']:4} {row['scale']:5} {row['steps']:7} {values}")


if __name__ == "__main__":
    main()
