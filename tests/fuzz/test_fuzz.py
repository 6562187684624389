"""Files gone wrong end in a picture or in a message: no crash, no hang, no memory, no leftovers."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fuzz.mutations import bombs, malicious_models, mutated
from tests.imaging.zoo import zoo

FEW, MANY = 100, 2000  # files of a format, in the fast tests and in the slow
WORKER = Path(__file__).with_name("worker.py")
PEAK_MIB = 512
FORMATS = sorted({specimen.ending for specimen in zoo()})


def opened(kind: str, folder: Path, out: Path) -> tuple[list[dict[str, Any]], int]:
    """What became of each file of `folder`, and the peak of memory in MiB."""
    out.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(WORKER), kind, str(folder), str(out)],
        capture_output=True, text=True, env=environment, timeout=1500, check=False,
    )  # fmt: skip
    *rows, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert "peak_mib" in last, f"the process died after {last}: {done.stderr[-2000:]}"
    return rows, last["peak_mib"]


def assert_harmless(rows: list[dict[str, Any]], peak: int, *, count: int) -> None:
    assert len(rows) == count
    assert [row for row in rows if row["ended"] not in ("made", "refused")] == []
    assert [row for row in rows if row["ended"] == "refused" and len(row["message"]) < 20] == []
    assert peak <= PEAK_MIB


def write_mutants(folder: Path, wholes: list[tuple[str, bytes]], *, count: int, seed: int) -> None:
    folder.mkdir()
    for number in range(count):
        name, whole = wholes[number % len(wholes)]
        path = folder / f"{number:04d}-{name}"
        path.write_bytes(mutated(whole, np.random.default_rng((seed, number))))


def check_pictures(tmp_path: Path, ending: str, *, count: int, seed: int) -> None:
    wholes = [(s.name, s.data) for s in zoo() if s.ending == ending]
    write_mutants(tmp_path / "in", wholes, count=count, seed=seed)
    rows, peak = opened("pictures", tmp_path / "in", tmp_path / "out")
    ended = Counter(row["ended"] for row in rows)
    print(ending, dict(ended), f"{peak} MiB, slowest {max(row['seconds'] for row in rows)} s")
    assert_harmless(rows, peak, count=count)
    assert len(list((tmp_path / "out").iterdir())) == ended["made"], "half-written files"


@pytest.mark.parametrize("ending", FORMATS)
def test_damaged_pictures_do_no_harm(ending, tmp_path):
    check_pictures(tmp_path, ending, count=FEW, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ending", FORMATS)
def test_many_damaged_pictures_do_no_harm(ending, tmp_path):
    check_pictures(tmp_path, ending, count=MANY, seed=1)


def test_bombs_are_refused_in_little_memory(tmp_path):
    (tmp_path / "in").mkdir()
    files = dict(bombs())
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    rows, peak = opened("pictures", tmp_path / "in", tmp_path / "out")
    assert_harmless(rows, peak, count=len(files))
    assert {row["file"] for row in rows if row["ended"] == "made"} <= {"profile.png"}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> list[tuple[str, bytes]]:
    """Whole model files of every kind that is opened."""
    torch = pytest.importorskip("torch")
    from acutance.models import build
    from acutance.models.building import describe
    from acutance.models.checkpoint import save_model
    from acutance.upscaling.export import export_onnx

    folder = tmp_path_factory.mktemp("models")
    network = build("espcn", scale=2, channels=1)
    card = describe("espcn", scale=2, channels=1)
    save_model(network, card, folder / "a.safetensors")
    export_onnx(network, card, folder / "a.onnx")
    layout = {"activation": "prelu", "skip": "nearest"}
    compact = build("compact:nano", scale=2, channels=3, arguments=layout)
    torch.save({"params_ema": compact.state_dict()}, folder / "a.pth")
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def check_models(tmp_path: Path, models: list[tuple[str, bytes]], *, count: int) -> None:
    for name, whole in models:
        write_mutants(tmp_path / name, [(name, whole)], count=count, seed=2)
        rows, peak = opened("models", tmp_path / name, tmp_path / f"{name}-out")
        print(name, dict(Counter(row["ended"] for row in rows)), f"{peak} MiB")
        assert_harmless(rows, peak, count=count)


def test_damaged_models_do_no_harm(models, tmp_path):
    check_models(tmp_path, models, count=FEW // 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_damaged_models_do_no_harm(models, tmp_path):
    check_models(tmp_path, models, count=MANY)


def test_nothing_in_a_model_file_is_executed(tmp_path):
    pytest.importorskip("torch")
    sentinel = tmp_path / "executed"
    (tmp_path / "in").mkdir()
    files = dict(malicious_models(str(sentinel)))
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    rows, peak = opened("models", tmp_path / "in", tmp_path / "out")
    assert_harmless(rows, peak, count=len(files))
    assert [row for row in rows if row["ended"] == "made"] == []
    assert not sentinel.exists()
