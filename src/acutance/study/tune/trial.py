"""One trial: a short run that halts now and then to be scored on pictures held out of training."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from acutance.data.degradations.contract import as_bytes
from acutance.evaluation.judging import Metric, judged
from acutance.evaluation.protocols import Protocol
from acutance.imaging.resample import resize
from acutance.training.display import Silent
from acutance.training.loop import stages
from acutance.training.pictures import Pictures
from acutance.training.recipe import Recipe
from acutance.training.setup import Job
from acutance.training.validation import Pair, as_scored, compared, enlarger
from acutance.upscaling.choice import open_engine
from acutance.upscaling.pytorch import TorchEngine

Enlarge = Callable[[np.ndarray], np.ndarray]  # lr of a pair -> uint8 sr (H, W, 3 or 1)


@dataclass(frozen=True)
class Judges:
    """What judges a trial: metrics that are ready, and the protocol."""

    metrics: tuple[Metric, ...]
    rule: Protocol

    def of(self, enlarge: Enlarge, pair: Pair, scale: int) -> list[float]:
        """Each metric of one held-out picture."""
        found = judged(self.metrics, compared(enlarge(pair.lr), pair, self.rule, scale))
        return [found[metric.name] for metric in self.metrics]

    def table(self, job: Job) -> np.ndarray:
        """(pictures, metrics) of the run as it stands."""
        network, pairs = as_scored(job.to_scoring(), job.pictures.pairs)
        device = next(network.parameters()).device
        enlarge = enlarger(TorchEngine(network, job.card({}), device), pairs)
        scale = job.recipe.network.scale
        with torch.inference_mode():
            return np.array([self.of(enlarge, pair, scale) for pair in pairs])

    def start(self, recipe: Recipe, pictures: Pictures) -> np.ndarray:
        """(pictures, metrics) of what trials begin from: the model, or bicubic without one."""
        scale = recipe.network.scale
        if recipe.network.start:
            enlarge = enlarger(open_engine(recipe.network.start), pictures.pairs)
        else:
            enlarge = lambda lr: as_bytes(resize(lr, scale=scale))  # noqa: E731
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
