"""The same commands on two nodes of a Ray cluster, one of which is killed in the middle."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.training.record import read_log

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Ray's own
HEAD = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100_000_000}
WAIT_S = 300.0


class Nodes:
    """Two nodes of one processor each on this machine, and a head without any."""

    def __init__(self) -> None:
        ray = pytest.importorskip("ray.cluster_utils", reason="no ray: pip install 'ray[client]'")
        self.cluster = ray.Cluster(initialize_head=True, head_node_args=HEAD)
        one = {"num_cpus": 1, "object_store_memory": 100_000_000}
        self.process: subprocess.Popen[str] | None = None
        self.nodes = [self.cluster.add_node(**one) for _ in range(2)]

    def kill_one(self) -> None:
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)

    def start(self, *words: str, folder: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "acutance", *words, "--cluster", "auto"]
        environment = {**os.environ, "RAY_ADDRESS": self.cluster.address}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
        )
        return self.process


@pytest.fixture
def nodes(monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # on a busy machine they would starve
    found = Nodes()
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.kill()
        found.process.communicate()
    found.cluster.shutdown()


def until(is_so, process):
    end = time.monotonic() + WAIT_S
    while not is_so():
        if process.poll() is not None:
            pytest.fail(f"it was over before it could be disturbed: {process.communicate()}")
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.05)


def ended(process):
    out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    return out


def locally(*words: str, folder: Path) -> str:
    command = [sys.executable, "-m", "acutance", *words]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def marks(folder: Path, pattern: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob(pattern)
    }


@pytest.fixture
def asked(tmp_path) -> list[str]:
    """A study whose runs take seconds, and a snapshot after each step."""
    for name, count in (("test", 2), ("val", 2)):
        for number in range(count):
            pixels = np.random.default_rng((count, number)).integers(0, 255, (48, 40, 3), np.uint8)
            (tmp_path / name).mkdir(exist_ok=True)
            write_picture(tmp_path / name / f"p{number}.png", Picture(pixels))
    words = "procedural:6 --val val --test test --loss l1 --loss mse --steps 40 --seeds 2 --quiet"
    words += " --patch 96 --batch 8 --threads 1 --precision fp32 --device cpu"
    return [*words.split(), "--set", "log.save_every=1", "--set", "log.score_every=1000"]


def runs_at_work(folder: Path, step: int) -> int:
    """How many runs have a snapshot of this step or a later one, and no model yet."""
    places = {path.parent.parent for path in folder.rglob(f"state/step-*{step}.safetensors")}
    return sum(not (place / "model.safetensors").exists() for place in places)


@pytest.mark.parametrize("store", [False, True])
def test_a_study_goes_on_when_a_node_dies_and_is_what_it_is_locally(nodes, asked, store, tmp_path):
    locally("compare", *asked, "--run", "local", folder=tmp_path)
    url = ["--store", (tmp_path / "store").as_uri()] if store else []
    process = nodes.start("compare", *asked, "--run", "placed", *url, folder=tmp_path)
    kept = tmp_path / ("store" if store else "placed") / "arms"
    until(lambda: runs_at_work(kept, 5) >= 2, process)
    nodes.kill_one()
    ended(process)
    local, placed = tmp_path / "local", tmp_path / "placed"
    for pattern in ("test.json", "model.safetensors", "scores.json"):
        assert marks(placed, pattern) == marks(local, pattern), pattern
        assert len(marks(placed, pattern)) == 4
    assert not list(placed.rglob("failed.txt"))
    starts = [
        [event["step"] for event in read_log(path.parent) if event["event"] == "start"]
        for path in placed.rglob("log.jsonl")
    ]
    continued = [steps for steps in starts if len(steps) > 1]
    assert continued, starts
    assert all(steps[-1] >= 4 for steps in continued), "not from its last snapshot"
    if store:
        assert marks(tmp_path / "store", "test.json") == marks(local, "test.json")


def test_a_search_goes_on_when_a_node_dies(nodes, tmp_path, asked):
    words = ["procedural:6", "--val", "val", "--loss", "l1 + w*mse", "--range", "w=0.01..1:log"]
    searched = "--objective psnr,ssim --trials 4 --steps 40 --rungs 1 --front 1 --again 2 --quiet"
    trained = "--patch 96 --batch 8 --threads 1 --precision fp32 --device cpu"
    words += [*searched.split(), *trained.split()]
    words += ["--set", "log.save_every=1", "--run", "search"]
    process = nodes.start("tune", *words, folder=tmp_path)
    until(lambda: runs_at_work(tmp_path / "search" / "trials", 5) >= 2, process)
    nodes.kill_one()
    ended(process)
    found = json.loads((tmp_path / "search" / "results.json").read_text())
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2, 3]
    assert found["failed"] == []
    assert {trial["steps"] for trial in found["trials"]} == {40}
    again = [member["trial"]["number"] for member in found["front"] if member["again"]]
    kept = (tmp_path / "search" / "again").rglob("scores.json")
    assert again
    assert sorted(int(path.parts[-3]) for path in kept) == sorted(2 * again), "2 seeds each"


def test_a_batch_of_2000_loses_and_doubles_nothing_when_a_node_dies(nodes, tmp_path):
    for number in range(2000):
        pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), np.uint8)
        folder = tmp_path / "in" / f"{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(folder / f"p{number}.png", Picture(pixels))
    words = ["upscale", "in", "--model", "nano", "--scale", "2", "--engine", "onnx_runtime"]
    locally(*words, "-o", "local", "--quiet", folder=tmp_path)
    process = nodes.start(
        *words, "-o", "placed", "--quiet", "--report", "report.jsonl", folder=tmp_path
    )
    placed = tmp_path / "placed"
    until(lambda: sum(1 for _ in placed.glob("*/*.png")) >= 300, process)
    nodes.kill_one()
    told = ended(process).splitlines()  # nothing but paths, whatever Ray has to say
    assert len(told) == len(set(told)) == 2000
    assert marks(placed, "p*_x2.png") == marks(tmp_path / "local", "p*_x2.png")
    rows = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert len({row["output"] for row in rows}) == len(rows) == 2000
    events = Counter(
        (line["output"], line["event"])
        for path in placed.glob(".acutance-batch-*.jsonl")
        for line in map(json.loads, path.read_text().splitlines())
    )
    assert sum(event == "done" for _, event in events) == 2000
    assert all(count == 1 for (_, event), count in events.items() if event == "done")
    assert [path for path in placed.rglob(".p*")] == []
