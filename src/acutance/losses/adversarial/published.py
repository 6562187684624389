"""Discriminators as papers have them, but for the normalisation of the batch.

It would let pictures see their neighbours, and a batch in parts would be another one. In its place
stands what gan puts there: spectral normalisation, or a fine for the slope.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.losses.adversarial.layer import SLOPE, Layer, Sides, seen_through
from acutance.losses.adversarial.tiny import vgg_sides


class PaperPatch(nn.Module):
    """A judgement for about every 8th pixel, each of 70 x 70 pixels around it.

    Isola et al., Image-to-Image Translation (CVPR 2017), appendix 6.1.2: C64-C128-C256-C512 of
    4x4 and a last 4x4; the last two do not halve. 2,764,737 parameters, the count that the
    authors' program prints for CycleGAN, whose normalisation has none; theirs of the batch would
    add 1,792 and drop the 896 offsets before it.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        sides = [
            Sides(3, width, 4, stride=2),
            Sides(width, 2 * width, 4, stride=2),
            Sides(2 * width, 4 * width, 4, stride=2),
            Sides(4 * width, 8 * width, 4),
        ]
        self.down = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer(Sides(8 * width, 1, 4), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the four layers before them."""
        seen = seen_through(self.down, pictures, learning=learning)
        return self.judge(seen[-1], learning=learning), seen


class PaperUNet(nn.Module):
    """A judgement for every pixel, from its surroundings at four resolutions.

    Wang et al., Real-ESRGAN (ICCVW 2021), sec. 3.4: the UNetDiscriminatorSN of their program with
    64 features and 4,376,897 parameters. As there, skips are added, the way up is bilinear, and
    spectral normalisation leaves out the first and the last layer; they alone have offsets.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        one, two, four, eight = width, 2 * width, 4 * width, 8 * width

        def layer(sides: Sides) -> Layer:
            return Layer(sides, generator, spectral=spectral, biased=False)

        self.first = Layer(Sides(3, one, 3), generator, spectral=False)
        down = [(one, two), (two, four), (four, eight)]
        self.down = nn.ModuleList(layer(Sides(a, b, 4, stride=2)) for a, b in down)
        self.up = nn.ModuleList(layer(Sides(b, a, 3)) for a, b in reversed(down))
        self.last = nn.ModuleList(layer(Sides(one, one, 3)) for _ in range(2))
        self.judge = Layer(Sides(one, 1, 3), generator, spectral=False)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the nine layers before them."""
        first = F.leaky_relu(self.first(pictures, learning=learning), SLOPE)
        seen = [first, *seen_through(self.down, first, learning=learning)]
        x = seen[-1]
        for layer, skip in zip(self.up, reversed(seen[:3]), strict=True):
            x = doubled(x, (skip.shape[2], skip.shape[3]))
            x = F.leaky_relu(layer(x, learning=learning), SLOPE) + skip
            seen.append(x)
        seen += seen_through(self.last, x, learning=learning)
        return self.judge(seen[-1], learning=learning), seen


class PaperVgg(nn.Module):
    """One judgement of the whole picture, which has to be `side` pixels wide and high.

    Ledig et al., SRGAN (CVPR 2017), sec. 2.1.1 and fig. 4: eight 3x3 convolutions, 64 to 512
    channels, a dense layer of 1024 and one of 1. By hand, from these, 23,561,793 parameters at
    their 96 pixels and 38,241,857 at 128; the paper's normalisation of the batch, behind seven of
    the convolutions, would add 3,712.
    """

    def __init__(
        self, width: int, generator: torch.Generator, *, spectral: bool, side: int = 96
    ) -> None:
        super().__init__()
        self.side = side
        sides = vgg_sides((width, 2 * width, 4 * width, 8 * width))
        self.down = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        # a dense layer is a convolution with a kernel as large as the map
        whole = Sides(8 * width, 16 * width, side // 16, border=0)
        self.dense = Layer(whole, generator, spectral=spectral)
        self.judge = Layer(Sides(16 * width, 1, 1, border=0), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits (n, 1, 1, 1), and the nine layers before them."""
        height, width = pictures.shape[2:]
        if height != self.side or width != self.side:
            raise InputError(
                f"This discriminator judges pictures of {self.side}x{self.side} pixels, and these "
                f"are {width}x{height}: its dense layer knows one size. Use --patch {self.side}, "
                "or discriminator='vgg', which takes any."
            )
        seen = seen_through(self.down, pictures, learning=learning)
        seen.append(F.leaky_relu(self.dense(seen[-1], learning=learning), SLOPE))
        return self.judge(seen[-1], learning=learning), seen


def doubled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, twice as large, half-pixel centres, edges repeated; an odd `size` gets one more.

    By sums of shifted pictures, since torch's own has no repeatable gradient on GPUs.
    """
    for axis, wanted in zip((2, 3), size, strict=True):
        count = x.shape[axis]
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, count - 1, 1)
        before = torch.cat([first, x.narrow(axis, 0, count - 1)], dim=axis)
        behind = torch.cat([x.narrow(axis, 1, count - 1), last], dim=axis)
        pair = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * behind], dim=axis + 1)
        x = pair.flatten(axis, axis + 1)
        if wanted > 2 * count:
            x = torch.cat([x, x.narrow(axis, 2 * count - 1, 1)], dim=axis)
    return x
