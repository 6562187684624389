"""The public verb: score a model, or plain bicubic, by a named protocol."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from acutance.data.degradations.expression import read_degradation
from acutance.errors import InputError, MissingPackageError
from acutance.evaluation.degraded import Degraded, degraded_by
from acutance.evaluation.judging import DEFAULT_METRICS
from acutance.evaluation.protocols import find_protocol
from acutance.evaluation.scoring import Enlarged, Scores, Subject, bicubic_subject
from acutance.evaluation.scoring import evaluate as score_subject
from acutance.imaging.picture import Picture
from acutance.models.card import exactly_at
from acutance.models.mixing import members_for, mixed, parse_mixture
from acutance.training.package_recipes import named_degradation
from acutance.upscaling.choice import open_engine
from acutance.upscaling.engine import Engine
from acutance.upscaling.pytorch import engine_of, usual_device
from acutance.upscaling.reduction import open_reducer
from acutance.upscaling.scoring import as_luma_function, as_reduction, as_rgb_function
from acutance.upscaling.uncertainty import says_how_sure, with_sigma


def evaluate(
    model: str | Path,
    data: str | Path | Sequence[str | Path],
    *,
    scale: int | None = None,
    protocol: str = "y@1",
    metrics: Sequence[str] = DEFAULT_METRICS,
    engine: str = "auto",
    degrade: str = "",
    degrade_seed: int = 0,
    shrink: str | Path = "",
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """Scores of `model` on one or more folders of hr pictures, by `metrics`.

    metrics: "psnr", "ssim", "lpips", "dists", "niqe", "lr_psnr", or another package's. LPIPS and
    DISTS need torch and trained weights. Of a model with the head "spread" there are also
    "coverage", the share of values within 1.96 of its own sigmas, and "squared_z", the mean of
    error^2 / sigma^2.

    model: a run folder, a model file, a mixture "a:0.7,b:0.3" of models of one origin (by torch,
    whatever the engine), or "bicubic" (which needs `scale`). A folder's HR subfolder is used where
    it exists, and the set is named after the folder. `progress` is told (pictures done, pictures
    in all).

    degrade: a chain of stages that makes lr of hr, such as "jpeg(quality=10)", a TOML file of one,
    or the name of a recipe that has one; without it, MATLAB's bicubic does. What it draws for a
    picture depends on `degrade_seed` and the picture's name. At x1, "bicubic" is the row of the
    degraded pictures. shrink: a run folder whose learned F makes lr instead.

    Raises InputError for an unknown protocol or metric, weights that are not at hand, a scale that
    is not the model's, a degradation that cannot be read, or pictures that cannot be read.
    """
    folders = [data] if isinstance(data, str | Path) else list(data)
    subject, scale = subject_of(str(model), scale, engine)
    if degrade and shrink:
        raise InputError("Either --degrade or --shrink makes the small pictures, not both.")
    degraded = (
        _by_learned(shrink, scale, protocol) if shrink else degraded_for(degrade, degrade_seed)
    )
    # plain bicubic gives its input back at x1: scores of pictures as they are
    if scale == 1 and degraded is None and (model != "bicubic" or protocol == "grey@1"):
        raise InputError(
            "At x1 nothing is wrong with the pictures unless they are degraded. Say how, as in "
            "--degrade 'jpeg(quality=10)'; --degrade none shows them as they are."
        )
    return score_subject(
        subject,
        [Path(folder) for folder in folders],
        scale=scale,
        protocol=protocol,
        metrics=metrics,
        degraded=degraded,
        progress=progress,
    )


def degraded_for(text: str, seed: int) -> Degraded | None:
    """By a chain, a file of one, or a recipe's; None for bicubic."""
    if not text:
        return None
    return degraded_by(str(read_degradation(str(named_degradation(text)))), seed=seed)


def _by_learned(shrink: str | Path, scale: int, protocol: str) -> Degraded:
    """By the learned F of a run, which the scores know by its weights."""
    if find_protocol(protocol).enlarges_luma:
        raise InputError(
            f"{protocol} shows Y of what it degrades itself, and a learned F makes pictures. Use "
            "--protocol y@1."
        )
    reducer = open_reducer(shrink)
    own = reducer.card.scale
    if own != scale:
        raise InputError(f"The F of {shrink} makes pictures {own} times smaller, not {scale}.")
    reduce = as_reduction(reducer)

    def make(hr: np.ndarray, *, scale: int, draw: np.random.Generator) -> np.ndarray:
        del scale, draw  # it has its own, and draws nothing
        return reduce(hr)

    return Degraded(f"the learned F {reducer.card.weights[:12]}", make)


def subject_of(model: str, scale: int | None, engine: str) -> tuple[Subject, int]:
    """What `evaluate` scores by that name, and the scale that it enlarges by."""
    if model == "bicubic":
        if scale is None:
            raise InputError("bicubic has no scale of its own: give --scale 2, 3 or 4.")
        return bicubic_subject(scale), scale
    opened = _opened(str(exactly_at(members_for(model, scale), scale)), engine)
    own = opened.card.scale
    if scale is not None and scale != own:
        raise InputError(f"{model} enlarges {own} times, not {scale}. Leave out --scale.")
    luma = as_luma_function(opened) if opened.card.color == "luma" else None
    sure = _sure_function(opened) if says_how_sure(opened) else None
    return Subject(opened.card.name or model, as_rgb_function(opened), luma, sure), own


def _opened(model: str, engine: str) -> Engine:
    parts = parse_mixture(model)
    if isinstance(parts, str):
        return open_engine(parts, engine=engine)
    try:
        network = mixed(parts)
    except ModuleNotFoundError as error:
        package = error.name or "torch"
        raise MissingPackageError(package, "train", "A mixture of models") from error
    return engine_of(network.to(usual_device()))


def _sure_function(engine: Engine) -> Callable[[np.ndarray], Enlarged]:
    enlarge = with_sigma(engine)

    def enlarged(rgb: np.ndarray) -> Enlarged:
        made = enlarge(Picture(rgb))
        return Enlarged(made.picture.pixels, made.mean, made.sigma)

    return enlarged
