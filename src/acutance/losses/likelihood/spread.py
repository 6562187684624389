"""A predicted spread as losses use it: checked, and never below a floor."""

import math

import torch
from torch import Tensor

from acutance.errors import InputError


def floored(log_scale: Tensor, sr: Tensor, loss: str, *, least: float) -> Tensor:
    """log sqrt(exp(log_scale)^2 + least^2), in the type of `sr`.

    The two variances add, as if the target were also rounded: smooth, so that a spread under the
    floor still has a gradient, and finite for every log_scale, exp of which may not be. Without
    a floor one pixel that is met exactly drives the loss to minus infinity.
    """
    if not least > 0:
        raise InputError(
            f"{loss} needs a smallest spread above 0, not {least}; 1/1024 is a quarter of a level."
        )
    if log_scale.shape != sr.shape:
        size = "x".join(map(str, log_scale.shape))
        wanted = "x".join(map(str, sr.shape))
        raise InputError(
            f"{loss} takes one log_scale for each value of sr: it has shape {size}, sr {wanted}."
        )
    floor = sr.new_full((), 2 * math.log(least))
    return torch.logaddexp(2 * log_scale.to(sr.dtype), floor) / 2
