"""PAN: residual blocks with attention pixel by pixel, before and behind the enlargement."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.preset import Preset
from acutance.models.upsamplers import Bilinear, tail_reach

PRESETS: dict[str, Preset] = {
    "40-16": Preset(
        parameters=261_403,
        reach=36,
        channels=3,
        source="Zhao et al., ECCVW 2020",
    ),
}

LEAKY_SLOPE = 0.2


class Pan(nn.Module):
    """Zhao, Kong, He, Qiao, Dong: Efficient Image Super-Resolution Using Pixel Attention (2020).

    Sec. 3: `blocks` of two branches at lr size; then, for each factor, nearest enlargement,
    convolution, attention, convolution; the bilinear enlargement of lr is added. Attention is a
    sigmoid of a 1x1 convolution, so nothing here sees the whole picture. Layers are named as the
    authors name them.
    """

    scales = (2, 3, 4)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 40,
        tail_features: int = 24,
        blocks: int = 16,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.factors = (2, 2) if scale == 4 else (scale,)
        steps = tuple((factor, 2) for factor in self.factors)
        # 1 for the first convolution, 2 for each block, 1 behind them; conv_last stands at hr
        self.reach = 1 + 2 * blocks + 1 + tail_reach((*steps[:-1], (steps[-1][0], 3)))
        self.conv_first = _conv3(channels, features)
        self.SCPA_trunk = nn.Sequential(*(SelfCalibrated(features) for _ in range(blocks)))
        self.trunk_conv = _conv3(features, features)
        before = features
        for number in range(1, len(self.factors) + 1):
            self.add_module(f"upconv{number}", _conv3(before, tail_features))
            self.add_module(f"att{number}", PixelAttention(tail_features))
            self.add_module(f"HRconv{number}", _conv3(tail_features, tail_features))
            before = tail_features
        self.conv_last = _conv3(tail_features, channels)
        self.activation = _leaky()
        self.bilinear = Bilinear(scale=scale, channels=channels)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.conv_first(lr)
        x = first + self.trunk_conv(self.SCPA_trunk(first))
        for number, factor in enumerate(self.factors, start=1):
            x = self.get_submodule(f"upconv{number}")(F.interpolate(x, scale_factor=factor))
            x = self.activation(self.get_submodule(f"att{number}")(x))
            x = self.activation(self.get_submodule(f"HRconv{number}")(x))
        return self.conv_last(x) + F.pixel_shuffle(self.bilinear(lr), self.scale)


class SelfCalibrated(nn.Module):
    """Two branches of half the features, the second weighed pixel by pixel; plus the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        self.conv1_a = nn.Conv2d(features, half, 1, bias=False)
        self.conv1_b = nn.Conv2d(features, half, 1, bias=False)
        self.k1 = nn.Sequential(_conv3(half, half, bias=False))
        self.PAConv = AttentiveConv(half)
        self.conv3 = nn.Conv2d(2 * half, features, 1, bias=False)
        self.activation = _leaky()

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        a = self.activation(self.k1(self.activation(self.conv1_a(x))))
        b = self.activation(self.PAConv(self.activation(self.conv1_b(x))))
        return self.conv3(torch.cat([a, b], dim=1)) + x


class AttentiveConv(nn.Module):
    """A convolution times a weight of each pixel, then another."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.k2 = nn.Conv2d(features, features, 1)
        self.k3 = _conv3(features, features, bias=False)
        self.k4 = _conv3(features, features, bias=False)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        return self.k4(self.k3(x) * self.k2(x).sigmoid())


class PixelAttention(nn.Module):
    """Every value times a weight that its own pixel's features give."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(features, features, 1)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        return x * self.conv(x).sigmoid()


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True)


def _conv3(before: int, after: int, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=3, padding=1, bias=bias)
