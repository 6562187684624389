"""Small discriminators, which two cores train beside a small network."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acutance.losses.adversarial.layer import SLOPE, Layer, Sides, seen_through


class Patch(nn.Module):
    """A judgement for every 8th pixel, each of 38 x 38 pixels around it.

    After Isola et al., Image-to-Image Translation (CVPR 2017), sec. 3.2, without normalisation
    of the batch: it would let pictures see their neighbours.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 4 * width)
        sides = [Sides(a, b, 4, stride=2) for a, b in pairwise(channels)]
        self.down = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer(Sides(4 * width, 1, 3), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the three layers before them."""
        seen = seen_through(self.down, pictures, learning=learning)
        return self.judge(seen[-1], learning=learning), seen


class UNet(nn.Module):
    """A judgement for every pixel, from its surroundings at three resolutions.

    After Schonfeld, Schiele, Khoreva: A U-Net Based Discriminator (CVPR 2020) as Real-ESRGAN has
    it (Wang et al. 2021): skips are added. One resolution fewer than there, and no judgement of
    the whole. The way up repeats pixels, since bilinear steps have no repeatable gradient on GPUs.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        sides = [
            Sides(3, one, 3),
            Sides(one, two, 4, stride=2),
            Sides(two, four, 4, stride=2),
            Sides(four, two, 3),
            Sides(two, one, 3),
        ]
        self.steps = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer(Sides(one, 1, 3), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the five layers before them."""
        seen = seen_through(self.steps[:3], pictures, learning=learning)
        x = seen[-1]
        for layer, skip in zip(self.steps[3:], (seen[1], seen[0]), strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = F.leaky_relu(layer(x, learning=learning), SLOPE) + skip
            seen.append(x)
        return self.judge(x, learning=learning), seen


class Vgg(nn.Module):
    """One judgement of the whole picture, of any size.

    After Ledig et al., SRGAN (CVPR 2017), sec. 2.1.1: pairs of 3x3 convolutions, the second of
    each pair at half the size. Three pairs instead of four, and the mean over the map in the
    place of dense layers, which would know one size only.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        sides = vgg_sides((width, 2 * width, 4 * width))
        self.down = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer(Sides(4 * width, 1, 1, border=0), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits (n, 1, 1, 1), and the six layers before them."""
        seen = seen_through(self.down, pictures, learning=learning)
        whole = seen[-1].mean(dim=(2, 3), keepdim=True)
        return self.judge(whole, learning=learning), seen


def vgg_sides(widths: tuple[int, ...]) -> list[Sides]:
    """Two 3x3 convolutions for each width, the second of which halves the size."""
    sides = []
    for entering, width in pairwise((3, *widths)):
        sides += [Sides(entering, width, 3), Sides(width, width, 3, stride=2)]
    return sides
