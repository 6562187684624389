"""Score the network in hand on pictures that it does not learn from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from acutance.evaluation.scoring import score_picture
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.models.card import ModelCard
from acutance.upscaling.pytorch import TorchEngine
from acutance.upscaling.scoring import as_rgb_function

PROTOCOL = "y@1"
LARGEST_PX = 1024  # of a side: a larger validation picture is cropped at its centre


@dataclass(frozen=True)
class Pair:
    """One validation picture."""

    name: str
    lr: np.ndarray
    hr: np.ndarray


@dataclass(frozen=True)
class Validation:
    """The mean over the pictures by `PROTOCOL`, and what the network made of the first ones."""

    psnr: float
    ssim: float
    made: dict[str, np.ndarray]


def read_pairs(paths: list[Path], scale: int) -> list[Pair]:
    """Read the validation pictures and make their lr once."""
    pairs = []
    for path in paths:
        hr = crop_to_multiple(_centre(read_rgb(path)), scale)
        pairs.append(Pair(path.stem, downscale(hr, scale), hr))
    return pairs


def _centre(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, left = max(0, height - LARGEST_PX) // 2, max(0, width - LARGEST_PX) // 2
    return pixels[top : top + LARGEST_PX, left : left + LARGEST_PX]


def validate(network: nn.Module, card: ModelCard, pairs: list[Pair], keep: int = 0) -> Validation:
    """Score `network` on `pairs`; `keep` of the results are handed back to be looked at."""
    device = next(network.parameters()).device
    function = as_rgb_function(TorchEngine(network, card, device))
    rows, made = [], {}
    with torch.inference_mode():
        for pair in pairs:
            sr = function(pair.lr)
            rows.append(score_picture(sr, pair.hr, protocol=PROTOCOL, scale=card.scale))
            if len(made) < keep:
                made[pair.name] = sr
    psnr, ssim = np.mean([[row["psnr"], row["ssim"]] for row in rows], axis=0)
    return Validation(float(psnr), float(ssim), made)


def write_samples(folder: Path, step: int, made: dict[str, np.ndarray]) -> None:
    """Keep what the network made at this step, to be looked at while it trains."""
    for name, pixels in made.items():
        target = folder / "samples" / name / f"step-{step:08d}.png"
        write_picture(target, Picture(pixels, None), overwrite=True)
