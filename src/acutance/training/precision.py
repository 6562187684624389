"""Fabric with the precision that pictures need."""

import logging
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision

KINDS = {"bf16": "bf16-mixed", "fp16": "16-mixed"}


class PicturePrecision(MixedPrecision):
    """Autocast that leaves the input as it is.

    Fabric's own rounds the input to half precision. A picture in bfloat16 is off by 0.2 of an
    8-bit level on average, and the enlargement that the network corrects would be, too; so only
    the convolutions are cast, as plain torch does it.
    """

    def convert_input(self, data: Any) -> Any:
        """The input, untouched."""
        return data


def make_fabric(device: str, precision: str) -> Fabric:
    """Fabric on one device; "fp32", "bf16" or "fp16"."""
    logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)
    plugin: Precision = Precision()
    if precision in KINDS:
        scaler = torch.amp.GradScaler(device) if precision == "fp16" else None  # pyright: ignore[reportPrivateImportUsage]
        plugin = PicturePrecision(KINDS[precision], device, scaler)  # pyright: ignore[reportArgumentType]
    return Fabric(accelerator=device, devices=1, plugins=plugin)
