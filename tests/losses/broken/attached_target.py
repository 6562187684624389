"""A gradient runs into the target."""

import torch
from torch import Tensor


def attached_target(sr: Tensor, hr: Tensor) -> Tensor:
    wide = torch.promote_types(sr.dtype, torch.float32)
    return (sr.to(wide) - hr.to(wide)).abs().mean(dim=(1, 2, 3))
