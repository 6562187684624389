"""VDSR: a deep chain that corrects the bicubic enlargement."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.preset import Preset
from acutance.models.starts import he_start
from acutance.models.upsamplers import Bicubic, reach_over_bicubic

PRESETS: dict[str, Preset] = {
    "20": Preset(
        parameters=665_921,
        reach=12,
        channels=1,
        source="Kim et al., CVPR 2016, 20 layers",
    ),
    "tiny": Preset(
        parameters=9_585,
        reach=5,
        channels=1,
        source="sized for two cores",
        arguments={"features": 16, "layers": 6},
    ),
}


class Vdsr(nn.Module):
    """Kim, Lee, Lee: Accurate Image Super-Resolution Using Very Deep Networks (CVPR 2016).

    Sec. 3.1: `layers` 3x3 convolutions with ReLU between them over the bicubic enlargement, whose
    sum with the enlargement is the result. The enlargement happens inside; each file is for one
    scale, where the authors trained one network for all.
    """

    scales = (2, 3, 4)

    def __init__(
        self, *, scale: int, channels: int = 1, features: int = 64, layers: int = 20
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.reach = reach_over_bicubic(layers, scale)
        self.bicubic = Bicubic(scale=scale, channels=channels)
        chain: list[nn.Module] = [nn.Conv2d(channels, features, kernel_size=3, padding=1)]
        for _ in range(layers - 2):
            chain += [nn.ReLU(inplace=True), nn.Conv2d(features, features, 3, padding=1)]
        chain += [nn.ReLU(inplace=True), nn.Conv2d(features, channels, 3, padding=1)]
        self.layers = nn.Sequential(*chain)
        he_start(self)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        enlarged = F.pixel_shuffle(self.bicubic(lr), self.scale)
        return enlarged + self.layers(enlarged)
