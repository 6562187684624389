"""Perceptual: differences between what a trained network sees in both pictures."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import BEFORE_RELU
from acutance.losses.features.seen import Net, Weights, in_all, one_of, seen
from acutance.losses.inputs import mean_per_picture

CONTRACT = Contract(
    source="Johnson, Alahi, Fei-Fei: Perceptual Losses (ECCV 2016); layers of Real-ESRGAN (2021)",
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=90,
    proof={"net": "small", "weights": "random"},
)
CRITERIA = ("l1", "mse")


class Perceptual(nn.Module):
    """Sum over the layers l of w_l times the mean of |phi_l(sr) - phi_l(hr)| per picture.

    phi_l is the map of layer l in the network `net`, which is not trained; criterion "mse" takes
    squares. `layers` is a text such as "0.1*conv1_2 + conv5_4"; "usual" are, for VGG19, conv1_2
    and conv2_2 with 0.1 and conv3_4, conv4_4, conv5_4 with 1, before the ReLU, after which most
    of block 5 is 0. Means, unlike sums, make the weights of layers comparable and the value that
    of any patch size. weights="random" needs no file; "small" is a random network of ours.

    Deep layers see little of small errors: use it beside a pixel loss. The maps that are kept
    for the gradient are large: those of 64 channels in block 1 alone are 21 times sr each.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        criterion: Literal["l1", "mse"] = "l1",
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        self.criterion = one_of("perceptual", "criterion", criterion, CRITERIA)
        self.seen = seen("perceptual", net, layers, BEFORE_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all(
            [weight * mean_difference(x, y, self.criterion) for weight, x, y in self.seen(sr, hr)]
        )


def mean_difference(x: Tensor, y: Tensor, criterion: str) -> Tensor:
    """Mean of |x - y|, or of its square, per picture."""
    difference = x - y
    return mean_per_picture(difference.abs() if criterion == "l1" else difference.square())
