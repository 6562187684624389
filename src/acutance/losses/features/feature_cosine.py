"""Feature cosine: the angle between the feature vectors of each place, their length left aside."""

from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.lpips import directions
from acutance.losses.features.seen import Net, Weights, in_all, seen

CONTRACT = Contract(
    source="Salton, McGill: Introduction to Modern Information Retrieval (1983); of features",
    injective=False,
    blind_to=("gain",),  # of the pixels, exactly; a network sees pictures less their mean
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=8,
    proof={"net": "pixels"},
)


class FeatureCosine(nn.Module):
    """Sum over layers l of w_l times the mean over places of 1 - cos(phi_l(sr), phi_l(hr)).

    In [0, 2] for a layer. Computed as |u - v|^2 / 2 of the vectors of length 1, which loses no
    digits where they are nearly equal. `layers` as in `gram_style`, after the ReLU.
    """

    def __init__(
        self, *, net: Net = "vgg19", layers: str = "usual", weights: Weights = "trained"
    ) -> None:
        super().__init__()
        self.seen = seen("feature_cosine", net, layers, AFTER_RELU, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all([weight * _angles(x, y) for weight, x, y in self.seen(sr, hr)])


def _angles(x: Tensor, y: Tensor) -> Tensor:
    squares = (directions(x) - directions(y)).square().sum(dim=(1, 2, 3))
    return squares / (2 * x.shape[2:].numel())
