"""The engine that trains: torch, with its memory and layout set for pictures."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.models.memory import keep_large_blocks
from acutance.models.spread import picture_of
from acutance.upscaling.engine import EngineFacts
from acutance.upscaling.fusion import fuse

ENGINE = EngineFacts(
    package="torch",
    extra="train",
    reads=(".safetensors", ".pth", ".pt", ".ckpt"),
    tolerance=0.0,
)


def load(path: Path, *, device: str = "cpu") -> "TorchEngine":
    """The network of a model file or run folder, ready to be called on arrays."""
    return engine_of(load_model(path, device=device))


def engine_of(network: nn.Module) -> "TorchEngine":
    """A network with its card, as `load_model` gives it, ready to be called on arrays."""
    card: ModelCard = network.card  # pyright: ignore[reportAssignmentType]
    return TorchEngine(network, card, next(network.parameters()).device)


class TorchEngine:
    """A torch network as a function of arrays.

    Channels last, because the convolutions of oneDNN then need no rearranging of pictures; with
    large blocks of memory kept between layers; with activations joined to convolutions. Together
    about three times as fast as the same network as it comes. The engine has a copy of its own:
    training the network further does not change it.
    """

    def __init__(
        self, network: nn.Module, card: ModelCard, device: str | torch.device = "cpu"
    ) -> None:
        keep_large_blocks()
        self.card = card
        self._device = torch.device(device)
        self._network = deepcopy(network).to(self._device).eval()
        self._network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        if self._device.type == "cpu":
            fuse(self._network)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        with torch.inference_mode():
            return picture_of(self._run(lr)).float().cpu().numpy()

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr and log_scale of a network with the head "spread"."""
        with torch.inference_mode():
            made = self._run(lr)
            return made["sr"].float().cpu().numpy(), made["log_scale"].float().cpu().numpy()

    def _run(self, lr: np.ndarray) -> Any:
        x = torch.from_numpy(lr).to(self._device, memory_format=torch.channels_last)
        return self._network(x)
