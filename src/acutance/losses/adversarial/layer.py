"""What discriminators are built of: a convolution that knows when it is learning."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2  # of the leaky rectifier below 0
SETTLING = 30  # turns of the power iteration before the first step; one a step follows


class Sides(NamedTuple):
    """Channels in and out, the side of the kernel in pixels, and how it moves."""

    entering: int
    leaving: int
    side: int
    stride: int = 1
    border: int = 1  # zeros around the picture


class Layer(nn.Module):
    """A convolution whose weights take no gradient unless it is `learning`.

    A `spectral` one divides its kernels, as a matrix (out, in * side^2), by their largest
    singular value: Miyato et al., Spectral Normalization (ICLR 2018). That value is |W^T u|,
    u the left singular vector that `settle` approaches; so looking does not change the layer.
    """

    def __init__(
        self, sides: Sides, generator: torch.Generator, *, spectral: bool, biased: bool = True
    ) -> None:
        super().__init__()
        self.sides = sides
        weight = torch.empty(sides.leaving, sides.entering, sides.side, sides.side)
        self.weight = nn.Parameter(nn.init.kaiming_normal_(weight, SLOPE, generator=generator))
        self.bias = nn.Parameter(torch.zeros(sides.leaving)) if biased else None
        self.spectral = spectral
        if spectral:
            u = torch.randn(sides.leaving, generator=generator)
            self.register_buffer("u", F.normalize(u, dim=0))
            for _ in range(SETTLING):
                self.settle()

    def forward(self, x: Tensor, *, learning: bool) -> Tensor:
        """Convolve in the type of x."""
        weight = self.weight.to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        if not learning:
            weight, bias = weight.detach(), None if bias is None else bias.detach()
        if self.spectral:
            u = self.get_buffer("u").to(x.dtype)
            weight = weight / torch.linalg.vector_norm(u @ weight.flatten(1))
        return F.conv2d(x, weight, bias, self.sides.stride, padding=self.sides.border)

    @torch.no_grad()
    def settle(self) -> None:
        """One turn of the power iteration."""
        if self.spectral:
            matrix, u = self.weight.flatten(1), self.get_buffer("u")
            u.copy_(F.normalize(matrix @ (u @ matrix), dim=0))


def seen_through(layers: nn.ModuleList, x: Tensor, *, learning: bool) -> list[Tensor]:
    """What each layer makes of what the one before it made, rectified."""
    seen = []
    for layer in layers:
        x = F.leaky_relu(layer(x, learning=learning), SLOPE)
        seen.append(x)
    return seen
