"""What a cluster costs beside the same command without it, and what more workers would give.

python benchmarks/cluster.py [--quick] [--json FILE] [--picture FILE]

Needs acutance[cluster,train,study]. Two Ray nodes of one processor each are started on this
machine; a study of short runs and a batch of small pictures are done on them, and by two local
processes. Then what 10, 100 and 1,000 workers give is simulated from the times measured here: of
a task, of handing it over and taking its result, and of a worker's start. The network and the
file system that nodes share are not in it.
"""

import argparse
import heapq
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acutance.cluster import AHEAD, Task, open_cluster, spread
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.storage import write_atomically
from acutance.study.charts import Chart, Curve, line_chart
from acutance.upscaling.batch.manifest import MOST, list_items, write_manifest
from facts import stamp
from finetunes_drawing import standing_alone

ROOT = Path(__file__).parent.parent
WORKERS = (1, 3, 10, 30, 100, 300, 1000)
SHOWN = (10, 100, 1000)
NAMES = 230  # room right of the chart, in units of its drawing
MEMORY = 100_000_000  # of each node's object store
STUDY = (
    "compare procedural:8 --val val --test test --loss l1 --loss mse --patch 32 --batch 8 --quiet "
    "--threads 1 --precision fp32 --device cpu"
)
BATCH = "upscale in --model nano --engine onnx_runtime --scale 2 --quiet"


@dataclass(frozen=True)
class Costs:
    """Seconds, as measured here."""

    handing_s: float  # of the submitter, for one task: handing over, waiting, taking the result
    between_s: float  # of a worker, from one empty task to the next
    start_s: float  # of a worker: its process, what it imports
    listing_s: float  # of the submitter, for one picture in the manifest


@dataclass(frozen=True)
class Work:
    """Equal tasks but for their spread."""

    name: str
    tasks: int
    task_s: float
    spread: float  # standard deviation over mean
    before_s: float = 0.0  # of the submitter, before the first task


def nothing() -> None:
    """The task that measures what a task costs."""


@contextmanager
def nodes() -> Iterator[None]:
    """Two nodes on this machine; `auto` is their cluster meanwhile."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        os.environ["RAY_ADDRESS"] = cluster.address
        yield
    finally:
        os.environ.pop("RAY_ADDRESS", None)
        cluster.shutdown()


def measured(folder: Path, *, tasks: int) -> Costs:
    """What tasks cost beside their work."""
    empty = Task(nothing, ())
    with open_cluster("auto") as executor:
        list(spread(executor, [empty] * 20))  # the workers are there now
        start, busy = time.perf_counter(), time.process_time()
        list(spread(executor, [empty] * tasks))
        wall, own = time.perf_counter() - start, time.process_time() - busy
    start = time.perf_counter()
    write_manifest(list_items([folder / "in"], folder / "listed"), folder / "listed", engine="")
    listing = (time.perf_counter() - start) / sum(1 for _ in (folder / "in").glob("*/*.png"))
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import acutance.study.compare.placed"], check=True)
    return Costs(own / tasks, 2 * wall / tasks, time.perf_counter() - start, listing)


def seconds(words: str, folder: Path) -> float:
    """The wall time of a command, beginning to end."""
    print(words, file=sys.stderr, flush=True)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "acutance", *words.split()],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def compared(words: str, option: str, folder: Path, *, rounds: int) -> dict[str, Any]:
    """Medians of the command by two local processes and by two nodes, one after the other."""
    local, placed = [], []
    for number in range(rounds):
        local.append(seconds(f"{words} {option} local{number} --jobs 2", folder))
        placed.append(seconds(f"{words} {option} placed{number} --cluster auto", folder))
    here, there = statistics.median(local), statistics.median(placed)
    return {"local_s": here, "cluster_s": there, "ratio": there / here, "rounds": rounds}


def simulated(work: Work, costs: Costs, workers: int) -> dict[str, float]:
    """How long `work` takes, and how busy the submitter and the workers are.

    The submitter does one thing at a time: it hands a task over, or takes a result. It keeps
    AHEAD tasks for each worker in flight, so a worker waits only when the submitter is behind.
    """
    drawn = np.random.default_rng(0).gamma(1 / work.spread**2, work.spread**2, work.tasks)
    times = drawn * work.task_s
    half = costs.handing_s / 2
    free = [work.before_s + costs.start_s] * workers  # when each worker can begin
    heapq.heapify(free)
    over: list[float] = []  # when tasks in flight end
    now, end, begun = work.before_s, 0.0, 0
    while begun < work.tasks or over:
        if begun < work.tasks and len(over) < AHEAD * workers:
            now += half
            ends = max(now, heapq.heappop(free)) + costs.between_s + times[begun]
            heapq.heappush(free, ends)
            heapq.heappush(over, ends)
            begun += 1
        else:
            now = max(now, heapq.heappop(over)) + half
            end = now
    ideal = times.sum() / workers
    return {
        "workers": workers,
        "seconds": end,
        "share_of_ideal": ideal / end,
        "submitter_busy": work.tasks * costs.handing_s / end,
        "first_s": work.before_s + costs.start_s,
        "longest_s": float(times.max()),
    }


def breaks_first(work: Work, costs: Costs) -> str:
    """What keeps the largest number of workers from its share, in words."""
    if work.tasks < WORKERS[-1]:
        return "there are fewer tasks than workers"
    last = simulated(work, costs, WORKERS[-1])
    reasons = {
        "the submitter hands out tasks one after the other": last["submitter_busy"],
        "listing and starting the workers": last["first_s"] / last["seconds"],
        "the last tasks leave workers idle": last["longest_s"] / last["seconds"],
    }
    return max(reasons, key=lambda reason: reasons[reason])


def drawn(works: list[tuple[Work, list[dict[str, float]]]]) -> str:
    """The share of the ideal against the number of workers."""
    curves = tuple(
        Curve(work.name, tuple((r["workers"], 100 * r["share_of_ideal"]) for r in rows), look=k)
        for k, (work, rows) in enumerate(works)
    )
    marks, told = (1.0, 10.0, 100.0, 1000.0), "% of the work that so many could do"
    chart = Chart(curves, "workers", told, log_x=True, marks=marks, zero=True)
    return standing_alone(line_chart(chart), right=NAMES)


def prepared(folder: Path, pictures: int) -> None:
    """Small pictures to be made larger, and two to judge by."""
    for number in range(pictures):
        place = folder / "in" / str(number % 10) / f"p{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (16, 24, 3), np.uint8)
        write_picture(place, Picture(pixels))
    for name in ("test", "val"):
        (folder / name).mkdir()
        for number in range(2):
            pixels = np.random.default_rng((len(name), number)).integers(0, 255, (48, 48, 3))
            write_picture(folder / name / f"{number}.png", Picture(pixels.astype(np.uint8)))


def picture_s(report: Path) -> np.ndarray:
    """Seconds of each picture of a batch."""
    rows = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    return np.array([row["seconds"]["total"] for row in rows])


def run(folder: Path, *, quick: bool) -> dict[str, Any]:
    """All of it."""
    prepared(folder, 60 if quick else 2000)
    rounds, steps, seeds = (1, 4, 2) if quick else (3, 300, 2)
    with nodes():
        costs = measured(folder, tasks=50 if quick else 1000)
        study = f"{STUDY} --steps {steps} --seeds {seeds}"
        ratios = {
            "study": compared(study, "--run", folder, rounds=rounds),
            "batch": compared(BATCH, "-o", folder, rounds=rounds),
        }
    seconds(f"{BATCH} -o timed --report timed.jsonl", folder)
    times = picture_s(folder / "timed.jsonl")
    per = float(times.mean())
    of_shard = float(times.std() / per) / MOST**0.5
    run_s = ratios["study"]["local_s"] * 2 / (2 * seeds)
    works = [
        Work(
            "a million small pictures", 10**6 // MOST, MOST * per, of_shard, 10**6 * costs.listing_s
        ),
        Work("a million, a second each", 10**6 // MOST, float(MOST), 0.03, 10**6 * costs.listing_s),
        Work("200 runs of ten minutes", 200, 600.0, 0.1),
        Work("10,000 runs as short as here", 10_000, run_s, 0.1),
    ]
    simulations = [(work, [simulated(work, costs, n) for n in WORKERS]) for work in works]
    return {
        **stamp(),
        "costs": asdict(costs),
        "ratios": ratios,
        "simulated": [
            {**asdict(work), "rows": rows, "breaks_first": breaks_first(work, costs)}
            for work, rows in simulations
        ],
        "chart": drawn(simulations),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="little of everything, as a trial")
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks/results/cluster.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/images/scaling.svg")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="acutance-cluster-"))
    try:
        found = run(folder, quick=options.quick)
    finally:
        shutil.rmtree(folder)
    write_atomically(options.picture, found.pop("chart"))
    write_atomically(options.json, json.dumps(found, indent=1) + "\n")
    print("measured, seconds:", {k: round(v, 5) for k, v in found["costs"].items()})
    for name, row in found["ratios"].items():
        print(f"{name}: {row['local_s']:.1f} s local, {row['cluster_s']:.1f} s, {row['ratio']:.2f}")
    for work in found["simulated"]:
        rows = {row["workers"]: row for row in work["rows"]}
        shares = ", ".join(
            f"{n}: {rows[n]['seconds']:,.0f} s ({rows[n]['share_of_ideal']:.0%})" for n in SHOWN
        )
        print(f"{work['name']}: {shares}; breaks first: {work['breaks_first']}")


if __name__ == "__main__":
    main()
