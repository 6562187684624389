"""Folders of runs as trainings leave them, written line by line."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.study.compare.question import folder_name

NOW = 1_800_000_000.0
ARMS = ("l1", "90% l1 + 10% fft")


def event(name: str, at: float, **values: Any) -> dict[str, Any]:
    """A line of a log, `at` seconds after NOW."""
    return {"event": name, "time": NOW + at, **values}


def step(number: int, at: float, loss: float = 0.1, share: float = 0.75) -> dict[str, Any]:
    """A line of terms, of which there are two."""
    terms = {
        "l1": {"value": loss, "norm": 0.02, "weight": 0.9, "share": share},
        "0.1*fft": {"value": loss / 2, "norm": 0.02, "weight": 0.3, "share": 1 - share},
    }
    return event("step", at, step=number, loss=loss, rate=1e-3, terms=terms, step_s=0.1)


def add(folder: Path, *events: dict[str, Any]) -> None:
    """Append to a run's log."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in events)


def write_recipe(folder: Path, loss: str = "l1 + 0.1*fft", *, seed: int = 0, steps: int = 100):
    """What of run.toml the board looks at."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"steps": steps, "log_every": 10, "step_s": 0.1}
    tables = {"recipe": {"seed": seed, "loss": {"expression": loss}}, "plan": plan}
    (folder / "run.toml").write_text(tomli_w.dumps(tables), encoding="utf-8")


def write_samples(folder: Path, name: str, steps: Sequence[int]) -> None:
    """Small pictures, a shade for each step."""
    for number in steps:
        pixels = np.full((12, 16, 3), number % 256, np.uint8)
        write_picture(folder / "samples" / name / f"step-{number:08d}.png", Picture(pixels))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two arms by three seeds: seed 0 done, seed 1 on its way since NOW - 40, seed 2 waiting."""
    folder = tmp_path / "study"
    folder.mkdir()
    asked = {"losses": list(ARMS), "steps": [100], "seeds": 3}
    (folder / "study.toml").write_text(tomli_w.dumps({"study": asked}), encoding="utf-8")
    for k, arm in enumerate(ARMS):
        for seed in (0, 1):
            run = folder / "arms" / folder_name(arm) / "steps-100" / f"seed-{seed}"
            write_recipe(run, arm, seed=seed)
            begun = -1000.0 if seed == 0 else -40.0
            lines = [event("start", begun, step=0, steps=100)]
            for number in range(10, 101 if seed == 0 else 51, 10):
                at = begun + 0.8 * number
                lines.append(step(number, at, loss=(2 + k + seed) / (10 + number)))
                score = {"psnr": 30 + k + seed / 2 + number / 100, "ssim": 0.9}
                lines.append(event("score", at, step=number, protocol="y@1", **score))
            if seed == 0:
                lines.append(event("end", -910, step=100, reason="all steps done", psnr=31.0))
            add(run, *lines)
    write_samples(folder / "arms" / "l1" / "steps-100" / "seed-1", "coffee", (10, 50))
    return folder


@pytest.fixture
def clock() -> Callable[[], float]:
    """A clock that stands at NOW."""
    return lambda: NOW
