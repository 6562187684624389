"""Style: squared differences of features, place by place; `gram_style` is the one by texture."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.content import REDUCTIONS, squares
from acutance.losses.features.layers import BEFORE_RELU
from acutance.losses.features.seen import Net, Weights, in_all, one_of, seen

CONTRACT = Contract(
    source="beta sum_i sum_s ||phi_i(G(F(x))) - phi_i(HR)||^2 over layers i and places s",
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=90,
    proof={"net": "small", "weights": "random"},
)


class Style(nn.Module):
    """beta times the sum over layers l of w_l times the mean of (phi_l(sr) - phi_l(hr))^2.

    reduction "sum" sums over places and channels as the formula is written, so that the value
    grows with the crop and layers of many maps outweigh the others; "mean" does not. It compares
    place by place: what most papers call a perceptual loss, and not the Gram matrices that they
    call style (`gram_style`). `layers` as in `perceptual`.
    """

    def __init__(
        self,
        *,
        beta: float = 1.0,
        reduction: Literal["mean", "sum"] = "mean",
        net: Net = "vgg19",
        layers: str = "usual",
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        self.beta = beta
        self.reduction = one_of("style", "reduction", reduction, REDUCTIONS)
        self.seen = seen("style", net, layers, BEFORE_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return self.beta * in_all(
            [weight * squares(x, y, self.reduction) for weight, x, y in self.seen(sr, hr)]
        )
