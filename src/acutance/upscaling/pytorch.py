"""The engine that trains: torch, with its memory, layout and precision set for pictures."""

from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from acutance.models.card import ModelCard
from acutance.models.memory import keep_large_blocks
from acutance.models.processor import has_native_bf16
from acutance.upscaling.engine import PLAIN, EngineFacts, How, Precision, told_apart

if TYPE_CHECKING:
    import torch
    from torch import nn

ENGINE = EngineFacts(
    package="torch",
    extra="train",
    reads=(".safetensors", ".pth", ".pt", ".ckpt"),
    tolerance=1e-5,
    start_s=1.6,
)
_WORTH = 1.1  # times as fast bf16 must be to be taken
_TRIAL_PX = 128


def load(path: Path, how: How = PLAIN, *, device: str | None = None) -> "TorchEngine":
    """The network of a model file or run folder, ready to be called on arrays.

    Without a `device` it runs on a GPU that torch can use, else on the processor.
    """
    import torch

    from acutance.models.checkpoint import load_model

    if how.thread_count:
        torch.set_num_threads(how.thread_count)  # of the whole process: torch has no other
    network = load_model(path)
    device = device or usual_device()
    return TorchEngine(network, network.card, device, fast=how.fast)  # pyright: ignore


def usual_device() -> str:
    """A GPU that torch can use, else the processor."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def engine_of(network: "nn.Module") -> "TorchEngine":
    """A network with its card, as `load_model` gives it, ready to be called on arrays."""
    card: ModelCard = network.card  # pyright: ignore[reportAssignmentType]
    return TorchEngine(network, card, next(network.parameters()).device)


class TorchEngine:
    """A torch network as a function of arrays.

    Channels last, because the convolutions of oneDNN then need no rearranging of pictures; with
    large blocks of memory kept between layers; with activations joined to convolutions. Together
    about three times as fast as the same network as it comes. The engine has a copy of its own:
    training the network further does not change it.

    `fast` allows 16 bits for the convolutions where the hardware multiplies them: on the
    processor bfloat16, if it has it and a trial is faster; on a GPU bfloat16, or float16 where
    that is all it has. What a network corrects, the plain enlargement, stays in float32.
    """

    name = "pytorch"

    def __init__(
        self,
        network: "nn.Module",
        card: ModelCard,
        device: "str | torch.device" = "cpu",
        *,
        fast: bool = False,
    ) -> None:
        import torch

        from acutance.upscaling.fusion import fold_norms, fuse
        from acutance.upscaling.merging import merged
        from acutance.upscaling.phases import without_transposed

        keep_large_blocks()
        self.card = card
        self.precision: Precision = "f32"
        self._device = torch.device(device)
        self._network = deepcopy(without_transposed(merged(network))).to(self._device).eval()
        fold_norms(self._network)
        self._network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        if fast and self._device.type == "cuda":
            self.precision = "bf16" if torch.cuda.is_bf16_supported() else "f16"
        elif fast and has_native_bf16() and self._is_faster_in_bf16():
            self.precision = "bf16"
        if self._device.type == "cpu" and self.precision == "f32":
            fuse(self._network)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        made = self._run(lr)
        return _array(made["sr"] if isinstance(made, dict) else made)

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr and log_scale of a network with the head "spread"."""
        made = self._run(lr)
        return _array(made["sr"]), _array(made["log_scale"])

    def precise(self) -> "TorchEngine":
        """In float32: what 16 bits made black or not finite is tried again by it."""
        if self.precision == "f32":
            return self
        return TorchEngine(self._network, self.card, self._device)

    def _run(self, lr: np.ndarray) -> Any:
        import torch

        with told_apart(self.name), torch.inference_mode(), self._arithmetic():
            x = torch.from_numpy(np.require(lr, requirements=["C", "W"]))
            x = x.to(self._device, memory_format=torch.channels_last)
            return self._network(x)

    def _arithmetic(self) -> AbstractContextManager[object]:
        import torch

        if self.precision in ("bf16", "f16"):
            dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
            return torch.autocast(self._device.type, dtype=dtype)
        if self._device.type == "cuda":  # else it would round to 10 bits and call it float32
            return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        return nullcontext()

    def _is_faster_in_bf16(self) -> bool:
        """A flag of the processor promises nothing: both are timed on a small picture."""
        channels = 1 if self.card.color == "luma" else 3
        lr = np.full((1, channels, _TRIAL_PX, _TRIAL_PX), 0.5, dtype=np.float32)
        times: dict[Precision, float] = {}
        choices: tuple[Precision, ...] = ("f32", "bf16")
        for self.precision in choices:
            self._run(lr)
            times[self.precision] = min(self._seconds(lr) for _ in range(3))
        self.precision = "f32"
        return times["f32"] > _WORTH * times["bf16"]

    def _seconds(self, lr: np.ndarray) -> float:
        begun = perf_counter()
        self._run(lr)
        return perf_counter() - begun


def _array(made: "torch.Tensor") -> np.ndarray:
    return made.float().cpu().numpy()
