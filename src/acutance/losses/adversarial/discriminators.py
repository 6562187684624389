"""Small networks that tell originals from results, with a judgement for each place."""

from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2  # of the leaky rectifier below 0
SETTLING = 30  # turns of the power iteration before the first step; one a step follows


class Discriminator(Protocol):
    """(n, 3, h, w) in [-1, 1] to logits (n, 1, h', w'), and what its layers saw on the way."""

    def __call__(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]: ...


class Layer(nn.Module):
    """A convolution whose weights take no gradient unless it is `learning`.

    A `spectral` one divides its kernels, as a matrix (out, in * side^2), by their largest
    singular value: Miyato et al., Spectral Normalization (ICLR 2018). That value is |W^T u|,
    u the left singular vector that `settle` approaches; so looking does not change the layer.
    """

    def __init__(
        self, sides: tuple[int, int, int], generator: torch.Generator, *, spectral: bool
    ) -> None:
        """`sides`: channels in, channels out, side of the kernel; one of side 4 halves the size."""
        super().__init__()
        entering, leaving, side = sides
        self.stride = 2 if side == 4 else 1
        weight = torch.empty(leaving, entering, side, side)
        self.weight = nn.Parameter(nn.init.kaiming_normal_(weight, SLOPE, generator=generator))
        self.bias = nn.Parameter(torch.zeros(leaving))
        self.spectral = spectral
        if spectral:
            self.register_buffer("u", F.normalize(torch.randn(leaving, generator=generator), dim=0))
            for _ in range(SETTLING):
                self.settle()

    def forward(self, x: Tensor, *, learning: bool) -> Tensor:
        """Convolve in the type of x."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        if not learning:
            weight, bias = weight.detach(), bias.detach()
        if self.spectral:
            u = self.get_buffer("u").to(x.dtype)
            weight = weight / torch.linalg.vector_norm(u @ weight.flatten(1))
        return F.conv2d(x, weight, bias, self.stride, padding=1)

    @torch.no_grad()
    def settle(self) -> None:
        """One turn of the power iteration."""
        if self.spectral:
            matrix, u = self.weight.flatten(1), self.get_buffer("u")
            u.copy_(F.normalize(matrix @ (u @ matrix), dim=0))


class Patch(nn.Module):
    """A judgement for every 8th pixel, each of 38 x 38 pixels around it.

    After Isola et al., Image-to-Image Translation (CVPR 2017), sec. 3.2, without normalisation
    of the batch: it would let pictures see their neighbours.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        channels = (3, width, 2 * width, 4 * width)
        sides = [(a, b, 4) for a, b in pairwise(channels)]
        self.down = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer((4 * width, 1, 3), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the three layers before them."""
        x, seen = pictures, []
        for layer in self.down:
            x = F.leaky_relu(layer(x, learning=learning), SLOPE)
            seen.append(x)
        return self.judge(x, learning=learning), seen


class UNet(nn.Module):
    """A judgement for every pixel, from its surroundings at three resolutions.

    After Schonfeld, Schiele, Khoreva: A U-Net Based Discriminator (CVPR 2020) as Real-ESRGAN has
    it (Wang et al. 2021): skips are added. Two resolutions fewer than there, and no judgement of
    the whole. The way up repeats pixels, since bilinear steps have no repeatable gradient on GPUs.
    """

    def __init__(self, width: int, generator: torch.Generator, *, spectral: bool) -> None:
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        sides = [(3, one, 3), (one, two, 4), (two, four, 4), (four, two, 3), (two, one, 3)]
        self.steps = nn.ModuleList(Layer(s, generator, spectral=spectral) for s in sides)
        self.judge = Layer((one, 1, 3), generator, spectral=spectral)

    def forward(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the five layers before them."""
        x, seen = pictures, []
        for layer in self.steps[:3]:
            x = F.leaky_relu(layer(x, learning=learning), SLOPE)
            seen.append(x)
        for layer, skip in zip(self.steps[3:], (seen[1], seen[0]), strict=True):
            x = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = F.leaky_relu(layer(x, learning=learning), SLOPE) + skip
            seen.append(x)
        return self.judge(x, learning=learning), seen


DISCRIMINATORS = {"patch": Patch, "unet": UNet}
