"""Fit NIQE's model of clean photographs to those that scikit-image brings.

    python benchmarks/niqe_model.py

Writes src/acutance/metrics/niqe.safetensors. Chelsea is left out: the tests judge it.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from acutance.imaging.colour import luma
from acutance.imaging.files import read_rgb
from acutance.metrics.natural_scenes import PATCH_PX, patch_features
from acutance.metrics.niqe import MODEL, fitted
from acutance.study.quickstart import sample_folder

PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "motorcycle_left.png",
    "rocket.jpg",
)
SHARP = 0.75  # of the sharpest patch of its picture, as in the paper
MOST = (
    30  # of one photograph, the sharpest: else three close-ups of ground and wall outvote the rest
)
STEP_PX = PATCH_PX // 2  # patches overlap by half: nine photographs have too few side by side


def main() -> None:
    features = pristine_features()
    model = fitted(features)
    told = {
        "fitted": "python benchmarks/niqe_model.py",
        "photographs": " ".join(PHOTOGRAPHS),
        "patches": str(len(features)),
    }
    save_file({"mean": model.mean, "covariance": model.covariance}, MODEL, metadata=told)
    print(f"{MODEL}: {len(features)} patches of {len(PHOTOGRAPHS)} photographs")


def pristine_features() -> np.ndarray:
    """Features (n, 36) of the sharp patches of all photographs."""
    folder = sample_folder()
    return np.concatenate([sharp_features(folder / name) for name in PHOTOGRAPHS])


def sharp_features(path: Path) -> np.ndarray:
    """Features (n, 36) of the sharpest patches of a photograph."""
    plane = luma(read_rgb(path))
    shifted = [patch_features(plane[y:, x:]) for y in (0, STEP_PX) for x in (0, STEP_PX)]
    sharpness = np.concatenate([found.sharpness for found in shifted])
    features = np.concatenate([found.features for found in shifted])
    sharpest = np.argsort(-sharpness, kind="stable")[:MOST]
    return features[sharpest[sharpness[sharpest] > SHARP * sharpness.max()]]


if __name__ == "__main__":
    main()
