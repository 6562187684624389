"""LPIPS: distance of two pictures as people judged it, from features of a trained network."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.contract import Contract
from acutance.losses.features.architectures import least_side
from acutance.losses.features.seen import Seen, Weights, in_all
from acutance.losses.features.stored import stored_tensors
from acutance.losses.features.weights import shapes_of

NETS = {
    "alex": ("alexnet", ("relu1", "relu2", "relu3", "relu4", "relu5")),
    "vgg": ("vgg16", ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")),
    "squeeze": ("squeezenet", ("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")),
}


def smallest_side(*, net: str = "alex") -> int:
    """Where the last map has a pixel."""
    return least_side(net=NETS[net][0] if net in NETS else net)


CONTRACT = Contract(
    source="Zhang, Isola, Efros, Shechtman, Wang: Unreasonable Effectiveness (CVPR 2018), eq. 1",
    symmetric=True,
    min_size=31,
    min_size_for=smallest_side,
    channels=(1, 3),
    memory=20,
    proof={"weights": "random"},
    exceptions={
        "descends": "the value falls, but the pixels come 2.7 dB nearer to hr and not 3: the first "
        "layer of AlexNet is taken at every fourth pixel"
    },
)
EPS = 1e-10  # added to a squared length: no slope above 1e5, and 1e-10 of a length of 1


class LPIPS(nn.Module):
    """Sum over layers of the mean over places of sum_c w_c (u_c(sr) - u_c(hr))^2 per picture.

    u is the vector of a place's features divided by its length, w the heads of version 0.1 that
    were fitted to the judgements of people, none below 0. Pictures are in [0, 1]: what the
    authors do with [-1, 1] is the same map. The authors add 1e-10 to the length outside the
    root, whose slope at a place without any feature is no number; here it stands under the root,
    and the value is theirs to seven digits. weights="random" draws network and heads.

    A trained network can be pleased by patterns that people see: use it beside a pixel loss.
    """

    def __init__(
        self, *, net: Literal["alex", "vgg", "squeeze"] = "alex", weights: Weights = "trained"
    ) -> None:
        super().__init__()
        if net not in NETS:
            raise InputError(f"lpips's net is one of {', '.join(NETS)}, not {net!r}.")
        backbone, layers = NETS[net]
        self.heads = len(layers)
        shapes = shapes_of(f"lpips_{net}")
        heads = (
            drawn_heads(shapes) if weights == "random" else stored_tensors(f"lpips_{net}", shapes)
        )
        for k in range(self.heads):
            head = heads[f"lin{k}.weight"]
            if head.min() < 0:
                raise InputError(
                    f"The heads of lpips_{net} have numbers below 0, which would reward "
                    f"differences. Load them anew by 'acutance weights get lpips_{net}'."
                )
            self.register_buffer(f"head{k}", head.detach(), persistent=False)
        self.seen = Seen("lpips", backbone, dict.fromkeys(layers, 1.0), weights=weights)

    def forward(
        self, sr: Float[Tensor, "n c h w"], hr: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        return in_all(
            [
                self._distance(getattr(self, f"head{k}"), x, y)
                for k, (_, x, y) in enumerate(self.seen(sr, hr))
            ]
        )

    def _distance(self, head: Tensor, x: Tensor, y: Tensor) -> Tensor:
        difference = (directions(x) - directions(y)).square() * head.to(x.dtype)
        return difference.sum(dim=(1, 2, 3)) / x.shape[2:].numel()


def directions(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Each place's vector divided by its length."""
    return maps * (maps.square().sum(dim=1, keepdim=True) + EPS).rsqrt()


def drawn_heads(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Numbers in [0, 2 / channels), whose sum is about 1; always the same."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.rand(shape, generator=generator) * 2 / shape[1]
        for name, shape in shapes.items()
    }
