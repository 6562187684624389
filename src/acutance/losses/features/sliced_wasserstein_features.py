"""Sliced Wasserstein of features: how feature vectors are spread, seen from many directions."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side, width
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.projected_distribution import moved
from acutance.losses.features.seen import Net, Weights, in_all, seen

CONTRACT = Contract(
    source="Heitz, Vanhoey, Chambon, Belcour: A Sliced Wasserstein Loss (CVPR 2021), sec. 3.2",
    injective=False,
    blind_to=("permutation",),
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=120,
    proof={"net": "pixels", "projections": 16},
)


class SlicedWassersteinFeatures(nn.Module):
    """Sum over layers of w times the mean over directions p and places of |sorted - sorted|.

    Every place of a map is a vector; its products with a direction of length 1 are sorted, of sr
    and of hr, and compared one by one: the Wasserstein distance along p. 0 along all directions
    only if the vectors are the same in any order. The directions are drawn once from `seed`;
    their number sets the noise of the estimate, which falls as its root. The paper takes the
    square of the difference and new directions in each step.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        projections: int = 64,
        seed: int = 0,
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        if projections < 1 or not 0 <= seed < 2**32:
            raise InputError(
                f"sliced_wasserstein_features has 1 projection or more and a seed in 0 to "
                f"2^32 - 1, not projections={projections} and seed={seed}."
            )
        self.seen = seen("sliced_wasserstein_features", net, layers, AFTER_RELU, weights=weights)
        generator = np.random.RandomState(seed)
        for name in self.seen.weights_of:
            drawn = generator.standard_normal((projections, width(net, name)))
            drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
            kernel = torch.from_numpy(drawn)[:, :, None]
            self.register_buffer(f"along_{name}", kernel, persistent=False)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        maps = zip(self.seen.weights_of, self.seen(sr, hr), strict=True)
        return in_all([weight * self._distance(name, x, y) for name, (weight, x, y) in maps])

    def _distance(self, name: str, x: Tensor, y: Tensor) -> Tensor:
        kernel = self.get_buffer(f"along_{name}").to(x.dtype)
        x, y = (m.expand(-1, kernel.shape[1], -1, -1) for m in (x, y))  # grey as RGB
        with torch.autocast(x.device.type, enabled=False):  # it would convolve in bfloat16
            seen_along = [F.conv1d(m.flatten(2), kernel) for m in (x, y)]
        return moved(*(m[..., None] for m in seen_along)).sum(dim=1) / kernel.shape[0]
