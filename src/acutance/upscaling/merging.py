"""Convolutions that are trained as several branches, as the one that they compute."""

from copy import deepcopy

from torch import nn


def merged(network: nn.Module) -> nn.Module:
    """`network`, or a copy in which every module that can be `merged` is a plain convolution.

    Such modules compose their kernel anew in every pass, which training needs. Engines and files
    have no use for it: it takes time there, and leaves weights in ONNX that nothing reads.
    """
    if not any(hasattr(module, "merged") for module in network.modules()):
        return network
    copy = deepcopy(network)
    for module in list(copy.modules()):
        for name, child in module.named_children():
            if hasattr(child, "merged"):
                setattr(module, name, child.merged())  # pyright: ignore
    return copy
