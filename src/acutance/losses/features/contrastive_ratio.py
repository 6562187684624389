"""Contrastive ratio: near to the target, measured by how far it is from plain enlargement."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.colour.resampling import resampled
from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.layers import AFTER_RELU, weighted_layers
from acutance.losses.features.perceptual import mean_difference
from acutance.losses.features.seen import Net, Seen, Weights, in_all

CONTRACT = Contract(
    source="Wu et al.: AECR-Net (CVPR 2021), eq. 3; Wang et al.: CSD (IJCAI 2021)",
    needs=("lr",),
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=110,
    proof={"net": "small", "weights": "random"},
)
TINY = 1e-6
_VGG = "0.03125*relu1_1 + 0.0625*relu2_1 + 0.125*relu3_1 + 0.25*relu4_1 + relu5_1"
USUAL = {
    **AFTER_RELU,
    "vgg19": _VGG,
    "vgg16": _VGG,
    "small": "0.125*relu1 + 0.25*relu2 + 0.5*relu3 + relu4",
}


class ContrastiveRatio(nn.Module):
    """Sum over layers of w d(sr, hr) / max(d(sr, n), floor d(hr, n)), n the bicubic enlargement.

    d is the mean of |difference| of the layer's maps per picture. Layers and weights of AECR-Net:
    the 1st, 3rd, 5th, 9th and 13th convolution of VGG19 with 1/32, 1/16, 1/8, 1/4, 1. There the
    divisor is d(sr, n) alone, which is 0 for a network that starts as bicubic enlargement, with a
    gradient that grows as 1 / d^2; `floor` times the target's own distance keeps it away. `lr` is
    the picture that was enlarged; n and hr are constants.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        floor: float = 0.1,
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        if not floor > 0:
            raise InputError(f"contrastive_ratio's floor must be above 0, not {floor}.")
        self.floor = floor
        given = weighted_layers(layers, net, USUAL)
        self.seen = Seen("contrastive_ratio", net, given, weights=weights)

    def forward(
        self,
        sr: Float[Tensor, "n c h w"],
        hr: Float[Tensor, "n c h w"],
        *,
        lr: Tensor,
    ) -> Float[Tensor, " n"]:
        sr, hr = self.seen.checked(sr, hr)
        if lr.ndim != 4 or lr.shape[:2] != sr.shape[:2]:
            raise InputError(
                f"contrastive_ratio's lr are as many pictures of as many channels as sr, not "
                f"{tuple(lr.shape)} beside {tuple(sr.shape)}."
            )
        enlarged = resampled(lr.detach().to(sr.dtype), sr.shape[2], sr.shape[3])
        away = self.seen.constant(enlarged)
        parts = []
        for (name, weight), (_, x, y) in zip(
            self.seen.weights_of.items(), self.seen(sr, hr), strict=True
        ):
            n = away[name]
            least = self.floor * mean_difference(y, n, "l1") + TINY
            parts.append(
                weight
                * mean_difference(x, y, "l1")
                / torch.maximum(mean_difference(x, n, "l1"), least)
            )
        return in_all(parts)
