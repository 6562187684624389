"""How fast training pairs come from a pool, against decoding each picture every time.

    python benchmarks/data.py [--json FILE] [--rounds 15]

40 pictures of 768x512 as PNG, batches of 16 crops of 96x96 with their 48x48 versions, flipped and
turned, as float32 RGB in [0, 1], channels last in memory: what a network takes. The baseline is
the usual dataset: Pillow decodes, crops and reduces (bicubic) for each item, torch's loader
without workers collates. All sides take turns in one process with one thread; medians.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: its matrix products too

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from acutance.data.batches import Batch
from acutance.data.pool import PoolSettings, build_pool
from acutance.data.procedural import procedural_picture
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture

PICTURES, WIDTH, HEIGHT = 40, 768, 512
BATCH, PATCH, SCALE = 16, 96, 2
BATCHES_A_TURN = 20  # of ours, so that one turn is long enough to time
WORK = {
    # work -> (name, must, stretch): docs of the targets, in multiples of the baseline
    "ready": ("pairs/s, lr made once per picture", 120.0, 250.0),
    "fly": ("pairs/s, lr made for each crop", 50.0, 120.0),
}
BASELINE = "Pillow for each item, loader without workers"


class UsualPairs(Dataset[tuple[Tensor, Tensor]]):
    """Decode, crop, turn and reduce one picture for each item."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng(item)
        with Image.open(self.files[generator.integers(len(self.files))]) as image:
            top = int(generator.integers((HEIGHT - PATCH) // SCALE + 1)) * SCALE
            left = int(generator.integers((WIDTH - PATCH) // SCALE + 1)) * SCALE
            hr = image.convert("RGB").crop((left, top, left + PATCH, top + PATCH))
        for chance, turn in zip(
            generator.random(3),
            (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM,
             Image.Transpose.TRANSPOSE),
            strict=True,
        ):  # fmt: skip
            hr = hr.transpose(turn) if chance < 0.5 else hr
        lr = hr.resize((PATCH // SCALE, PATCH // SCALE), Image.Resampling.BICUBIC)
        return _as_input(np.asarray(lr)), _as_input(np.asarray(hr))


def _as_input(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div_(255)


def usual_batches(files: list[Path]) -> Iterator[tuple[Tensor, Tensor]]:
    for lr, hr in DataLoader(UsualPairs(files), batch_size=BATCH, num_workers=0):
        yield (
            lr.contiguous(memory_format=torch.channels_last),
            hr.contiguous(memory_format=torch.channels_last),
        )


def to_tensors(batch: Batch) -> tuple[Tensor, Tensor]:
    """uint8 (n, h, w, 3) as float32 in [0, 1], channels last: the layout the bytes have already."""
    lr, hr = (
        torch.from_numpy(side).permute(0, 3, 1, 2).to(torch.float32).div_(255)
        for side in (batch.lr, batch.hr)
    )
    return lr, hr


def draw_files(folder: Path) -> list[Path]:
    files = []
    for i in range(PICTURES):
        pixels = procedural_picture(0, i, height=HEIGHT, width=WIDTH)
        files.append(folder / f"{i:04d}.png")
        write_picture(files[-1], Picture(pixels, None))
    return files


def seconds(work: Callable[[], object], times: int) -> float:
    """Mean seconds for one call among `times`."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def measure(files: list[Path], rounds: int) -> dict[str, float]:
    """Median pairs/s of every side."""
    folder = str(files[0].parent)
    usual = usual_batches(files)
    sides: dict[str, tuple[Callable[[], object], int]] = {"usual": (lambda: next(usual), 1)}
    for kind in WORK:
        pool = build_pool([folder], scale=SCALE, patch=PATCH, settings=PoolSettings(lr=kind))  # pyright: ignore[reportArgumentType]
        steps = iter(range(10**9))
        sides[kind] = (
            lambda pool=pool, steps=steps: to_tensors(pool.batch(0, next(steps), size=BATCH)),
            BATCHES_A_TURN,
        )
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, (work, times) in sides.items():
            spent = seconds(work, times)
            if turn:  # the first round warms up
                taken[name].append(spent)
    return {name: BATCH / statistics.median(spent) for name, spent in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        speed = measure(draw_files(Path(folder)), options.rounds)
    rows = []
    print(f"{BASELINE}: {speed['usual']:.0f} pairs/s")
    for kind, (work, must, stretch) in WORK.items():
        ratio = round(speed[kind] / speed["usual"], 1)
        rows.append(
            {"work": work, "baseline": BASELINE, "ratio": ratio, "must": must, "stretch": stretch}
        )
        print(
            f"{work}: {speed[kind]:.0f} pairs/s, x{ratio:g} (must x{must:g}, stretch x{stretch:g})"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
