"""Crops of the pictures in which arms differ most, at the place where they differ most."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.data.degradations.contract import as_bytes
from acutance.errors import InputError, MissingPackageError
from acutance.evaluation.degraded import degraded_by
from acutance.evaluation.protocols import find_protocol
from acutance.evaluation.scoring import score_picture
from acutance.evaluation.sets import find_set
from acutance.imaging.colour import luma
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, downscale, resize
from acutance.study.compare.figures.figure import name_arms
from acutance.study.compare.question import Question, Study
from acutance.study.compare.runs import Run
from acutance.study.crops import CROP_PX, Shown, Strip, cut_strip
from acutance.upscaling.choice import open_engine
from acutance.upscaling.engine import Engine
from acutance.upscaling.picture import upscale
from acutance.upscaling.reduction import open_reducer
from acutance.upscaling.scoring import as_reduction

TRIED, SHOWN = 12, 4  # pictures
STRIDE_PX = 16
MOST_PX = 768  # side: of larger pictures the middle is taken, so that a page takes seconds
MOST_ARMS = 12  # side by side; the first ones


@dataclass(frozen=True, eq=False)
class Pair:
    """An arm's model, and what makes the lr that it enlarges of hr and the picture's name."""

    engine: Engine
    lr: Callable[[np.ndarray, str], np.ndarray]


def strips(study: Study, runs: Sequence[Run]) -> tuple[Strip, ...]:
    """The most differing places, or nothing where pictures or the models of two arms are gone."""
    engines = _engines(study, runs)
    paths = picked(study.question)
    if len(engines) < 2:
        return ()
    found: list[tuple[float, Strip]] = []
    for path in paths:
        hr = crop_to_multiple(_middle(read_rgb(path)), study.recipe.network.scale)
        if min(hr.shape[:2]) < CROP_PX:
            continue
        found.append(_strip(path.stem, hr, engines, study))
    best = sorted(found, key=lambda pair: pair[0], reverse=True)[:SHOWN]
    return tuple(strip for _, strip in best)


def picked(question: Question) -> list[Path]:
    """Up to TRIED pictures, as many of each folder, spread over it."""
    sources = [Path(source) for source in question.show or question.test]
    lists = [find_set(s).pictures if s.is_dir() else (s,) for s in sources if s.exists()]
    each = -(-TRIED // max(len(lists), 1))
    spread = [[paths[k * len(paths) // each] for k in range(each)] for paths in lists]
    return list(dict.fromkeys(path for paths in spread for path in paths))[:TRIED]


def _engines(study: Study, runs: Sequence[Run]) -> dict[str, Pair]:
    """Each arm's model at the largest budget, of the first seed under which most arms are done."""
    question = study.question
    by_seed: dict[int, dict[str, Pair]] = {}
    for seed in range(question.seeds):
        by_seed[seed] = _of_seed(study, [run for run in runs if run.seed == seed])
        if len(by_seed[seed]) == len(question.losses[:MOST_ARMS]):
            break
    return max(by_seed.values(), key=len)


def _of_seed(study: Study, runs: Sequence[Run]) -> dict[str, Pair]:
    question, found = study.question, {}
    for run in runs:
        if run.budget == question.steps[-1]:
            try:
                found[run.loss] = Pair(open_engine(run.folder), _made_small(study, run.folder))
            except (InputError, MissingPackageError):
                continue  # models are large, and may have been deleted once they were scored
    return {arm: found[arm] for arm in question.losses[:MOST_ARMS] if arm in found}


def _made_small(study: Study, folder: Path) -> Callable[[np.ndarray, str], np.ndarray]:
    """F of a run, as training had it: a learned one, a chain, or bicubic."""
    scale = study.recipe.network.scale
    if study.recipe.network.shrink:
        reduce = as_reduction(open_reducer(folder))
        return lambda hr, _: reduce(hr)
    if study.recipe.data.degrade:
        degraded = degraded_by(study.recipe.data.degrade)
        return lambda hr, name: as_bytes(degraded.of(hr, name, scale=scale))
    return lambda hr, _: downscale(hr, scale)


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - MOST_PX) // 2) for side in pixels.shape[:2])
    return pixels[top : top + MOST_PX, left : left + MOST_PX]


def _strip(
    title: str, hr: np.ndarray, engines: Mapping[str, Pair], study: Study
) -> tuple[float, Strip]:
    """How much the arms differ at the place where they differ most, and that place by all."""
    scale = study.recipe.network.scale
    names = name_arms(study.question)
    small = {arm: pair.lr(hr, title) for arm, pair in engines.items()}
    lr = next(iter(small.values()))
    made = {arm: upscale(small[arm], model=pair.engine) for arm, pair in engines.items()}
    spread, corner = most_different(list(made.values()))
    protocol = study.question.protocol
    if find_protocol(protocol).enlarges_luma:
        protocol = "y@1"  # crops are in colour
    labelled = {"bicubic": resize(lr, scale=scale)}
    labelled |= {f"{names[arm].tag}  {arm}": sr for arm, sr in made.items()}
    shown = [
        Shown(
            label,
            f"{score_picture(sr, hr, protocol=protocol, scale=scale)['psnr']:.2f} dB",
            sr,
        )
        for label, sr in labelled.items()
    ]
    return spread, cut_strip(title, lr, shown, hr, corner)


def most_different(results: Sequence[np.ndarray]) -> tuple[float, tuple[int, int]]:
    """The largest mean variance of luma between results in a window, and its (top, left)."""
    variance = np.stack([luma(sr) for sr in results]).var(axis=0)
    sums = np.pad(variance.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    windows = (
        sums[CROP_PX:, CROP_PX:]
        - sums[:-CROP_PX, CROP_PX:]
        - sums[CROP_PX:, :-CROP_PX]
        + sums[:-CROP_PX, :-CROP_PX]
    )[::STRIDE_PX, ::STRIDE_PX]
    row, column = np.unravel_index(int(windows.argmax()), windows.shape)
    corner = (int(row) * STRIDE_PX, int(column) * STRIDE_PX)
    return float(windows.max()) / CROP_PX**2, corner
