"""What the recipes denoise and deblock mend in minutes on one thread, by grey@1.

    python benchmarks/restoration.py [--seed 0] [--only denoise] [--runs FOLDER]

For each recipe `acutance train T91 BSDS200 --recipe NAME` on one thread for as many steps as fit
into some ten minutes here (TRAININGS), then the score of the degraded pictures and of the mended
ones on Set5, Set14 and B100: JPEG of quality 10 and 20 by Pillow, Gaussian noise of 25 levels that
is neither clipped nor rounded, each on Y alone. The gain in PSNR must reach what CASES says, or
the exit code is 1. Also draws docs/images/restoration.png from free photographs of scikit-image:
degraded, mended, original.

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14 and B100, and scikit-image. A run that is
finished in --runs is not repeated; results are written once all are there.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from acutance import evaluate
from acutance.evaluation.degraded import degraded_by
from acutance.imaging.colour import luma, to_uint8
from acutance.models.card import read_card
from acutance.storage import write_atomically
from acutance.upscaling.choice import open_engine
from acutance.upscaling.scoring import as_luma_function
from facts import stamp

HERE = Path(__file__).parent
DATA = Path(os.environ.get("ACUTANCE_DATA", "../shared/data")).resolve()
TARGET = HERE / "results" / "restoration.json"
PICTURE = HERE.parent / "docs" / "images" / "restoration.png"
PROTOCOL, SETS, DRAWS = "grey@1", ("Set5", "Set14", "B100"), 0


@dataclass(frozen=True)
class Case:
    """One degradation that a recipe's model is judged by."""

    recipe: str
    degradation: str
    judged: str  # the set whose gain counts
    must_db: float


CASES = (
    Case("deblock", "jpeg(quality=10)", "Set14", 0.8),
    Case("deblock", "jpeg(quality=20)", "Set14", 0.7),
    Case("denoise", "noise(sigma=25) | unrounded", "B100", 8.0),
)
TRAININGS = {
    "deblock": ["--steps", "3049"],
    # the noise that is judged is in the middle of a narrower range, and PSNR is what MSE minimises
    "denoise": [
        *("--degrade", "noise(sigma=(15, 35)) | unrounded", "--loss", "mse"),
        *("--steps", "6000"),
    ],
}

# photograph of scikit-image, corner and side of the piece, and what befalls it
SHOWN = (
    (CASES[0], "chelsea", (84, 104)),
    (CASES[2], "astronaut", (40, 170)),
)
SIDE, ZOOM, GAP, LABEL = 96, 3, 10, 26


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", choices=list(TRAININGS), help="train and show this one, write nothing"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/restoration"))
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(TRAININGS)
    folders = {name: trained(name, options) for name in chosen}
    rows = [row for case in CASES if case.recipe in folders for row in rows_of(case, folders)]
    show(rows)
    if not options.only:
        found = {
            "command": f"python benchmarks/restoration.py --seed {options.seed}",
            **stamp(),
            "seed": options.seed,
            "degradation_seed": DRAWS,
            "protocol": PROTOCOL,
            "trainings": {name: facts_of(folders[name]) for name in TRAININGS},
            "rows": rows,
        }
        write_atomically(TARGET, json.dumps(found, indent=2) + "\n")
        draw(folders)
    return sum(not row["reached"] for row in rows) and 1


def trained(name: str, options: argparse.Namespace) -> Path:
    """The finished run of a recipe."""
    folder = options.runs / f"{name}-{options.seed}"
    if not (folder / "model.safetensors").exists():
        told = ["--recipe", name, *TRAININGS[name], "--seed", options.seed]
        command = [DATA / "T91", DATA / "BSDS200", *told, "--threads", 1, "--run", folder]
        print(f"== {name}", flush=True)
        words = [sys.executable, "-m", "acutance", "train", *map(str, command)]
        subprocess.run(words, check=True)
    return folder


def facts_of(folder: Path) -> dict[str, object]:
    """What was trained, from the model's own card."""
    card = read_card(folder)
    return {
        "network": card.architecture,
        "arguments": dict(card.arguments),
        "loss": card.loss,
        "degradation": card.degradation,
        "steps": card.steps,
    }


def rows_of(case: Case, folders: dict[str, Path]) -> list[dict[str, object]]:
    """PSNR and SSIM of each set before and after."""
    places = [DATA / name for name in SETS]
    how = {"protocol": PROTOCOL, "degrade": case.degradation, "degrade_seed": DRAWS}
    before = evaluate("bicubic", places, scale=1, **how)
    after = evaluate(folders[case.recipe], places, **how)
    rows = []
    for name in SETS:
        gain = after.mean(name, "psnr") - before.mean(name, "psnr")
        must = case.must_db if name == case.judged else None
        scores = {
            f"{place}_{metric}": round(scored.mean(name, metric), 4)
            for place, scored in (("before", before), ("after", after))
            for metric in ("psnr", "ssim")
        }
        rows.append(
            {
                "recipe": case.recipe,
                "degradation": case.degradation,
                "set": name,
                **scores,
                "gain_db": round(gain, 3),
                "must_db": must,
                "reached": must is None or gain >= must,
            }
        )
    return rows


def show(rows: list[dict[str, object]]) -> None:
    for row in rows:
        must = "" if row["must_db"] is None else f"  must {row['must_db']} dB"
        state = "" if row["reached"] else "  MISSED"
        print(
            f"{row['recipe']:8} {row['degradation']:28} {row['set']:6} "
            f"{row['before_psnr']:.2f} -> {row['after_psnr']:.2f} dB, "
            f"SSIM {row['before_ssim']:.4f} -> {row['after_ssim']:.4f}, "
            f"gain {row['gain_db']:.2f}{must}{state}"
        )


def draw(folders: dict[str, Path]) -> None:
    """A row of pieces for each photograph: degraded, mended, original."""
    side = SIDE * ZOOM
    heads = ("degraded", "mended", "original")
    size = (len(heads) * side + (len(heads) - 1) * GAP, len(SHOWN) * (side + LABEL))
    sheet = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for number, (case, photo, corner) in enumerate(SHOWN):
        top = number * (side + LABEL)
        pieces = mended(folders[case.recipe], case, getattr(skimage.data, photo)()[..., :3])
        for place, (head, piece) in enumerate(zip(heads, pieces, strict=True)):
            shown = as_grey(piece[corner[0] : corner[0] + SIDE, corner[1] : corner[1] + SIDE])
            x = place * (side + GAP)
            sheet.paste(shown.resize((side, side), Image.Resampling.NEAREST), (x, top))
            told = f"{case.degradation.partition(' ')[0]}" if place == 0 else head
            pen.text((x + side // 2, top + side + LABEL // 2), told, "#333", font, anchor="mm")
    PICTURE.parent.mkdir(exist_ok=True)
    write_atomically(PICTURE, lambda path: sheet.save(path, format="PNG", optimize=True))


def mended(folder: Path, case: Case, rgb: np.ndarray) -> tuple[np.ndarray, ...]:
    """Y as degraded, as mended and as it was, (h, w) in levels."""
    hr = to_uint8(luma(rgb))
    lr = degraded_by(case.degradation, seed=DRAWS).of(hr[:, :, None], case.recipe, scale=1)
    run = as_luma_function(open_engine(folder))
    assert run is not None
    return lr[:, :, 0], run(lr[:, :, 0].astype(np.float64)), hr


def as_grey(levels: np.ndarray) -> Image.Image:
    """Y, whose black is 16 and white 235, as a grey picture."""
    return Image.fromarray(to_uint8((levels.astype(np.float64) - 16) * (255 / 219)))


if __name__ == "__main__":
    sys.exit(main())
