"""Fabric with the precision that pictures need."""

import logging
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn

from acutance.errors import InputError
from acutance.training.recipe import MachineChoice
from acutance.training.team import ALONE, Team

PATIENCE = timedelta(hours=2)  # the others wait while one scores and saves


class PicturePrecision(MixedPrecision):
    """Autocast that leaves the input as it is.

    Fabric's own rounds the input to half precision. A picture in bfloat16 is off by 0.2 of an
    8-bit level on average, and the enlargement that the network corrects would be, too; so only
    the convolutions are cast, as plain torch does it.
    """

    def convert_input(self, data: Any) -> Any:
        """The input, untouched."""
        return data


class Processes(DDPStrategy):
    """Several processes as Fabric starts, places and connects them, with the network as it is.

    Gradients are added up by `Team.sum_gradients`, which says why.
    """

    def setup_module(self, module: nn.Module) -> nn.Module:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The network, not wrapped."""
        return module


def choose_device(choice: MachineChoice) -> str:
    """ "cpu" or "cuda". Raises InputError for what this machine does not have."""
    has_cuda = torch.cuda.is_available()
    device = ("cuda" if has_cuda else "cpu") if choice.device == "auto" else choice.device
    if device == "cuda" and not has_cuda:
        raise InputError("machine.device = 'cuda', but torch sees no CUDA device. Use 'cpu'.")
    if choice.precision == "fp16" and device != "cuda":
        raise InputError(
            "machine.precision = 'fp16' needs CUDA: a processor computes it slowly and has fp32. "
            "Use --precision fp32, bf16, or leave it out."
        )
    return device


def make_fabric(device: str, precision: str, team: Team = ALONE) -> Fabric:
    """Fabric on this process's device: "fp32", "bf16", or "fp16" with gradients scaled for it."""
    for chatty in ("rank_zero", "distributed"):
        logging.getLogger(f"lightning_fabric.utilities.{chatty}").setLevel(logging.WARNING)
    mixed = {"bf16": "bf16-mixed", "fp16": "16-mixed"}.get(precision)
    plugin = PicturePrecision(mixed, device) if mixed else Precision()  # pyright: ignore[reportArgumentType]
    if not team.by_fabric:
        return Fabric(accelerator=device, devices=1, plugins=plugin)
    torchrun = TorchElasticEnvironment.detect()
    environment = TorchElasticEnvironment() if torchrun else LightningEnvironment()
    fabric = Fabric(
        accelerator=device,
        devices=team.local,
        num_nodes=team.ranks // team.local,
        strategy=Processes(timeout=PATIENCE),
        plugins=[plugin, environment],
    )
    fabric.launch()  # the processes are there: it joins them
    return fabric


def scaler_of(fabric: Fabric) -> torch.amp.GradScaler | None:
    """What keeps small gradients above the least number of fp16; None for other precisions."""
    return getattr(fabric.strategy.precision, "scaler", None)
