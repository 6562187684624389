"""Compact: a plain chain of 3x3 convolutions that corrects a fixed enlargement."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.activations import SLOPES, make_activation
from acutance.models.preset import Preset
from acutance.models.starts import he_start, near_zero_start
from acutance.models.upsamplers import enlargement

PRESETS: dict[str, Preset] = {
    "small": Preset(
        parameters=56_964,
        reach=8,
        channels=1,
        source="sized for two cores",
        arguments={"features": 32, "convolutions": 6, "skip": "bicubic"},
    ),
    "nano": Preset(
        parameters=14_660,
        reach=8,
        channels=1,
        source="sized for two cores",
        arguments={"features": 16, "convolutions": 6, "skip": "bicubic"},
    ),
    "video": Preset(
        parameters=600_652,
        reach=18,
        channels=3,
        source="Real-ESRGAN, anime video v3",
        arguments={"features": 64, "convolutions": 16, "activation": "prelu"},
    ),
    "general": Preset(
        parameters=1_192_524,
        reach=34,
        channels=3,
        source="Real-ESRGAN, general v3",
        arguments={"features": 64, "convolutions": 32, "activation": "prelu"},
    ),
    "tiny": Preset(
        parameters=34_524,
        reach=8,
        channels=3,
        source="sized for two cores; in the community's layout",
        arguments={"features": 24, "convolutions": 6},
    ),
}


class Compact(nn.Module):
    """The layout of "SRVGGNetCompact" (Wang et al., Real-ESRGAN, its repository's v0.2.5, 2022).

    Convolution, activation, then `convolutions` times the same, then a convolution to scale^2
    phases, which are added to those of the enlargement `skip` ("nearest" or "bicubic") and
    shuffled once. Layers are numbered as there, so the community's files load.

    `activation` is "prelu" (one slope per channel; the published models), "leaky_relu" (slope
    0.1) or "relu". The latter two work in place and cost nothing beside the convolutions, where
    PReLU takes 15 to 30 % of a training step on two cores. The last layer begins near zero, so
    that training begins at the plain enlargement.
    """

    scales = (1, 2, 3, 4, 8)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 64,
        convolutions: int = 16,
        activation: str = "leaky_relu",
        skip: str = "nearest",
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.enlarge = enlargement(skip, scale=scale, channels=channels)
        self.reach = convolutions + 2  # one for each 3x3; more than any enlargement needs
        chain: list[nn.Module] = []
        before = channels
        for _ in range(convolutions + 1):
            chain += [nn.Conv2d(before, features, kernel_size=3, padding=1)]
            chain += [make_activation(activation, features)]
            before = features
        last = nn.Conv2d(before, channels * scale**2, kernel_size=3, padding=1)
        self.body = nn.Sequential(*chain, last)
        he_start(self, slope=SLOPES[activation])
        near_zero_start(last)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        return F.pixel_shuffle(self.body(lr) + self.enlarge(lr), self.scale)
