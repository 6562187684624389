"""Fabric with the precision that pictures need."""

import logging
from typing import Any

from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision


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
    """Fabric on one device; "fp32" or "bf16", which needs no scaling of gradients."""
    logging.getLogger("lightning_fabric.utilities.rank_zero").setLevel(logging.WARNING)
    plugin = PicturePrecision("bf16-mixed", device) if precision == "bf16" else Precision()
    return Fabric(accelerator=device, devices=1, plugins=plugin)
