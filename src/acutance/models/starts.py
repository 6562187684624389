"""First weights of networks."""

import math

from torch import Tensor, nn


def he_start(network: nn.Module, *, slope: float = 0.0) -> None:
    """Draw the weights of every convolution so that signals keep their size from layer to layer.

    Normal with standard deviation sqrt(2 / ((1 + slope^2) fan_in)); biases are 0. `slope` is that
    of the leaky activation between the layers. He, Zhang, Ren, Sun: Delving Deep into Rectifiers
    (ICCV 2015), sec. 2.2.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            draw_normal(module.weight, std=math.sqrt(2 / ((1 + slope**2) * fan_in)))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def near_zero_start(last: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Let a network's own part begin as almost nothing beside the enlargement it is added to.

    A thousandth of the usual size: under a grey level in the picture, and not 0, which would
    keep every layer before it from learning in the first step.
    """
    draw_normal(last.weight, std=1e-3 * math.sqrt(2 / last.weight[0].numel()))
    if last.bias is not None:
        nn.init.zeros_(last.bias)


def draw_normal(weight: Tensor, *, std: float) -> None:
    """Fill `weight` from torch's global generator; nothing where it has no memory ("meta").

    Drawing nothing there by torch's own means would import its compiler, which takes as long as
    the whole of torch: x2 in the time to a first picture.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)
