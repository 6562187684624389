"""Projected distribution: which values each feature takes, wherever they are."""

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.seen import Net, Weights, in_all, seen

CONTRACT = Contract(
    source="Delbracio, Talebi, Milanfar: Projected Distribution Loss (ICCP 2021), eq. 5",
    injective=False,
    blind_to=("permutation",),
    symmetric=True,
    degree=None,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=16,
    proof={"net": "pixels"},
)


class ProjectedDistribution(nn.Module):
    """Sum over layers of w times the sum over channels of the 1-D Wasserstein distance W1.

    W1 of a channel is the mean over the places of |sorted map of sr - sorted map of hr|: how far
    its values have to be moved until they are those of hr, in any order. `layers` as in
    `gram_style`. Blind to where things are: use it beside a loss that is not.
    """

    def __init__(
        self, *, net: Net = "vgg19", layers: str = "usual", weights: Weights = "trained"
    ) -> None:
        super().__init__()
        self.seen = seen("projected_distribution", net, layers, AFTER_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all([weight * moved(x, y).sum(dim=1) for weight, x, y in self.seen(sr, hr)])


def moved(x: Float[Tensor, "n c h w"], y: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c"]:
    """W1 between the values of each channel."""
    ordered, wanted = (maps.flatten(2).sort(dim=2, stable=True).values for maps in (x, y))
    return (ordered - wanted).abs().sum(dim=2) / x.shape[2:].numel()
