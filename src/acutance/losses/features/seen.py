"""A pair of pictures as a network sees it: what every loss of features starts from."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import weighted_layers
from acutance.losses.features.networks import Pooling, feature_network
from acutance.losses.inputs import prepared

Net = Literal["vgg19", "vgg16", "alexnet", "squeezenet", "small", "pixels"]
Weights = Literal["trained", "random"]
Maps = list[tuple[float, Tensor, Tensor]]


class Seen(nn.Module):
    """Gives (weight, map of sr, map of hr) for each layer; hr goes through without a gradient."""

    def __init__(
        self,
        loss: str,
        net: str,
        layers: Mapping[str, float],
        *,
        weights: str = "trained",
        seed: int = 0,
        pooling: Pooling = "max",
    ) -> None:
        super().__init__()
        self.loss, self.net, self.weights_of = loss, net, dict(layers)
        self.network = feature_network(
            net, tuple(layers), weights=weights, seed=seed, pooling=pooling
        )
        self.least = least_side(net=net)

    def forward(self, sr: Tensor, hr: Tensor) -> Maps:
        sr, hr = self.checked(sr, hr)
        mine = self.network(sr)
        theirs = self.constant(hr)
        return [(weight, mine[name], theirs[name]) for name, weight in self.weights_of.items()]

    def checked(self, sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
        """The pair as `prepared` gives it, of a size and colour that the network can see."""
        sr, hr = prepared(sr, hr, self.loss, min_side=self.least)
        if sr.shape[1] not in (1, 3):
            raise InputError(
                f"{self.loss} sees pictures of 1 or 3 channels, grey or RGB; these have "
                f"{sr.shape[1]}."
            )
        return sr, hr

    def constant(self, pictures: Tensor) -> dict[str, Tensor]:
        """The maps of pictures that nothing is learnt from."""
        with torch.no_grad():
            return self.network(pictures)


def seen(loss: str, net: str, layers: str, usual: Mapping[str, str], *, weights: str) -> Seen:
    """What `loss` sees by the options that all losses of features have."""
    return Seen(loss, net, weighted_layers(layers, net, usual), weights=weights)


def in_all(values: list[Tensor]) -> Tensor:
    """The sum of (n,) tensors."""
    return torch.stack(values).sum(dim=0)


def one_of(loss: str, option: str, value: str, known: tuple[str, ...]) -> str:
    """`value`, or InputError where it is none of `known`."""
    if value not in known:
        raise InputError(f"{loss}'s {option} is one of {', '.join(known)}, not {value!r}.")
    return value
