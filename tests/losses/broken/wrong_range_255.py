"""SSIM for pictures from 0 to 255, given pictures from 0 to 1: its constants drown them."""

from torch import Tensor
from torch.nn.functional import avg_pool2d

from acutance.losses.inputs import prepared


def wrong_range_255(sr: Tensor, hr: Tensor, *, data_range: float = 255.0) -> Tensor:
    x, y = prepared(sr, hr, "wrong_range_255", min_side=7)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mx, my = (avg_pool2d(v, 7, 1) for v in (x, y))
    xx, yy, xy = (avg_pool2d(a * b, 7, 1) for a, b in ((x, x), (y, y), (x, y)))
    vx, vy, vxy = xx - mx * mx, yy - my * my, xy - mx * my
    top = (2 * mx * my + c1) * (2 * vxy + c2)
    return 1 - (top / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean(dim=(1, 2, 3))
