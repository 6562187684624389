"""The activations that a chain of convolutions may be given, by name."""

from torch import nn

from acutance.catalog import nearest
from acutance.errors import InputError

LEAKY_SLOPE = 0.1
SLOPES = {"leaky_relu": LEAKY_SLOPE, "prelu": 0.25, "relu": 0.0}  # PReLU's: where it begins


def make_activation(name: str, features: int) -> nn.Module:
    """A new layer of that name; all but "prelu" (one slope per channel) work in place."""
    kinds = {
        "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
        "prelu": lambda: nn.PReLU(features),
        "relu": lambda: nn.ReLU(inplace=True),
    }
    if name not in kinds:
        raise InputError(f"Unknown activation '{name}'. {nearest(name, kinds)}")
    return kinds[name]()
