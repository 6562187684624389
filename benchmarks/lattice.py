"""Does a loss make the network draw a lattice of its own scale?

    python benchmarks/studies.py run front-x4
    python benchmarks/lattice.py

Needs ACUTANCE_DATA with B100, and the runs of the study front-x4. An enlarged picture has a period
of `scale` pixels where the network draws the same little pattern beside every pixel of its input.
Its strength is measured in luma without what varies over more than five pixels: in blocks of
8 x 8 periods, the mean of each of the scale x scale places over the periods, and the standard
deviation of those means, in levels of 255. Blocks are flat where the original's luma has a
deviation below 6 levels, else textured; the originals themselves show what chance gives. Judged
are the first seed's model of each loss, bicubic, and the bundled models of that scale. Writes
results/lattice.json, of which docs/studies/README.md makes a table.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acutance import downscale, upscale
from acutance.data.folders import photo_paths
from acutance.errors import InputError
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.models.bundled import families
from acutance.models.card import find_model
from acutance.storage import write_atomically
from facts import stamp
from places import data_folder
from studies import RESULTS, RUNS
from study_plans import Plan, read_plan

STUDY, SET = "front-x4", "B100"
PERIODS, FLAT = 8, 6.0  # of a block; levels
BUNDLED = ("small", "small-balanced", "small-sharp")
REACH = 5  # of the mean that is taken off, in pixels
LUMA = np.array([0.299, 0.587, 0.114])
Strengths = dict[str, list[float]]  # of flat and textured blocks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=Path, default=RUNS, help="Folder of all studies.")
    parser.add_argument("--target", type=Path, default=RESULTS / "lattice.json")
    options = parser.parse_args()
    plan = read_plan(STUDY, options.runs)
    scale = plan.study.recipe.network.scale
    found = {name: Strengths(flat=[], textured=[]) for name in ("original", "bicubic")}
    models = models_of(plan, scale)
    for path in photo_paths([str(data_folder() / SET)]):
        hr = crop_to_multiple(read_rgb(path), scale)
        lr = downscale(hr, scale)
        pictures = {"original": hr, "bicubic": resize(lr, scale=scale)}
        pictures |= {
            k: np.asarray(upscale(lr, model=str(m), scale=scale)) for k, m in models.items()
        }
        flat = flat_blocks(hr, scale)
        for name, picture in pictures.items():
            strengths = pattern(picture, scale)
            of = found.setdefault(name, Strengths(flat=[], textured=[]))
            of["flat"] += strengths[flat].tolist()
            of["textured"] += strengths[~flat].tolist()
    rows = [row(name, strengths) for name, strengths in found.items()]
    told = {"command": "python benchmarks/lattice.py", **stamp(), "set": SET, "scale": scale}
    write_atomically(options.target, json.dumps({**told, "rows": rows}, indent=1) + "\n")
    for one in rows:
        print(json.dumps(one))


def models_of(plan: Plan, scale: int) -> dict[str, Path]:
    """The bundled models, then the model of each loss under the first seed."""
    models = {
        name: find_model(Path(f"{name}-x{scale}"))
        for name in BUNDLED
        if scale in families().get(name, {})
    }
    for run in plan.runs():
        if run.seed == plan.runs()[0].seed:
            if not run.is_trained:
                raise InputError(f"{run.name} is not trained. First: {plan.command}")
            models[run.loss] = run.folder
    return models


def row(name: str, strengths: Mapping[str, list[float]]) -> dict[str, Any]:
    """The means of one model."""
    means = {kind: round(float(np.mean(values)), 4) for kind, values in strengths.items()}
    return {"model": name, **means, "blocks": {k: len(v) for k, v in strengths.items()}}


def pattern(picture: np.ndarray, scale: int) -> np.ndarray:
    """How strongly each block repeats itself every `scale` pixels, in levels."""
    luma = picture.astype(np.float64) @ LUMA
    blocks = _blocks(luma - _mean(_mean(luma, 0), 1), scale)
    n = blocks.shape[0]
    phases = blocks.reshape(n, PERIODS, scale, PERIODS, scale).mean(axis=(1, 3))
    return phases.reshape(n, -1).std(axis=1)


def flat_blocks(picture: np.ndarray, scale: int) -> np.ndarray:
    """Which blocks have next to nothing in them."""
    blocks = _blocks(picture.astype(np.float64) @ LUMA, scale)
    return blocks.reshape(blocks.shape[0], -1).std(axis=1) < FLAT


def _blocks(plane: np.ndarray, scale: int) -> np.ndarray:
    """Whole blocks from the second period on, away from the rim, (n, side, side)."""
    side, rim = PERIODS * scale, 2 * scale
    inner = plane[rim:-rim, rim:-rim]
    down, across = (length // side for length in inner.shape)
    cut = inner[: down * side, : across * side].reshape(down, side, across, side)
    return cut.swapaxes(1, 2).reshape(-1, side, side)


def _mean(plane: np.ndarray, axis: int) -> np.ndarray:
    """Of REACH neighbours along an axis; the rim repeats."""
    margins = [(0, 0), (0, 0)]
    margins[axis] = (REACH // 2, REACH // 2)
    padded = np.pad(plane, margins, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, REACH, axis=axis).mean(axis=-1)


if __name__ == "__main__":
    main()
