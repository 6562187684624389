"""Call a loss that looks through a network as a metric: arrays in, a number out."""

import threading
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from acutance.errors import InputError, MissingPackageError
from acutance.metrics.card import check_pair

if TYPE_CHECKING:
    from torch import Tensor, nn


class Learned:
    """`loss` of one pair of pictures uint8 (H, W, 3) at a time, without a gradient."""

    def __init__(self, loss: "nn.Module") -> None:
        self._loss = loss.eval()
        self._alone = threading.Lock()  # the maps of two large pictures would be in memory at once

    def __call__(self, sr: np.ndarray, hr: np.ndarray) -> float:
        import torch

        check_pair(sr, hr)
        if sr.ndim != 3 or sr.shape[2] != 3 or {sr.dtype, hr.dtype} != {np.dtype(np.uint8)}:
            raise InputError(
                f"Pictures uint8 (H, W, 3) are compared, not {sr.dtype} {sr.shape} and "
                f"{hr.dtype} {hr.shape}. Convert them first."
            )
        with self._alone, torch.inference_mode():
            return float(self._loss(_batch(sr), _batch(hr)))


def needs_torch(metric: str) -> None:
    """Raise MissingPackageError where torch, or what comes with it, is not installed."""
    for package in ("torch", "jaxtyping"):
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            raise MissingPackageError(package, "train", f"The metric '{metric}'") from error


def _batch(picture: np.ndarray) -> "Tensor":
    """(1, 3, H, W) in [0, 1]."""
    import torch

    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
    return torch.from_numpy(planes).to(torch.float32).div_(255)[None]
