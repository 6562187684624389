"""NIQE: how far a picture's statistics are from those of clean photographs; no original needed."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from acutance.errors import InputError
from acutance.imaging.colour import luma
from acutance.metrics.card import Card
from acutance.metrics.natural_scenes import PATCH_PX, patch_features

CARD = Card(
    direction="lower",
    unit="",
    range=(0.0, math.inf),
    judges="perception",
    source=(
        'Mittal, Soundararajan, Bovik: Making a "Completely Blind" Image Quality Analyzer (IEEE '
        "Signal Processing Letters 20, 2013). The model of clean photographs is this project's, "
        "fitted to those of scikit-image: values are not comparable to those by the authors' "
        "parameters"
    ),
    identical=None,
    beside="nothing",
    sees="picture",
    least_side_px=PATCH_PX,
)

LEAST_PATCHES = 2  # one has no spread
MODEL = Path(__file__).with_name("niqe.safetensors")  # written by benchmarks/niqe_model.py


@dataclass(frozen=True, eq=False)
class Statistics:
    """A Gaussian of the 36 features of patches."""

    mean: np.ndarray
    covariance: np.ndarray


def niqe(sr: np.ndarray) -> float:
    """sqrt((a - b)' ((A + B) / 2)^-1 (a - b)): mean and covariance of sr's patches, and of clean.

    sr is luma (H, W), or colours (H, W, 3) whose luma (BT.601, 16..235, not rounded) is taken, in
    0..255. Patches are 96 x 96, side by side from the top left; flat ones are left out. Two must
    remain, as one has no covariance; of so few the value is rough, and it is best read as the mean
    over a set.
    """
    features = patch_features(_plane(sr)).features
    if len(features) < LEAST_PATCHES:
        raise InputError(
            f"In {sr.shape[1]}x{sr.shape[0]} pixels {len(features)} patches of "
            f"{PATCH_PX}x{PATCH_PX} are not flat, and NIQE needs {LEAST_PATCHES}. Use larger "
            "pictures or a smaller border."
        )
    seen, clean = fitted(features), clean_statistics()
    apart = seen.mean - clean.mean
    precision = np.linalg.pinv((seen.covariance + clean.covariance) / 2, hermitian=True)
    return math.sqrt(max(float(apart @ precision @ apart), 0.0))


def fitted(features: np.ndarray) -> Statistics:
    """The Gaussian of features (n, 36); n - 1 divides its covariance."""
    return Statistics(features.mean(axis=0), np.cov(features, rowvar=False))


@cache
def clean_statistics() -> Statistics:
    """The model of clean photographs that comes with the package."""
    stored = load_file(MODEL)
    return Statistics(stored["mean"], stored["covariance"])


def _plane(picture: np.ndarray) -> np.ndarray:
    if picture.size == 0 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (1,), (3,)):
        raise InputError(
            f"NIQE sees luma (H, W) or colours (H, W, 3), not {picture.shape}. Convert it first."
        )
    if picture.shape[2:] == (3,):
        return luma(picture)
    return picture.reshape(picture.shape[:2]).astype(np.float64)
