"""RLFN: short residual blocks with attention from a much smaller copy of the features."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.models.card import Bound
from acutance.models.preset import Preset
from acutance.models.upsamplers import mirrored_to

PRESETS: dict[str, Preset] = {
    "52": Preset(
        parameters=526_856,
        reach=None,
        channels=3,
        source="Kong et al., CVPRW 2022",
    ),
}

LEAKY_SLOPE = 0.05
BLOCKS = 6  # written into the layers' names
ATTENTION_FEATURES = 16
SMALLEST = 15  # lr pixels: a convolution of stride 2 leaves 7, the pooling's window
PUBLISHED_PEAK = 255.0  # white in the pictures that the authors' files were trained on


class Rlfn(nn.Module):
    """Kong et al.: Residual Local Feature Network (CVPR Workshops 2022), sec. 3.

    Six blocks of three convolutions and attention, one convolution, one pixel shuffle. Layers are
    named as the authors name them. The authors' files work on 0..255, this network on [0, 1] as
    all others do: `folded` makes the one from the other.

    The attention pools with stride 6 over windows that begin at the picture's corner and stretches
    the result over its whole size: a piece of a picture gives another attention, hence no reach.
    Departure: where a side is under 15 pixels, which the pooling cannot take, the attention sees
    the features mirrored until they are large enough.
    """

    scales = (2, 3, 4)
    reach = None
    bound = Bound(tile=128, overlap=48, levels=52.0, rms=2.7)

    def __init__(self, *, scale: int, channels: int = 3, features: int = 52) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.conv_1 = _conv3(channels, features)
        for number in range(1, BLOCKS + 1):
            self.add_module(f"block_{number}", ResidualLocalBlock(features))
        self.conv_2 = _conv3(features, features)
        self.upsampler = nn.Sequential(
            _conv3(features, channels * scale**2), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        first = self.conv_1(lr)
        x = first
        for number in range(1, BLOCKS + 1):
            x = self.get_submodule(f"block_{number}")(x)
        return self.upsampler(self.conv_2(x) + first)


class ResidualLocalBlock(nn.Module):
    """Three convolutions with activation, plus the input; a 1x1 convolution; attention."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.c1_r = _conv3(features, features)
        self.c2_r = _conv3(features, features)
        self.c3_r = _conv3(features, features)
        self.c5 = nn.Conv2d(features, features, 1)
        self.esa = SpatialAttention(features)
        self.activation = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        y = self.activation(self.c1_r(x))
        y = self.activation(self.c2_r(y))
        y = self.activation(self.c3_r(y))
        return self.esa(self.c5(y + x))


class SpatialAttention(nn.Module):
    """Each value times a weight from its surroundings, seen at a sixth of the size (fig. 4)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        inner = ATTENTION_FEATURES
        self.conv1 = nn.Conv2d(features, inner, 1)
        self.conv_f = nn.Conv2d(inner, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, kernel_size=3, stride=2)
        self.conv3 = _conv3(inner, inner)
        self.conv4 = nn.Conv2d(inner, features, 1)

    def forward(self, x: Float[Tensor, "n f h w"]) -> Float[Tensor, "n f h w"]:
        narrow = self.conv1(x)
        large = mirrored_to(narrow, lambda side: side + (SMALLEST - 1) // side * side)
        small = self.conv3(F.max_pool2d(self.conv2(large), kernel_size=7, stride=3))
        spread = F.interpolate(small, large.shape[2:], mode="bilinear", align_corners=False)
        spread = spread[:, :, : x.shape[2], : x.shape[3]]
        return x * self.conv4(spread + self.conv_f(narrow)).sigmoid()


def folded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a file that works on 0..255 as those of the same function on [0, 1].

    With p = 255, the first convolution gives W (p x) + b = (p W) x + b, and the last
    (V y + c) / p = (V / p) y + c / p; zeros around a picture stay zeros. Nothing between changes.
    """
    factors = {
        "conv_1.weight": PUBLISHED_PEAK,
        "upsampler.0.weight": 1 / PUBLISHED_PEAK,
        "upsampler.0.bias": 1 / PUBLISHED_PEAK,
    }
    return {
        name: (tensor.double() * factors[name]).float() if name in factors else tensor
        for name, tensor in tensors.items()
    }


def _conv3(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel_size=3, padding=1)
