"""Compact: a plain chain of 3x3 convolutions that corrects a fixed enlargement."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.activations import SLOPES, make_activation
from acutance.models.entry import entry_convolution, entry_multiple
from acutance.models.preset import Preset
from acutance.models.starts import he_start, near_zero_start
from acutance.models.upsamplers import enlargement, mirrored_to_multiple

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
    "x1-tiny": Preset(
        parameters=133_408,
        reach=16,
        channels=1,
        source="restoration at x1, sized for two cores",
        arguments={"features": 48, "convolutions": 6, "unshuffle": 2},
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

    With `unshuffle` or `strided` m (see entry.py) the network works at 1/m of the size of lr, where
    a layer costs m^2 times less: the last convolution gives (scale m)^2 phases, shuffled once, and
    the enlargement of lr itself is added. A piece must then begin at a `multiple` of m. Sides that
    m does not divide are widened by the mirrored picture, and the result is cut.
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
        unshuffle: int = 1,
        strided: int = 1,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.unshuffle = unshuffle
        self.multiple = entry_multiple(unshuffle=unshuffle, strided=strided)
        self.enlarge = enlargement(skip, scale=scale, channels=channels)
        # one for each 3x3, and a strided kernel covers no more; more than any enlargement needs
        self.reach = self.multiple * (convolutions + 2)
        first = entry_convolution(channels, features, unshuffle=unshuffle, strided=strided)
        chain: list[nn.Module] = [first, make_activation(activation, features)]
        for _ in range(convolutions):
            chain += [nn.Conv2d(features, features, kernel_size=3, padding=1)]
            chain += [make_activation(activation, features)]
        phases = channels * (scale * self.multiple) ** 2
        last = nn.Conv2d(features, phases, kernel_size=3, padding=1)
        self.body = nn.Sequential(*chain, last)
        he_start(self, slope=SLOPES[activation])
        near_zero_start(last)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        if self.multiple == 1:
            return F.pixel_shuffle(self.body(lr) + self.enlarge(lr), self.scale)
        height, width = lr.shape[2] * self.scale, lr.shape[3] * self.scale
        lr = mirrored_to_multiple(lr, self.multiple)
        own = self.body(F.pixel_unshuffle(lr, self.unshuffle) if self.unshuffle > 1 else lr)
        sr = F.pixel_shuffle(own, self.scale * self.multiple)
        sr = sr + F.pixel_shuffle(self.enlarge(lr), self.scale)
        return sr[:, :, :height, :width]
