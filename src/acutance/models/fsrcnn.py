"""FSRCNN: a narrow chain at low resolution, enlarged by one deconvolution."""

from jaxtyping import Float
from torch import Tensor, nn

from acutance.models.preset import Preset
from acutance.models.starts import draw_normal, he_start

PRESETS: dict[str, Preset] = {
    "56-12-4": Preset(
        parameters=12_809,
        reach=8,
        channels=1,
        source="Dong et al., ECCV 2016, (56, 12, 4)",
    ),
    "tiny": Preset(
        parameters=4_086,
        reach=5,
        channels=1,
        source="Dong et al., ECCV 2016, FSRCNN-s (32, 5, 1)",
        arguments={"features": 32, "narrow": 5, "mappings": 1},
    ),
}


class Fsrcnn(nn.Module):
    """Dong, Loy, Tang: Accelerating the Super-Resolution Convolutional Network (ECCV 2016).

    Sec. 3.2: 5x5 to `features` (d), 1x1 down to `narrow` (s), `mappings` (m) times 3x3, 1x1 up
    again, then a 9x9 deconvolution of stride scale; a PReLU with one slope per channel after each
    convolution.
    """

    scales = (2, 3, 4)  # the authors'; a stride beyond 4 leaves gaps between the 9x9 stamps

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 1,
        features: int = 56,
        narrow: int = 12,
        mappings: int = 4,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        # halves of 5x5 and of each 3x3, and the lr pixels under one 9x9 stamp: hr pixel o is
        # touched by lr pixel i where i scale - 4 <= o <= i scale + 4
        self.reach = 2 + mappings + (scale + 3) // scale
        chain: list[nn.Module] = [nn.Conv2d(channels, features, kernel_size=5, padding=2)]
        chain += [nn.PReLU(features), nn.Conv2d(features, narrow, kernel_size=1)]
        for _ in range(mappings):
            chain += [nn.PReLU(narrow), nn.Conv2d(narrow, narrow, kernel_size=3, padding=1)]
        chain += [nn.PReLU(narrow), nn.Conv2d(narrow, features, kernel_size=1)]
        self.layers = nn.Sequential(*chain, nn.PReLU(features))
        he_start(self, slope=0.25)  # where PReLU's slopes begin
        self.enlarge = nn.ConvTranspose2d(
            features, channels, kernel_size=9, stride=scale, padding=4, output_padding=scale - 1
        )
        # sec. 4.1: 0.001 for the deconvolution, which has no activation behind it
        draw_normal(self.enlarge.weight, std=1e-3)
        nn.init.zeros_(self.enlarge.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        return self.enlarge(self.layers(lr))
