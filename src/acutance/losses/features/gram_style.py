"""Gram style: which features occur together, wherever they are: texture without its place."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.products import product
from acutance.losses.features.seen import Net, Weights, in_all, one_of, seen

CONTRACT = Contract(
    source="Gatys, Ecker, Bethge: Image Style Transfer (CVPR 2016), sec. 2.2; Johnson et al. 2016",
    injective=False,
    blind_to=("permutation",),  # exactly of 1 x 1 features; larger ones see the neighbourhood
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=4,
    proof={"net": "pixels"},
    exceptions={
        "descends": "the steps of 0.002 in every pixel are too long for the few sums that it "
        "compares; shorter ones descend"
    },
)
NORMALISATIONS = ("chw", "hw", "none", "gatys")
CRITERIA = ("l1", "mse")


class GramStyle(nn.Module):
    """Sum over layers l of w_l times the mean of |G_l(sr) - G_l(hr)| over the c x c entries.

    G = F F^T / (c h w) for the map F as c rows of h w places; criterion "mse" takes squares.
    `normalise` is the divisor: "chw" (Johnson), "hw", "none", or "gatys": no divisor, and the sum
    of squares over 4 c^2 (h w)^2, with the criterion left aside. They differ by factors of
    10^4 and more, and without a divisor the value grows with the fourth power of the side. The
    weight of one cannot be used for another. Layers after the ReLU: relu1_1 to relu5_1 of VGG19,
    relu1_2, relu2_2, relu3_3, relu4_3 of VGG16.

    Where something is in the picture is not compared: use it beside a loss that does so.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        normalise: Literal["chw", "hw", "none", "gatys"] = "chw",
        criterion: Literal["l1", "mse"] = "l1",
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        self.normalise = one_of("gram_style", "normalise", normalise, NORMALISATIONS)
        self.criterion = one_of("gram_style", "criterion", criterion, CRITERIA)
        self.seen = seen("gram_style", net, layers, AFTER_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all([weight * self._distance(x, y) for weight, x, y in self.seen(sr, hr)])

    def _distance(self, x: Tensor, y: Tensor) -> Tensor:
        c, h, w = x.shape[1:]
        divisor = {"chw": c * h * w, "hw": h * w, "none": 1, "gatys": 1}[self.normalise]
        difference = gram(x, divisor) - gram(y, divisor)
        if self.normalise == "gatys":
            return difference.square().sum(dim=(1, 2)) / (2 * c * h * w) ** 2
        sizes = difference.abs() if self.criterion == "l1" else difference.square()
        return sizes.sum(dim=(1, 2)) / c**2


def gram(maps: Float[Tensor, "n c h w"], divisor: float) -> Float[Tensor, "n c c"]:
    """F F^T / divisor; divided before the product, so that the sum over places stays small."""
    rows = maps.flatten(2) / divisor**0.5
    return product(rows, rows.mT)
