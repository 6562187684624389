"""SRResNet: the generator of SRGAN, residual blocks at low resolution between 9x9 convolutions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models.preset import Preset
from acutance.models.starts import he_start
from acutance.models.upsamplers import tail_reach

PRESETS: dict[str, Preset] = {
    "plain": Preset(
        parameters=1_398_659,
        reach=40,
        channels=3,
        source="Ledig et al., CVPR 2017, without batch norm",
    ),
    "paper": Preset(
        parameters=1_400_771,
        reach=40,
        channels=3,
        source="Ledig et al., CVPR 2017; counted from the definition",
        arguments={"norm": "batch"},
    ),
    "tiny": Preset(
        parameters=11_539,
        reach=16,
        channels=3,
        source="sized for two cores",
        arguments={"features": 8, "blocks": 4},
    ),
}

PRELU_SLOPE = 0.25  # where PReLU's slopes begin
FIRST_WEIGHTS = 0.1
"""Times He's in the blocks, as in ESRGAN: 16 sums of equal parts make values 256 times as large."""
NORMS = ("none", "batch")


class Srresnet(nn.Module):
    """Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a GAN (CVPR 2017).

    Sec. 2.1: 9x9 to `features`; `blocks` of conv, norm, PReLU, conv, norm, plus their input; conv,
    norm and a sum over all blocks; for each factor of the scale (2, 3, 2 2 or 2 2 2) conv, pixel
    shuffle, PReLU; 9x9 to the picture. PReLUs have one slope per channel.

    `norm` is "batch", as published, or "none", which later work prefers: statistics of training
    pictures, used on others, leave artefacts (Wang et al., ESRGAN, ECCVW 2018, sec. 3.1).
    With it, a batch taken in parts (optim.accumulate) is normalised part by part, and convolutions
    before a norm have no bias, which it would take off again.

    Departure: pictures are [0, 1] on both sides, where the paper's hr are [-1, 1].
    """

    scales = (2, 3, 4, 8)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 64,
        blocks: int = 16,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        factors = (3,) if scale == 3 else (2,) * (scale.bit_length() - 1)
        # behind the last shuffle 9x9, which sees as far as four 3x3, behind the others the next 3x3
        tail = [(factor, 1) for factor in factors[:-1]] + [(factors[-1], 4)]
        # 4 for the first, 2 for each block, 1 behind them, 1 before the first shuffle
        self.reach = 4 + 2 * blocks + 1 + 1 + tail_reach(tail)
        self.head = nn.Sequential(_conv9(channels, features), nn.PReLU(features))
        chain = [Block(features=features, norm=norm) for _ in range(blocks)]
        self.body = nn.Sequential(*chain, *_normed(features, norm))
        enlarging = [layer for factor in factors for layer in _enlarge(features, factor)]
        self.tail = nn.Sequential(*enlarging, _conv9(features, channels))
        he_start(self, slope=PRELU_SLOPE)
        with torch.no_grad():
            for conv in self.body.modules():
                if isinstance(conv, nn.Conv2d):
                    conv.weight *= FIRST_WEIGHTS

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.head(lr)
        return self.tail(self.body(first) + first)


class Block(nn.Module):
    """conv, norm, PReLU, conv, norm, plus the input."""

    def __init__(self, *, features: int, norm: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_normed(features, norm), nn.PReLU(features), *_normed(features, norm)
        )

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        return x + self.body(x)


def _normed(features: int, norm: str) -> list[nn.Module]:
    """A 3x3 convolution with the normalisation of that name."""
    if norm not in NORMS:
        raise InputError(f"Unknown norm '{norm}'. {nearest(norm, NORMS)}")
    if norm == "none":
        return [nn.Conv2d(features, features, kernel_size=3, padding=1)]
    conv = nn.Conv2d(features, features, kernel_size=3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(features)]


def _enlarge(features: int, factor: int) -> list[nn.Module]:
    conv = nn.Conv2d(features, features * factor**2, kernel_size=3, padding=1)
    return [conv, nn.PixelShuffle(factor), nn.PReLU(features)]


def _conv9(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=9, padding=4)
