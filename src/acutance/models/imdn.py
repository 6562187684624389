"""IMDN: blocks that set a quarter of their features aside after each convolution."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acutance.models.card import Bound
from acutance.models.preset import Preset

PRESETS: dict[str, Preset] = {
    "64": Preset(
        parameters=694_404,
        reach=None,
        channels=3,
        source="Hui et al., ACM MM 2019",
    ),
}

LEAKY_SLOPE = 0.05
BLOCKS = 6  # written into the layers' names


class Imdn(nn.Module):
    """Hui, Gao, Yang, Wang: Information Multi-Distillation Network (ACM Multimedia 2019).

    Sec. 3: six blocks in a row, their outputs joined by a 1x1 convolution, one pixel shuffle.
    Layers are named as the authors name them. The contrast attention of each block takes mean
    and deviation over the whole picture, so every pixel matters to every other.
    """

    scales = (2, 3, 4)
    reach = None
    bound = Bound(tile=128, overlap=48, levels=46.0, rms=2.0)

    def __init__(self, *, scale: int, channels: int = 3, features: int = 64) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.fea_conv = _conv3(channels, features)
        for number in range(1, BLOCKS + 1):
            self.add_module(f"IMDB{number}", DistillationBlock(features))
        self.c = nn.Sequential(nn.Conv2d(BLOCKS * features, features, 1), _leaky())
        self.LR_conv = _conv3(features, features)
        self.upsampler = nn.Sequential(
            _conv3(features, channels * scale**2), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.fea_conv(lr)
        x, outputs = first, []
        for number in range(1, BLOCKS + 1):
            x = self.get_submodule(f"IMDB{number}")(x)
            outputs.append(x)
        return self.upsampler(self.LR_conv(self.c(torch.cat(outputs, dim=1))) + first)


class DistillationBlock(nn.Module):
    """Four convolutions, each on what the one before did not set aside; attention; the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kept = features // 4
        self.passed = features - self.kept
        self.c1 = _conv3(features, features)
        self.c2 = _conv3(self.passed, features)
        self.c3 = _conv3(self.passed, features)
        self.c4 = _conv3(self.passed, self.kept)
        self.cca = ContrastAttention(features)
        self.c5 = nn.Conv2d(4 * self.kept, features, 1)
        self.activation = _leaky()

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        kept, passed = [], x
        for conv in (self.c1, self.c2, self.c3):
            part, passed = self.activation(conv(passed)).split((self.kept, self.passed), dim=1)
            kept.append(part)
        kept.append(self.c4(passed))
        return self.c5(self.cca(torch.cat(kept, dim=1))) + x


class ContrastAttention(nn.Module):
    """Each channel times a weight, from its mean plus its deviation over the picture (sec. 3.3)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        squeezed = max(features // 16, 1)
        self.conv_du = nn.Sequential(
            nn.Conv2d(features, squeezed, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(squeezed, features, 1),
            nn.Sigmoid(),
        )
        with torch.no_grad():  # what goes in is mostly positive: so none of so few begins dead
            self.conv_du[0].weight.abs_()  # pyright: ignore[reportCallIssue]

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        mean = x.mean(dim=(2, 3), keepdim=True)
        variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
        # the root's slope at 0 is infinite: a flat picture would leave no finite gradient
        deviation = variance.clamp(min=1e-12).sqrt()
        return x * self.conv_du(deviation + mean)


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True)


def _conv3(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=3, padding=1)
