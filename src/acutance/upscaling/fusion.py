"""Layers joined for inference: batch norm into its convolution, activation to convolution."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_norms(network: nn.Module) -> None:
    """Take each batch norm of `network`, in eval mode, into the convolution right before it.

    There it is a fixed factor and a fixed offset for each channel, and so needs no pass of its own.
    """
    for chain in network.modules():
        if isinstance(chain, nn.Sequential):
            for place in range(len(chain) - 1):
                conv, norm = chain[place], chain[place + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    chain[place] = fuse_conv_bn_eval(conv, norm)
                    chain[place + 1] = nn.Identity()


def fuse(network: nn.Module) -> bool:
    """Join each convolution in `network` to the activation behind it; say whether it was done.

    For inference on the CPU in float32 only. The primitive has no public name in torch, so it is
    tried first; where it is missing or wrong, the network stays as it is.
    """
    if not _primitive_works():
        return False
    for chain in network.modules():
        if isinstance(chain, nn.Sequential):
            _fuse_chain(chain)
    return True


class FusedConv(nn.Module):
    """A convolution with the activation behind it as one oneDNN primitive."""

    def __init__(self, conv: nn.Conv2d, activation: nn.ReLU | nn.LeakyReLU) -> None:
        super().__init__()
        self.conv = conv
        is_leaky = isinstance(activation, nn.LeakyReLU)
        self.name = "leaky_relu" if is_leaky else "relu"
        self.constants = [activation.negative_slope] if is_leaky else []

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        return torch.ops.mkldnn._convolution_pointwise(
            x,
            conv.weight,
            conv.bias,
            conv.padding,
            conv.stride,
            conv.dilation,
            conv.groups,
            self.name,
            self.constants,
            "",
        )


def _fuse_chain(chain: nn.Sequential) -> None:
    for place in range(len(chain) - 1):
        conv, activation = chain[place], chain[place + 1]
        if not isinstance(conv, nn.Conv2d):
            continue
        if not isinstance(activation, nn.ReLU | nn.LeakyReLU):
            continue
        if conv.padding_mode == "zeros" and not isinstance(conv.padding, str):
            chain[place] = FusedConv(conv, activation)
            chain[place + 1] = nn.Identity()


@cache
def _primitive_works() -> bool:
    """Whether the primitive exists here and computes what the two layers compute."""
    if not torch.backends.mkldnn.is_available():
        return False
    conv, activation = nn.Conv2d(3, 16, 3, padding=1), nn.LeakyReLU(0.1)
    x = torch.linspace(-1, 1, 3 * 64).reshape(1, 3, 8, 8)
    with torch.inference_mode():
        try:
            found = FusedConv(conv, activation)(x)
        except (AttributeError, RuntimeError, TypeError):  # renamed, or not built in
            return False
        return torch.allclose(found, activation(conv(x)), atol=1e-5)
