"""Random features: differences between what an untrained network sees; needs no weights."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.perceptual import CRITERIA, mean_difference
from acutance.losses.features.seen import Seen, in_all, one_of

CONTRACT = Contract(
    source="He, Wang, Hopcroft: A Powerful Generative Model Using Random Weights (NIPS 2016)",
    symmetric=True,
    min_size=16,
    channels=(1, 3),
    memory=90,
)


class RandomFeatures(nn.Module):
    """Mean over `depth` layers of the mean of |phi_l(sr) - phi_l(hr)| per picture.

    phi_l is the l-th convolution, before its ReLU, of a network of 3 x 3 kernels with 32, 64,
    128, 128, 128 maps, without bias, with means of 2 x 2 between: its kernels are drawn once
    from `seed`, orthogonal and with the variance 2 / fan-in, and never trained. The 32 kernels
    of the first layer span all 27 values of a neighbourhood, so that no error goes unseen; the
    deeper ones weigh errors that belong together.
    """

    def __init__(
        self, *, depth: int = 4, criterion: Literal["l1", "mse"] = "l1", seed: int = 0
    ) -> None:
        super().__init__()
        if not 1 <= depth <= 5:
            raise InputError(f"random_features has 1 to 5 layers, not depth={depth}.")
        if not 0 <= seed < 2**32:
            raise InputError(f"random_features's seed lies in 0 to 2^32 - 1, not {seed}.")
        self.criterion = one_of("random_features", "criterion", criterion, CRITERIA)
        layers = {f"conv{k}": 1 / depth for k in range(1, depth + 1)}
        self.seen = Seen("random_features", "small", layers, weights="random", seed=seed)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all(
            [weight * mean_difference(x, y, self.criterion) for weight, x, y in self.seen(sr, hr)]
        )
