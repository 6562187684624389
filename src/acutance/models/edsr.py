"""EDSR: residual blocks without normalisation at low resolution, then pixel shuffles."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.models.preset import Preset

PRESETS: dict[str, Preset] = {
    "baseline": Preset(
        parameters=1_369_859,
        reach=36,
        channels=3,
        source="Lim et al., CVPRW 2017, baseline",
    ),
    "full": Preset(
        parameters=40_729_603,
        reach=68,
        channels=3,
        source="Lim et al., CVPRW 2017, EDSR",
        arguments={"blocks": 32, "features": 256, "residual_scaling": 0.1},
    ),
    "tiny": Preset(
        parameters=31_043,
        reach=12,
        channels=3,
        source="sized for two cores",
        arguments={"features": 16, "blocks": 4},
    ),
}

# of the 800 training pictures of DIV2K, in [0, 1]; the authors' figures
DIV2K_RGB_MEAN = (0.4488, 0.4371, 0.4040)
DIV2K_LUMA_MEAN = 0.4378  # the same through BT.601: (65.481 R + 128.553 G + 24.966 B + 16) / 255


class Edsr(nn.Module):
    """Lim, Son, Kim, Nah, Lee: Enhanced Deep Residual Networks (CVPR Workshops 2017), sec. 3.

    `blocks` of conv, ReLU, conv, times `residual_scaling`, plus their input; one convolution and
    a sum over all blocks; convolutions and pixel shuffles up to hr (twice x2 for x4). Layers are
    named as the authors name them.

    The mean of DIV2K is taken off before and put back after, as fixed numbers that are neither
    trained nor saved: pictures are [0, 1] on both sides. The authors do the same by two frozen
    1x1 convolutions over 0..255, which their parameter counts leave out.
    """

    scales = (2, 3, 4)
    mean: Tensor

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 64,
        blocks: int = 16,
        residual_scaling: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        # 1 for the first convolution, 2 for each block, 1 behind them, 2 for tail and last: the
        # tail's later convolutions see less than one lr pixel more, together one
        self.reach = 1 + 2 * blocks + 1 + 2
        mean = DIV2K_RGB_MEAN if channels == 3 else (DIV2K_LUMA_MEAN,) * channels
        on_cpu = torch.tensor(mean, device="cpu").reshape(1, -1, 1, 1)
        self.register_buffer("mean", on_cpu, persistent=False)
        self.head = nn.Sequential(_conv(channels, features))
        chain = [Block(features=features, scaling=residual_scaling) for _ in range(blocks)]
        self.body = nn.Sequential(*chain, _conv(features, features))
        self.tail = nn.Sequential(_enlarge(features, scale), _conv(features, channels))

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.head(lr - self.mean)
        return self.tail(self.body(first) + first) + self.mean


class Block(nn.Module):
    """conv, ReLU, conv, times `scaling`, plus the input."""

    def __init__(self, *, features: int, scaling: float) -> None:
        super().__init__()
        self.scaling = scaling
        self.body = nn.Sequential(
            _conv(features, features), nn.ReLU(inplace=True), _conv(features, features)
        )

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        return x + self.scaling * self.body(x)


def _conv(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=3, padding=1)


def _enlarge(features: int, scale: int) -> nn.Sequential:
    steps = (2, 2) if scale == 4 else (scale,)
    layers: list[nn.Module] = []
    for step in steps:
        layers += [_conv(features, features * step**2), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)
