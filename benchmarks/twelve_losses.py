"""Train the same network for two minutes under each of twelve expressions, and judge them.

    python benchmarks/twelve_losses.py [--minutes 2] [--only WORD]

Among the twelve are all terms of the article that names this project's parts: squared and
absolute error, likelihood, the margin, content, style, their weighted total and -log D(G(x)).
Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14, B100 and weights. Writes results/losses.json.

PSNR and SSIM are of y@1; LPIPS is of AlexNet on the RGB pictures, shaved by the scale. Where an
expression has shares, they are computed anew on five batches of crops that training has not drawn,
by autograd and without the moving average. One seed each: what a difference between two rows is
worth, these rows do not say.
"""

import argparse
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from acutance import evaluate, train
from acutance.evaluation.sets import find_set
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Objective
from acutance.models.checkpoint import load_model
from acutance.study.atlas.descent import lpips
from acutance.training.display import Silent
from acutance.training.loop import prepare
from acutance.training.recipe import make_recipe
from acutance.training.record import read_log
from acutance.training.step import as_pictures
from acutance.upscaling.choice import open_engine
from acutance.upscaling.scoring import as_rgb_function
from facts import stamp

DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data"))
SETS = ("Set5", "Set14", "B100")
SCALE, NETWORK, SEED, UNSEEN = 2, "compact:nano", 0, 5


@dataclass(frozen=True)
class Run:
    """An expression and what else it needs."""

    loss: str
    purpose: str
    settings: dict[str, object]


def rgb(loss: str, purpose: str) -> Run:
    return Run(loss, purpose, {"network.color": "rgb"})


RUNS = (
    rgb("l1", "MAE, the plain choice"),
    rgb("mse", "MSE, the highest PSNR by its definition"),
    rgb("charbonnier(stop=0.6) + mse(start=0.6)", "robust first, then PSNR"),
    rgb("l1 + 0.5*cross_domain_margin", "the article's margin, as a correction of MAE"),
    rgb("epsilon_insensitive + 0.1*triplet_margin", "what the margin may have meant"),
    Run(
        "l1(stop=0.2) + beta_nll(start=0.2)",
        "likelihood, with a predicted spread",
        {"network.color": "rgb", "network.head": "spread"},
    ),
    rgb("80% l1 + 20% ms_ssim(levels=3)", "structure, by shares"),
    rgb("60% l1 + 20% fft + 20% gradient", "frequencies and edges, by shares"),
    rgb("50% l1 + 30% wavelet + 20% focal_frequency", "bands and spectrum, by shares"),
    rgb("content + 0.001*style(net='squeezenet')", "the article's content and style total"),
    rgb("80% l1 + 20% lpips(net='squeeze')", "perception, by shares"),
    rgb("l1 + 0.003*gan(kind='vanilla', start=0.3)", "-log D(G(x)) beside MAE"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--runs", type=Path, default=Path("runs/twelve-losses"))
    options = parser.parse_args()
    rows = []
    for number, run in enumerate(RUNS):
        if options.only in run.loss:
            folder = options.runs / f"{number:02d}-{options.minutes:g}"
            rows.append(kept_result(run, folder, options.minutes))
            print(json.dumps(rows[-1]), flush=True)
    found = {
        "command": "python benchmarks/twelve_losses.py",
        **stamp(),
        "network": f"{NETWORK} in RGB, x{SCALE}, seed {SEED}, {options.minutes:g} minutes each",
        "sets": list(SETS),
        "runs": rows,
    }
    if not options.only:
        target = Path(__file__).parent / "results" / "losses.json"
        target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        for kept in options.runs.glob("*.json"):  # the next benchmark measures anew
            kept.unlink()


def kept_result(run: Run, folder: Path, minutes: float) -> dict[str, object]:
    """The result as it was kept beside the run, so that a killed benchmark goes on where it was.

    Kept of the same day and machine alone, for the results say when they were measured.
    """
    file, now = folder.with_suffix(".json"), {"loss": run.loss, **stamp()}
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if found.get("of") != now:
        shutil.rmtree(folder, ignore_errors=True)
        found = {"of": now, "row": result(run, folder, minutes)}
        file.write_text(json.dumps(found), encoding="utf-8")
    return found["row"]


def result(run: Run, folder: Path, minutes: float) -> dict[str, object]:
    """Train, score, and recompute the shares."""
    settings = {"seed": SEED, **run.settings}
    photos = [DATA / "T91", DATA / "BSDS200"]
    outcome = train(
        photos, folder, scale=SCALE, network=NETWORK, loss=run.loss, minutes=minutes,
        settings=settings, quiet=True,
    )  # fmt: skip
    scores = evaluate(folder, [DATA / name for name in SETS])
    events = read_log(folder)
    numbers = [t["value"] for e in events if e["event"] == "step" for t in e["terms"].values()]
    return {
        "loss": run.loss,
        "purpose": run.purpose,
        "steps": outcome.steps,
        "faults": sum(e["event"] == "fault" for e in events),
        "finite": bool(np.isfinite(numbers).all()),
        "psnr": {name: round(scores.mean(name, "psnr"), 3) for name in SETS},
        "ssim": {name: round(scores.mean(name, "ssim"), 4) for name in SETS},
        "lpips": perception(folder),
        "shares": shares_anew(run, folder, photos, settings, minutes),
    }


def perception(folder: Path) -> dict[str, float] | None:
    """Mean LPIPS (AlexNet) of Set5 and Set14; None where its weights are not at hand."""
    judge = lpips()
    if judge is None:
        return None
    enlarge = as_rgb_function(open_engine(folder, engine="pytorch"))
    found = {}
    for name in SETS[:2]:
        values = []
        for path in find_set(DATA / name).pictures:
            hr = crop_to_multiple(read_rgb(path), SCALE)
            sr = np.asarray(enlarge(downscale(hr, SCALE)))
            with torch.no_grad():
                values.append(float(judge(tensor(sr), tensor(hr))))
        found[name] = round(float(np.mean(values)), 4)
    return found


def tensor(pixels: np.ndarray) -> Tensor:
    shaved = np.ascontiguousarray(pixels[SCALE:-SCALE, SCALE:-SCALE])
    return torch.from_numpy(shaved).permute(2, 0, 1)[None].float() / 255


def shares_anew(
    run: Run, folder: Path, photos: list[Path], settings: dict[str, object], minutes: float
) -> dict[str, list[float]] | None:
    """Asked and found shares: the run's last weights on the gradients of unseen batches."""
    expression = parse_loss(run.loss)
    if not expression.has_shares:
        return None
    named = {
        "data.photos": [str(p) for p in photos], "network.scale": SCALE, "network.name": NETWORK,
        "loss.expression": run.loss, "stop.minutes": minutes,
    }  # fmt: skip
    recipe, _ = make_recipe([("arguments", named), ("settings", settings)])
    job = prepare(recipe, folder, Silent(), spent_s=0)
    weights = job.work.objective.balance.weights  # pyright: ignore
    network = load_model(folder).eval()
    pulls = []
    for k in range(UNSEEN):
        batch = job.batch(10_000_000 + k)
        lr, hr = (
            as_pictures(torch.from_numpy(batch.lr), luma=False),
            as_pictures(torch.from_numpy(batch.hr), luma=False),
        )
        with torch.no_grad():
            sr = network(lr)
        norms = [norm_of(Objective(parse_loss(str(t.called()))), sr, hr) for t in expression.terms]
        pulls.append(torch.stack(norms) * weights)
    mean = torch.stack(pulls).mean(dim=0)
    return {
        "asked": [round((t.share or 0) / 100, 4) for t in expression.terms],
        "found": [round(v, 4) for v in (mean / mean.sum()).tolist()],
    }


def norm_of(objective: Objective, sr: Tensor, hr: Tensor) -> Tensor:
    """Mean over the pictures of the norm of the gradient, by plain autograd."""
    leaf = sr.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(leaf, hr).sum(), leaf)
    return gradient.flatten(1).norm(dim=1).mean()


if __name__ == "__main__":
    main()
