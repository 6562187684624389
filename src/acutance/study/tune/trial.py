"""One trial: a short run that halts now and then to be scored on pictures held out of training."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from acutance.evaluation.judging import Metric, judged
from acutance.evaluation.judging import Pictures as Compared
from acutance.evaluation.protocols import Protocol
from acutance.imaging.resample import resize
from acutance.training.display import Silent
from acutance.training.loop import stages
from acutance.training.pictures import Pictures
from acutance.training.recipe import Recipe
from acutance.training.setup import Job
from acutance.training.validation import Pair, as_scored
from acutance.upscaling.choice import open_engine
from acutance.upscaling.pytorch import TorchEngine
from acutance.upscaling.scoring import as_rgb_function

Enlarge = Callable[[np.ndarray], np.ndarray]  # uint8 lr (h, w, 3) -> uint8 sr


@dataclass(frozen=True)
class Judges:
    """What judges a trial: metrics that are ready, and the protocol."""

    metrics: tuple[Metric, ...]
    rule: Protocol

    def of(self, enlarge: Enlarge, pair: Pair, scale: int) -> list[float]:
        """Each metric of one held-out picture."""
        made = Compared(enlarge(pair.lr), pair.hr, pair.lr, self.rule, scale)
        found = judged(self.metrics, made)
        return [found[metric.name] for metric in self.metrics]

    def table(self, job: Job) -> np.ndarray:
        """(pictures, metrics) of the run as it stands."""
        network, pairs = as_scored(job.to_scoring(), job.pictures.pairs)
        device = next(network.parameters()).device
        enlarge = as_rgb_function(TorchEngine(network, job.card({}), device))
        scale = job.recipe.network.scale
        with torch.inference_mode():
            return np.array([self.of(enlarge, pair, scale) for pair in pairs])

    def start(self, recipe: Recipe, pictures: Pictures) -> np.ndarray:
        """(pictures, metrics) of what trials begin from: the model, or bicubic without one."""
        scale = recipe.network.scale
        if recipe.network.start:
            engine = open_engine(recipe.network.start)
            enlarge = as_rgb_function(engine)
        else:
            enlarge = partial(resize, scale=scale)
        return np.array([self.of(enlarge, pair, scale) for pair in pictures.pairs])


@dataclass(frozen=True)
class Halts:
    """Where a trial halts, what was scored there before a kill, and whether it then goes on."""

    stops: Sequence[int]
    known: Mapping[int, list[float]]
    goes_on: Callable[[int, list[float]], bool]


def run_trial_table(
    recipe: Recipe, folder: Path, *, pictures: Pictures, judge: Judges
) -> np.ndarray:
    """(pictures, metrics) of a whole run."""
    last = recipe.stop.steps
    (job,) = stages(recipe, folder, Silent(), stops=[last], pictures=pictures)
    return judge.table(job)


def run_trial(
    recipe: Recipe,
    folder: Path,
    *,
    pictures: Pictures,
    judge: Judges,
    halts: Halts,
) -> list[float]:
    """Train from halt to halt while the values there let it go on; the last values.

    Values are the means over the held-out pictures of each metric. The folder can be taken up
    again after a kill; what was scored before is not scored again.
    """
    values: list[float] = []
    ahead = [step for step in halts.stops if step not in halts.known]
    reached = max(halts.known, default=0)  # it was let go on at all halts before
    with closing(stages(recipe, folder, Silent(), stops=ahead, pictures=pictures)) as run:
        for step in halts.stops:
            if step < reached:
                continue
            if step in halts.known:
                values = halts.known[step]
            else:
                values = judge.table(next(run)).mean(axis=0).tolist()
            if not halts.goes_on(step, values):
                break
    return values
