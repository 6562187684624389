"""What a run leaves: the model to share, its twin for use without torch, and the scores."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from acutance.models.card import MODEL_FILE, TWIN_FILE, ModelCard, level_file
from acutance.models.checkpoint import save_model
from acutance.models.levels import cut
from acutance.models.rescaling import Rescaler
from acutance.training.display import Display
from acutance.training.pictures import degrading_of
from acutance.training.record import Log, write_scores
from acutance.training.setup import Job
from acutance.training.shrinkers import leave_shrinker
from acutance.training.validation import Validation, pair_of, validate, write_samples
from acutance.upscaling.export import export_onnx


@dataclass(frozen=True)
class Outcome:
    """What a finished run left."""

    folder: Path
    model: Path
    steps: int
    psnr: float  # of the validation pictures, by y@1 or grey@1
    ssim: float
    reason: str  # why it stopped


def finish(job: Job, log: Log, display: Display, reason: str) -> Outcome:
    """Score the last weights, save them for others, and say why the run stopped."""
    job.save()
    network = job.to_scoring()
    found = validate(
        network,
        job.card({}),
        job.pictures.pairs,
        keep=job.recipe.log.samples,
        metric=job.metric,
    )
    metric, seen = job.plan.perceptual, found.perceptual
    write_samples(job.folder, job.progress.step, found.made)
    scores = _scores(found, len(job.pictures.pairs), metric)
    card = job.card(scores)
    if isinstance(network, Rescaler):
        card = leave_shrinker(network, card, job.folder)
        network = network.generator
    model = job.folder / MODEL_FILE
    save_model(network, card, model)
    export_onnx(network, card, job.folder / TWIN_FILE)
    levels = {f"x{scale}": _leave_level(job, network, card, scale) for scale in card.levels}
    told = {"levels": levels} if levels else {}
    write_scores(job.folder, {"model": card.name, "scale": card.scale, **scores, **told})
    near = {} if found.small_psnr is None else {"small_psnr": found.small_psnr}
    values = {"psnr": found.psnr, "ssim": found.ssim, **near}
    values |= {metric: seen} if metric else {}
    log.write("end", {"step": job.progress.step, "reason": reason, **values, **told})
    for name, values in levels.items():
        display.note(f"its level {name}: validation PSNR-Y {values['psnr']:.3f} dB")
    display.note(
        f"{reason}: {job.progress.step} steps, validation PSNR-Y {found.psnr:.3f} dB, "
        f"SSIM {found.ssim:.4f}  {found.reduced()}{found.perceived(metric)}({found.protocol}); "
        f"model in {model}"
    )
    return Outcome(job.folder, model, job.progress.step, found.psnr, found.ssim, reason)


def _leave_level(job: Job, network: nn.Module, card: ModelCard, scale: int) -> dict[str, float]:
    """Score a lower level and leave it as a model of its own, with its twin."""
    lower, own = cut(network, card, scale)
    degrading = degrading_of(job.recipe)
    pairs = [pair_of(pair.name, pair.hr, scale, degrading) for pair in job.pictures.pairs]
    found = validate(lower, own, pairs)
    own = replace(own, scores=_scores(found, len(pairs)))
    save_model(lower, own, level_file(job.folder / MODEL_FILE, scale))
    export_onnx(lower, own, level_file(job.folder / TWIN_FILE, scale))
    return _rounded(found)


def _scores(found: Validation, count: int, metric: str = "") -> dict[str, object]:
    return {"protocol": found.protocol, "validation": _rounded(found, metric), "images": count}


def _rounded(found: Validation, metric: str = "") -> dict[str, float]:
    seen = {} if found.perceptual is None else {metric: round(found.perceptual, 6)}
    near = {} if found.small_psnr is None else {"small_psnr": round(found.small_psnr, 4)}
    return {"psnr": round(found.psnr, 4), "ssim": round(found.ssim, 6), **near, **seen}
