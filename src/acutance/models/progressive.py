"""Progressive: one chain for every octave, where each level goes on from the one before."""

from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.models.activations import SLOPES, make_activation
from acutance.models.levels import depth_of, given, level_name, octaves
from acutance.models.preset import Preset
from acutance.models.starts import he_start, near_zero_start
from acutance.models.upsamplers import enlargement

PRESETS: dict[str, Preset] = {
    "tiny": Preset(
        parameters=32_356,
        reach=8,
        channels=1,
        source="sized for two cores",
        arguments={"features": 24, "convolutions": 6, "at": "lr"},
    ),
    "octave": Preset(
        parameters=304_140,
        reach=10,
        channels=3,
        source="a pyramid of the size of its first level's compact",
        arguments={"features": 64, "convolutions": 8, "at": "octave"},
    ),
}

PLACES = ("lr", "octave")


class Progressive(nn.Module):
    """A network for all scales up to its own, whose levels are parts of one another.

    A 3x3 convolution with activation, then at each level `convolutions` more, and an exit: a
    convolution to the correction of a bicubic enlargement, as phases, shuffled once. Two layouts:

    - at="lr": all features stay at the size of the lr. Level k corrects the enlargement of the
      lr by 2^k. Level 1 is `compact` with as many convolutions, level 2 one with twice as many.
    - at="octave": the features are doubled from level to level by a convolution and a pixel
      shuffle, and level k corrects the enlargement by 2 of the picture of level k - 1.

    Growing generators layer by layer: Karras et al., Progressive Growing of GANs (ICLR 2018);
    for super-resolution Wang et al., ProSR (CVPR Workshops 2018), sec. 3. Chains as in `compact`.
    """

    grows = True
    scales = (2, 4, 8)

    def __init__(
        self,
        *,
        scale: int,
        channels: int = 3,
        features: int = 64,
        convolutions: int = 8,
        activation: str = "leaky_relu",
        at: str = "lr",
    ) -> None:
        super().__init__()
        if at not in PLACES:
            raise InputError(f"The constant 'at' is no '{at}'. {nearest(at, PLACES)}")
        self.scale = scale
        self.channels = channels
        self.outputs = tuple(level_name(level) for level in octaves(scale)[:-1])
        self._doubles = at == "octave"
        self.reach = _reach(len(octaves(scale)), convolutions, doubles=self._doubles)
        first = nn.Conv2d(channels, features, kernel_size=3, padding=1)
        self.head = nn.Sequential(first, make_activation(activation, features))
        self.levels = nn.ModuleList()
        for level in octaves(scale):
            factor = 2 if self._doubles else level
            chain = _chain(features, convolutions, activation, self._doubles and level > 2)
            self.levels.append(_Level(factor, channels, chain))
        he_start(self, slope=SLOPES[activation])
        for made in self.levels:
            near_zero_start(cast(nn.Conv2d, made.exit))

    def forward(
        self, lr: Float[Tensor, "n c h w"], upto: int | None = None
    ) -> Float[Tensor, "n c sh sw"] | dict[str, Float[Tensor, "n c _ _"]]:
        features, pictures = self.head(lr), [lr]
        depth = depth_of(upto, self.scale)
        for number, level in enumerate(cast(list[_Level], self.levels[:depth]), start=1):
            features = level.chain(features)
            # a level that nobody looks at is passed through without its picture
            if self.training or number == depth or self._doubles:
                pictures.append(level(features, pictures[-1] if self._doubles else lr))
        return given(pictures[1:], self.training)


class _Level(nn.Module):
    """The layers of one level: its chain, and its exit beside an enlargement by `factor`."""

    def __init__(self, factor: int, channels: int, chain: nn.Sequential) -> None:
        super().__init__()
        self.factor = factor
        self.enlarge = enlargement("bicubic", scale=factor, channels=channels)
        self.chain = chain
        self.exit = nn.Conv2d(_width(chain), channels * factor**2, kernel_size=3, padding=1)

    def forward(self, features: Tensor, picture: Tensor) -> Tensor:
        return F.pixel_shuffle(self.exit(features) + self.enlarge(picture), self.factor)


def _chain(features: int, convolutions: int, activation: str, doubled: bool) -> nn.Sequential:
    """The convolutions of a level, with the doubling of the features first where it is asked."""
    chain: list[nn.Module] = []
    if doubled:
        chain += [nn.Conv2d(features, 4 * features, 3, padding=1), nn.PixelShuffle(2)]
        chain += [make_activation(activation, features)]
    for _ in range(convolutions):
        chain += [nn.Conv2d(features, features, kernel_size=3, padding=1)]
        chain += [make_activation(activation, features)]
    return nn.Sequential(*chain)


def _width(chain: nn.Sequential) -> int:
    return [m for m in chain if isinstance(m, nn.Conv2d)][-1].out_channels


def _reach(levels: int, convolutions: int, *, doubles: bool) -> int:
    """Followed back along the features, which see farther than any enlargement."""
    if not doubles:
        return 1 + levels * convolutions + 1
    first, last = 0, 2**levels - 1
    for _ in range(levels):
        first, last = first // 2 - 1, last // 2 + 1  # the exit's phases, or the doubling's
        first, last = first - convolutions, last + convolutions
    return max(1 - first, last + 1)
