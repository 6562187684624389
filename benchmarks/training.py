"""Training steps against the processor's own limit, and against a plain loop as people write it.

    python benchmarks/training.py [--json FILE]

The limit is the best rate of one 3x3 convolution, 64 to 64 channels, forward, channels last, in
the same process. A step is acutance's own, from bytes to the smooth weights. The plain loop is
PyTorch as its documentation has it: PReLU, channels last, Adam, no malloc setting; it runs in
fresh processes that alternate with ours, since the malloc setting is a process's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

ROUNDS = 5
STEPS = 12
LR_SIDE, BATCH, SCALE = 48, 16, 2


def make_job(features: int, convolutions: int, precision: str):
    """A run of ours over drawn pictures, ready to step."""
    from acutance.training.display import Silent
    from acutance.training.pictures import gather
    from acutance.training.plan import make_plan
    from acutance.training.recipe import make_recipe
    from acutance.training.setup import build_job

    settings = {
        "data.photos": ["procedural:12"],
        "data.val": [str(own_picture())],
        "data.patch": LR_SIDE * SCALE,
        "data.batch": BATCH,
        "network.name": "compact:nano",
        "network.color": "rgb",
        "network.arguments": {"features": features, "convolutions": convolutions},
        "stop.steps": 100000,
        "machine.threads": 2,
        "machine.precision": precision,
        "log.tensorboard": "off",
    }
    recipe, _ = make_recipe([("benchmark", settings)])
    pictures = gather(recipe, Path(), Silent())
    plan = make_plan(recipe, pictures, began=time.monotonic(), display=Silent())
    return recipe, build_job(recipe, plan, pictures, Path())


def own_picture() -> Path:
    """A drawn picture on disk, for the validation that a run wants."""
    import tempfile

    from acutance.data.procedural import procedural_picture
    from acutance.imaging.files import write_picture
    from acutance.imaging.picture import Picture

    target = Path(tempfile.gettempdir()) / "acutance-benchmark.png"
    write_picture(target, Picture(procedural_picture(0, 0), None), overwrite=True)
    return target


def our_step_ms(features: int, convolutions: int, precision: str) -> tuple[float, float]:
    """Median milliseconds of a step of ours, and the share of it spent waiting for its batch."""
    from acutance.training.loop import batch_source
    from acutance.training.update import update

    _, job = make_job(features, convolutions, precision)
    batches = batch_source(job)
    times, waits = [], []
    for step in range(STEPS + 3):
        start = time.perf_counter()
        batch = batches.next()
        got = time.perf_counter()
        update(job, batch)
        job.progress.step += 1
        if step >= 3:
            times.append(time.perf_counter() - start)
            waits.append(got - start)
    batches.close()
    return 1000 * statistics.median(times), sum(waits) / sum(times)


class Plain(nn.Module):
    """The chain as people write it."""

    def __init__(self, features: int, convolutions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        self.body = nn.Sequential(*layers, nn.Conv2d(features, 3 * SCALE**2, 3, padding=1))

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), SCALE) + F.interpolate(x, scale_factor=SCALE)


def plain_step_ms(features: int, convolutions: int) -> float:
    """Median milliseconds of a plain loop's step; its batches are ready, which favours it."""
    torch.set_num_threads(2)
    network = Plain(features, convolutions).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    lr = torch.rand(BATCH, 3, LR_SIDE, LR_SIDE).to(memory_format=torch.channels_last)
    hr = torch.rand(BATCH, 3, LR_SIDE * SCALE, LR_SIDE * SCALE)
    times = []
    for step in range(STEPS + 3):
        start = time.perf_counter()
        loss = F.l1_loss(network(lr), hr)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step >= 3:
            times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def roofline_gflops() -> float:
    """Best rate of the convolution that sets the limit."""
    from acutance.models.memory import keep_large_blocks

    keep_large_blocks()
    torch.set_num_threads(2)
    convolution = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.rand(16, 64, 48, 48).to(memory_format=torch.channels_last)
    flops = 2 * 16 * 48 * 48 * 64 * 64 * 9
    best = 0.0
    with torch.inference_mode():
        for _ in range(60):
            start = time.perf_counter()
            convolution(x)
            best = max(best, flops / (time.perf_counter() - start) / 1e9)
    return best


def step_gflop(features: int, convolutions: int) -> float:
    """Arithmetic of a step: forward three times over."""
    weights = 9 * (3 * features + convolutions * features**2 + features * 3 * SCALE**2)
    return 3 * 2 * weights * BATCH * LR_SIDE**2 / 1e9


def child(kind: str, *arguments: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_child(kind: str, arguments: list[str]) -> None:
    if kind == "plain":
        print(json.dumps({"ms": plain_step_ms(int(arguments[0]), int(arguments[1]))}))
        return
    limit = roofline_gflops()
    ms, wait = our_step_ms(int(arguments[0]), int(arguments[1]), arguments[2])
    share = step_gflop(int(arguments[0]), int(arguments[1])) / (ms / 1000) / limit
    print(json.dumps({"ms": ms, "share": share, "wait": wait, "limit": limit}))


SHARES = ((16, 0.50, 0.70), (32, 0.58, 0.80), (64, 0.68, 0.88))


def measure() -> list[dict[str, object]]:
    """All rows, medians over alternating processes."""
    rows: list[dict[str, object]] = []
    for features, must, stretch in SHARES:
        runs = [child("ours", str(features), "8", "fp32") for _ in range(3)]
        best = statistics.median(r["share"] for r in runs)
        rows.append(
            {
                "work": f"training step, {features} features x 8, fp32",
                "baseline": "share of the convolution limit",
                "ratio": best,
                "must": must,
                "stretch": stretch,
                "note": f"{statistics.median(r['limit'] for r in runs):.0f} GFLOP/s is the limit",
            }
        )
        if features == 16:
            rows.append(
                {
                    "work": "share of a 16 x 8 step spent waiting for data",
                    "baseline": "the step",
                    "ratio": statistics.median(r["wait"] for r in runs),
                    "must": 0.08,
                    "stretch": 0.02,
                    "smaller_is_better": True,
                    "note": "smaller is better",
                }
            )
    rounds = [
        (child("plain", "32", "8")["ms"], child("ours", "32", "8", "fp32")["ms"], _bf16())
        for _ in range(ROUNDS)
    ]
    for name, column, must, stretch in (("fp32", 1, 1.2, 1.5), ("bf16", 2, 2.0, 3.0)):
        ratios = [row[0] / row[column] for row in rounds if row[column]]
        rows.append(
            {
                "work": f"training step, 32 features x 8, 16 patches of 48, {name}",
                "baseline": "plain loop, PReLU, channels last, stock malloc",
                "ratio": statistics.median(ratios) if ratios else None,
                "must": must,
                "stretch": stretch,
                "note": "" if ratios else "no bf16 in hardware here",
            }
        )
    return rows


def _bf16() -> float:
    from acutance.models.processor import has_native_bf16

    return child("ours", "32", "8", "bf16")["ms"] if has_native_bf16() else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(options.child[0], options.child[1:])
        return
    rows = measure()
    for row in rows:
        print(f"{row['work']:<55} {row['ratio'] or float('nan'):6.3f}  must {row['must']}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
