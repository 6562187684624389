"""What a run leaves: the model to share, its twin for use without torch, and the scores."""

from dataclasses import dataclass
from pathlib import Path

from acutance.models.card import MODEL_FILE, TWIN_FILE
from acutance.models.checkpoint import save_model
from acutance.training.display import Display
from acutance.training.record import Log, write_scores
from acutance.training.setup import Job
from acutance.training.snapshots import save_snapshot
from acutance.training.validation import PROTOCOL, validate, write_samples
from acutance.upscaling.export import export_onnx


@dataclass(frozen=True)
class Outcome:
    """What a finished run left."""

    folder: Path
    model: Path
    steps: int
    psnr: float  # of the validation pictures, by y@1
    ssim: float
    reason: str  # why it stopped


def finish(job: Job, log: Log, display: Display, reason: str) -> Outcome:
    """Score the last weights, save them for others, and say why the run stopped."""
    save_snapshot(job.folder, job.state)
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
    scores: dict[str, object] = {
        "protocol": PROTOCOL,
        "validation": {
            "psnr": round(found.psnr, 4),
            "ssim": round(found.ssim, 6),
            **({} if seen is None else {metric: round(seen, 6)}),
        },
        "images": len(job.pictures.pairs),
    }
    card = job.card(scores)
    model = job.folder / MODEL_FILE
    save_model(network, card, model)
    export_onnx(network, card, job.folder / TWIN_FILE)
    write_scores(job.folder, {"model": card.name, "scale": card.scale, **scores})
    values = {"psnr": found.psnr, "ssim": found.ssim, **({metric: seen} if metric else {})}
    log.write("end", {"step": job.progress.step, "reason": reason, **values})
    display.note(
        f"{reason}: {job.progress.step} steps, validation PSNR-Y {found.psnr:.3f} dB, "
        f"SSIM {found.ssim:.4f}  {found.perceived(metric)}({PROTOCOL}); model in {model}"
    )
    return Outcome(job.folder, model, job.progress.step, found.psnr, found.ssim, reason)
