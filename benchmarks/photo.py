"""Is `photo` better than bicubic and `small` on pictures as cameras and the web have them.

    python benchmarks/photo.py

Needs ACUTANCE_DATA with B100 and the weights of LPIPS. The bundled models at each scale of photo,
on B100 made small by the chain that photo learned from (seed 0; a picture's draws depend on its
name alone), by the one that Real-ESRGAN published, by bicubic and one JPEG, and by bicubic alone.
LPIPS by AlexNet and NIQE judge; neither was a term. Writes results/photo.json and
docs/images/photo.png, photographs of scikit-image by each at the largest scale; docs/generate.py
makes the table in docs/results.md. Scores in --kept are not computed again.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from acutance import degrade, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.models.bundled import families
from acutance.models.card import find_model, read_card
from acutance.storage import write_atomically
from acutance.study.quickstart import sample_folder
from degraded_scores import DEGRADE_SEED, PROTOCOL, SET, Condition, scored, told
from facts import stamp
from pieces import strip

ROOT = Path(__file__).parents[1]
METRICS = ("psnr", "lpips", "niqe")
SUBJECT, OTHERS = "photo", ("bicubic", "small")
SCALES = tuple(families()[SUBJECT])
SHOWN_SCALE, PIECE = max(SCALES), 224
# (top, left) of the pieces that are shown, in hr pixels
PHOTOGRAPHS = {"astronaut.png": (0, 110), "coffee.png": (60, 200), "chelsea.png": (40, 110)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kept", type=Path, default=ROOT / "runs" / "photo")
    parser.add_argument("--target", type=Path, default=ROOT / "benchmarks/results/photo.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/images/photo.png")
    options = parser.parse_args()
    rows = [row for scale in SCALES for row in rows_of(scale, options.kept)]
    found = {
        "command": "python benchmarks/photo.py",
        **stamp(),
        "set": SET,
        "protocol": PROTOCOL,
        "degrade_seed": DEGRADE_SEED,
        "chains": {str(scale): chain_of(scale) for scale in SCALES},
        "rows": rows,
    }
    write_atomically(options.target, json.dumps(found, indent=2) + "\n")
    write_atomically(options.picture, strip([pieces(name) for name in PHOTOGRAPHS]))
    for row in rows:
        print(json.dumps(row))


def chain_of(scale: int) -> str:
    """What photo has learned from at this scale, as its card says."""
    return read_card(Path(_path(SUBJECT, scale))).degradation


def rows_of(scale: int, kept: Path) -> list[dict[str, Any]]:
    """A row for each condition and model at one scale."""
    rows = []
    for name, chain in {
        "as photo learned": chain_of(scale),
        "real-esrgan": "real-esrgan",
        "jpeg(quality=75)": "reduce | jpeg(quality=75)",
        "bicubic": "",
    }.items():
        seen = Condition(f"{name.replace(' ', '-')}-x{scale}", chain, scale)
        found = {model: scored(_path(model, scale), seen, METRICS, kept) for model in models()}
        rows += [{"scale": scale, "pictures": name, **r} for r in told(found, SUBJECT, METRICS)]
    return rows


def models() -> tuple[str, ...]:
    """What is compared, photo last."""
    return (*OTHERS, SUBJECT)


def pieces(name: str) -> dict[str, np.ndarray]:
    """The same piece of a photograph: small, by everything that is compared, and itself."""
    hr = crop_to_multiple(read_rgb(sample_folder() / name), SHOWN_SCALE)
    chain = chain_of(SHOWN_SCALE)
    lr = degrade(hr, chain, scale=SHOWN_SCALE, name=Path(name).stem, seed=DEGRADE_SEED)
    shown = {"lr": lr.repeat(SHOWN_SCALE, axis=0).repeat(SHOWN_SCALE, axis=1)}
    for model in models():
        path = _path(model, SHOWN_SCALE)
        by_network = model != "bicubic"
        shown[model] = np.asarray(
            upscale(lr, model=path) if by_network else resize(lr, scale=SHOWN_SCALE)
        )
    top, left = PHOTOGRAPHS[name]
    return {
        label: np.ascontiguousarray(pixels[top : top + PIECE, left : left + PIECE])
        for label, pixels in {**shown, "original": hr}.items()
    }


def _path(model: str, scale: int) -> str:
    return model if model == "bicubic" else str(find_model(Path(f"{model}-x{scale}")))


if __name__ == "__main__":
    main()
