"""DISTS: structure and texture by means and correlations of features; forgiving of moved grain."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.losses.contract import Contract
from acutance.losses.features.architectures import width
from acutance.losses.features.seen import Seen, Weights, one_of
from acutance.losses.features.stored import stored_tensors
from acutance.losses.features.weights import shapes_of

CONTRACT = Contract(
    source="Ding, Ma, Wang, Simoncelli: Image Quality Assessment: Unifying (TPAMI 2020), eq. 7",
    symmetric=True,
    min_size=16,
    channels=(1, 3),
    memory=130,
    proof={"net": "small", "weights": "random"},
)
LAYERS = {
    "vgg16": ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
    "small": ("relu1", "relu2", "relu3", "relu4"),
}
STEADY = 1e-6  # c1 and c2


class DISTS(nn.Module):
    """1 - sum over maps of (alpha l + beta s) per picture, between 0 and 1 where alpha, beta >= 0.

    For each channel of the picture itself and of relu1_2 to relu5_3 of VGG16, with smooth pools:
    l = (2 mx my + c) / (mx^2 + my^2 + c) of the means over the picture, s = (2 sxy + c) /
    (sx^2 + sy^2 + c) of the variances and the covariance, c = 1e-6. alpha and beta were fitted to
    people's judgements; they are divided by their sum, so that equal pictures have exactly 0:
    1 - l and 1 - s are computed as (mx - my)^2 / (...) and var(x - y) / (...). With
    weights="random" all maps of a random network count the same.
    """

    def __init__(
        self, *, net: Literal["vgg16", "small"] = "vgg16", weights: Weights = "trained"
    ) -> None:
        super().__init__()
        layers = LAYERS[one_of("dists", "net", net, tuple(LAYERS))]
        self.seen = Seen("dists", net, dict.fromkeys(layers, 1.0), weights=weights, pooling="l2")
        self.widths = [3, *(width(net, name) for name in layers)]
        even = torch.ones(1, sum(self.widths), 1, 1)
        heads = {"alpha": even, "beta": even}
        if weights == "trained":
            heads = stored_tensors("dists", shapes_of("dists"))
        total = heads["alpha"].double().sum() + heads["beta"].double().sum()
        for name in ("alpha", "beta"):
            share = heads[name].double().flatten() / total
            self.register_buffer(name, share.detach(), persistent=False)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        sr, hr = self.seen.checked(sr, hr)
        pairs = [(sr.expand(-1, 3, -1, -1), hr.expand(-1, 3, -1, -1))]
        pairs += [(x, y) for _, x, y in self.seen(sr, hr)]
        brightness, structure = zip(*(unlikeness(x, y) for x, y in pairs), strict=True)
        alpha, beta = self.get_buffer("alpha"), self.get_buffer("beta")
        return (torch.cat(brightness, dim=1) * alpha.to(sr.dtype)).sum(dim=1) + (
            torch.cat(structure, dim=1) * beta.to(sr.dtype)
        ).sum(dim=1)


def unlikeness(
    x: Float[Tensor, "n c h w"], y: Float[Tensor, "n c h w"]
) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n c"]]:
    """1 - l and 1 - s of each channel."""
    mx, my = x.mean(dim=(2, 3)), y.mean(dim=(2, 3))
    dx, dy = x - mx[..., None, None], y - my[..., None, None]
    variances = dx.square().mean(dim=(2, 3)) + dy.square().mean(dim=(2, 3))
    brightness = (mx - my).square() / (mx.square() + my.square() + STEADY)
    return brightness, (dx - dy).square().mean(dim=(2, 3)) / (variances + STEADY)
