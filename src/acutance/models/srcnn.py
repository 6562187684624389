"""SRCNN: three convolutions over the bicubic enlargement."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.preset import Preset
from acutance.models.starts import he_start
from acutance.models.upsamplers import Bicubic, reach_over_bicubic

PRESETS: dict[str, Preset] = {
    "955": Preset(
        parameters=57_281,
        reach=6,
        channels=1,
        source="Dong et al., TPAMI 2016, 9-5-5",
        arguments={"middle": 5},
    ),
    "915": Preset(
        parameters=8_129,
        reach=5,
        channels=1,
        source="Dong et al., ECCV 2014, 9-1-5",
        arguments={"middle": 1},
    ),
    "tiny": Preset(
        parameters=3_553,
        reach=5,
        channels=1,
        source="half the features of 9-1-5",
        arguments={"features": 32, "middle": 1},
    ),
}


class Srcnn(nn.Module):
    """Dong, Loy, He, Tang: Image Super-Resolution Using Deep Convolutional Networks (TPAMI 2016).

    Sec. 3.1: 9x9 to `features`, `middle` x `middle` to half of them, 5x5 to the picture. The
    bicubic enlargement happens inside, so that the network takes lr like all others. Departures:
    zeros around the picture instead of a smaller result, and He's first weights instead of a
    fixed deviation of 0.001, which needs the authors' 10^8 steps.
    """

    scales = (2, 3, 4)

    def __init__(
        self, *, scale: int, channels: int = 1, features: int = 64, middle: int = 5
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.reach = reach_over_bicubic(4 + middle // 2 + 2, scale)
        self.bicubic = Bicubic(scale=scale, channels=channels)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, features, kernel_size=9, padding=4),
            nn.ReLU(inplace=True),
            nn.Conv2d(features, features // 2, kernel_size=middle, padding=middle // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(features // 2, channels, kernel_size=5, padding=2),
        )
        he_start(self)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        return self.layers(F.pixel_shuffle(self.bicubic(lr), self.scale))
