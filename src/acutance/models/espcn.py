"""ESPCN: three convolutions at low resolution, then one pixel shuffle."""

from jaxtyping import Float
from torch import Tensor, nn

from acutance.models.preset import Preset

PRESETS: dict[str, Preset] = {
    "533": Preset(
        parameters=21_284,
        reach=4,
        channels=1,
        source="Shi et al., CVPR 2016, 5-3-3",
    ),
    "tiny": Preset(
        parameters=6_036,
        reach=4,
        channels=1,
        source="half the features of 5-3-3",
        arguments={"features": 32},
    ),
}


class Espcn(nn.Module):
    """Shi et al., Real-Time Single Image and Video Super-Resolution (CVPR 2016), sec. 3.2.

    5x5 to `features`, 3x3 to half of them, 3x3 to scale^2 phases; tanh, which the authors found
    better than ReLU for so small a network.
    """

    scales = (2, 3, 4)
    reach = 4  # lr pixels: half of kernels 5, 3 and 3

    def __init__(self, *, scale: int, channels: int = 1, features: int = 64) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.layers = nn.Sequential(
            nn.Conv2d(channels, features, kernel_size=5, padding=2),
            nn.Tanh(),
            nn.Conv2d(features, features // 2, kernel_size=3, padding=1),
            nn.Tanh(),
            nn.Conv2d(features // 2, channels * scale**2, kernel_size=3, padding=1),
            nn.PixelShuffle(scale),
        )

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        return self.layers(lr)
