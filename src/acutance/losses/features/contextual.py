"""Contextual: every feature of the target is to be found somewhere in the result."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.lpips import directions
from acutance.losses.features.products import product
from acutance.losses.features.seen import Net, Weights, in_all, seen

CONTRACT = Contract(
    source="Mechrez, Talmi, Zelnik-Manor: The Contextual Loss (ECCV 2018), eqs. 1 to 4",
    at_identity=None,
    injective=False,
    blind_to=("mirrored blocks",),  # means of 4 x 4 in another order; any order, of places
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=30,
    proof={"net": "pixels", "positions": 192},
    exceptions={
        "out_of_range": "of the result only places that some place of hr is most like are pulled; "
        "nothing is clamped",
        "tiling": "a place shares its likeness out among all places of hr, so that beside four "
        "copies of each none gets much",
    },
)
EPS = 1e-5  # the authors'
USUAL = {**AFTER_RELU, "vgg19": "relu3_2 + relu4_2", "vgg16": "relu3_2 + relu4_2"}


class Contextual(nn.Module):
    """Sum over layers of w times -log of the mean over j of max_i CX_ij per picture.

    d_ij = 1 - cos of the features at place i of sr and j of hr, less the mean feature of hr; each
    row is divided by min_k d_ik + 1e-5, and CX_ij = exp((1 - d_ij) / h) over its sum over j: how
    much i is like j and like nothing else. `bandwidth` is h. Of larger maps the means
    of k x k places are taken, so that at most `positions` are left: the table has their square
    as its size. (The authors draw places; means leave no pixel without a gradient.) The cosines
    are products in float64, since 1 - cos of all but equal features has no digits in float32.
    Not 0 for equal pictures, since no place is like only itself; blind to where things are.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        bandwidth: float = 0.5,
        positions: int = 4225,
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        if not bandwidth > 0 or positions < 2:
            raise InputError(
                f"contextual's bandwidth lies above 0 and its positions are 2 or more, not "
                f"bandwidth={bandwidth} and positions={positions}."
            )
        self.bandwidth, self.positions = bandwidth, positions
        self.seen = seen("contextual", net, layers, USUAL, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all([weight * self._unlikeness(x, y) for weight, x, y in self.seen(sr, hr)])

    def _unlikeness(self, x: Tensor, y: Tensor) -> Tensor:
        exact = x.dtype if x.device.type == "mps" else torch.float64  # which Apple's has not
        few, wanted = (_few(maps.to(exact), self.positions) for maps in (x, y))
        centre = wanted.mean(dim=(2, 3), keepdim=True)
        u, v = (directions(maps - centre).flatten(2) for maps in (few, wanted))
        distance = (1 - product(u.mT, v)).to(x.dtype)
        relative = distance / (distance.amin(dim=2, keepdim=True) + EPS)
        alike = torch.softmax(-relative / self.bandwidth, dim=2)
        return -alike.amax(dim=1).mean(dim=1).log()


def _few(maps: Tensor, positions: int) -> Tensor:
    """Means of k x k places, with the least k that leaves no more than `positions`."""
    h, w = maps.shape[2:]
    k = 1
    while -(-h // k) * -(-w // k) > positions:
        k += 1
    return F.avg_pool2d(maps, k, ceil_mode=True, count_include_pad=False) if k > 1 else maps
