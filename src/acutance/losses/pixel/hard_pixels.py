"""Hard pixels: the mean absolute error of the worst part of each picture alone."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.inputs import prepared

CONTRACT = Contract(
    source="Shrivastava, Gupta, Girshick: Online Hard Example Mining (CVPR 2016), sec. 4",
    symmetric=True,
    degree=1,
    memory=4.5,
    exceptions={"out_of_range": "only the worst quarter of the pixels is pulled, by design"},
)


def hard_pixels(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    fraction: float = 0.25,
    of: Literal["pixels", "values"] = "pixels",
) -> Float[Tensor, " n"]:
    """Mean of the k largest |sr - hr| of each picture, k = fraction of them, at least one.

    `of` "pixels" ranks the h w pixels by the mean over their channels, "values" each of the
    c h w numbers by itself. fraction = 1 is l1. Of equal errors at the cut some get the gradient
    and others do not; the value is the same.
    """
    if not 0 < fraction <= 1:
        raise InputError(f"hard_pixels' fraction lies above 0 and up to 1, not {fraction}.")
    if of not in ("pixels", "values"):
        raise InputError(f"hard_pixels' of is 'pixels' or 'values', not {of!r}.")
    sr, hr = prepared(sr, hr, "hard_pixels")
    error = (sr - hr).abs()
    if of == "pixels":
        error = error.mean(dim=1)
    error = error.flatten(1)
    k = max(1, int(fraction * error.shape[1]))
    return torch.topk(error, k, dim=1, sorted=False).values.mean(dim=1)
