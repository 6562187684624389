"""Make the model that the package brings: the recipe of `acutance quickstart`, for longer.

    python benchmarks/bundled_model.py FOLDER          (some minutes; goes on where it was stopped)

FOLDER becomes the run's. Scores the model on Set5, Set14 and B100 of $ACUTANCE_DATA where they
are, and writes nano-x2.safetensors and nano-x2.onnx beside
src/acutance/models/bundled/__init__.py. Steps, threads and precision are given, so that the same
processor makes the same weights again.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from acutance.models.bundled import FOLDER
from acutance.models.checkpoint import load_model, save_model
from acutance.study.quickstart import DRAWN, NETWORK, SCALE, SEED, recipe_of, sample_folder
from acutance.study.score import evaluate
from acutance.training.start import carry_out
from acutance.upscaling.export import export_onnx

NAME, LOSS, STEPS = "nano-x2", "l1", 6000
STOP = {"stop.steps": STEPS, "machine.threads": 1, "machine.precision": "fp32"}
SETS = ("Set5", "Set14", "B100")


def main() -> None:
    run = Path(sys.argv[1])
    carry_out(recipe_of(sample_folder(), LOSS, STOP), run)
    network = load_model(run)
    card = replace(
        network.card,
        name=NAME,
        licence="Apache-2.0",
        data=f"13 photographs of scikit-image, {DRAWN} drawn pictures; "
        f"python benchmarks/bundled_model.py, seed {SEED}",
        scores=measured(run),
    )
    save_model(network, card, FOLDER / f"{NAME}.safetensors")
    export_onnx(network, card, FOLDER / f"{NAME}.onnx")
    print(f"{FOLDER / NAME}: {NETWORK}, x{SCALE}, {card.steps} steps; {card.scores}")


def measured(run: Path) -> dict[str, object] | None:
    """The means on the published sets, as `acutance evaluate` gives them; None without the sets."""
    root = Path(os.environ.get("ACUTANCE_DATA", "/nowhere"))
    folders = [root / name for name in SETS if (root / name).is_dir()]
    if not folders:
        return None
    scores = evaluate(run, folders)
    sets = {
        name: {metric: round(scores.mean(name, metric), 4) for metric in ("psnr", "ssim")}
        for name in scores.sets()
    }
    return {"protocol": scores.protocol, "sets": sets}


if __name__ == "__main__":
    main()
