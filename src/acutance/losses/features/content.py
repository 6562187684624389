"""Content: the squared error times alpha, of the pixels or of what a network sees."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import BEFORE_RELU
from acutance.losses.features.seen import Net, Weights, in_all, one_of, seen

REDUCTIONS = ("mean", "sum")


def smallest_side(*, net: str = "pixels") -> int:
    """Where the network has its maps, in pixels."""
    return least_side(net=net)


CONTRACT = Contract(
    source="alpha ||G(F(x)) - HR||^2; with net='vgg19' Ledig et al.: SRGAN (CVPR 2017), eq. 5",
    symmetric=True,
    degree=2,
    min_size=16,
    min_size_for=smallest_side,
    channels=(1, 3),
    memory=4.5,
)


class Content(nn.Module):
    """alpha times the mean of (sr - hr)^2 per picture; reduction "sum" is the literal norm.

    With "sum" the value is c h w times as large, so that its weight depends on the crop. With
    another `net` than "pixels" the sum over its layers l of w_l times the mean (or sum) of
    (phi_l(sr) - phi_l(hr))^2: what others call a content or perceptual loss.
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        reduction: Literal["mean", "sum"] = "mean",
        net: Net = "pixels",
        layers: str = "usual",
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.reduction = one_of("content", "reduction", reduction, REDUCTIONS)
        self.seen = seen("content", net, layers, BEFORE_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return self.alpha * in_all(
            [weight * squares(x, y, self.reduction) for weight, x, y in self.seen(sr, hr)]
        )


def squares(x: Tensor, y: Tensor, reduction: str) -> Tensor:
    """Sum, or mean, of (x - y)^2 per picture."""
    total = (x - y).square().sum(dim=(1, 2, 3))
    return total if reduction == "sum" else total / x.shape[1:].numel()
