"""Texture matching: which features occur together, patch by patch of the map."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.gram_style import CRITERIA, gram
from acutance.losses.features.layers import AFTER_RELU
from acutance.losses.features.seen import Net, Weights, in_all, one_of, seen

CONTRACT = Contract(
    source="Sajjadi, Schoelkopf, Hirsch: EnhanceNet (ICCV 2017), sec. 4.2.3",
    injective=False,
    blind_to=("mirrored blocks",),  # exactly of 1 x 1 features
    symmetric=True,
    min_size=16,
    min_size_for=least_side,
    channels=(1, 3),
    memory=6,
    proof={"net": "pixels"},
)
_VGG = "0.3*relu2_1 + relu3_1 + relu4_1"
USUAL = {**AFTER_RELU, "vgg19": _VGG, "vgg16": _VGG}


class TextureMatching(nn.Module):
    """Sum over layers of w times the mean over patches and c x c entries of (G(sr) - G(hr))^2.

    G = F F^T / (c p^2) of each patch of p x p places of the map, without overlap; a patch that
    hangs over the edge has zeros there, and a map smaller than a patch is one. Unlike
    `gram_style` it sees where in the picture a texture is, to within a patch. criterion "l1"
    takes |G(sr) - G(hr)|. The paper's weights 3e-7, 1e-6, 1e-6 for relu2_1, relu3_1, relu4_1
    belong to matrices without a divisor; their ratio is kept.
    """

    def __init__(
        self,
        *,
        net: Net = "vgg19",
        layers: str = "usual",
        patch: int = 16,
        criterion: Literal["l1", "mse"] = "mse",
        weights: Weights = "trained",
    ) -> None:
        super().__init__()
        if patch < 1:
            raise InputError(f"texture_matching's patch is 1 place or more, not {patch}.")
        self.patch = patch
        self.criterion = one_of("texture_matching", "criterion", criterion, CRITERIA)
        self.seen = seen("texture_matching", net, layers, USUAL, weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all([weight * self._distance(x, y) for weight, x, y in self.seen(sr, hr)])

    def _distance(self, x: Tensor, y: Tensor) -> Tensor:
        difference = self._grams(x) - self._grams(y)
        sizes = difference.abs() if self.criterion == "l1" else difference.square()
        return sizes.sum(dim=(1, 2, 3)) / sizes.shape[1:].numel()

    def _grams(self, maps: Tensor) -> Float[Tensor, "n patches c c"]:
        n, c, h, w = maps.shape
        p = self.patch
        down, across = -(-h // p), -(-w // p)
        whole = F.pad(maps, (0, across * p - w, 0, down * p - h))
        cut = whole.view(n, c, down, p, across, p).permute(0, 2, 4, 1, 3, 5)
        found = gram(cut.reshape(n * down * across, c, p, p), c * p**2)
        return found.view(n, down * across, c, c)
