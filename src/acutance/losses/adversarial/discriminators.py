"""Networks that tell originals from results, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from acutance.losses.adversarial.published import PaperPatch, PaperUNet, PaperVgg
from acutance.losses.adversarial.tiny import Patch, UNet, Vgg


class Discriminator(Protocol):
    """(n, 3, h, w) in [-1, 1] to logits (n, 1, h', w'), and what its layers saw on the way."""

    def __call__(self, pictures: Tensor, *, learning: bool) -> tuple[Tensor, list[Tensor]]: ...


@dataclass(frozen=True)
class Kind:
    """A discriminator: how it is made, its channels at first, and the least side of a picture.

    Below that side more than about four fifths of what a judgement is about lie outside of the
    picture; those of one size know no other.
    """

    make: Callable[..., nn.Module]
    width: int
    least_side: int

    def build(self, width: int, seed: int, *, spectral: bool) -> nn.Module:
        """The network at the start that its seed gives; width 0 is its own."""
        generator = torch.Generator().manual_seed(seed)
        return self.make(width or self.width, generator, spectral=spectral)


DISCRIMINATORS = {
    "patch": Kind(Patch, 32, 16),
    "patch:paper": Kind(PaperPatch, 64, 32),
    "unet": Kind(UNet, 32, 16),
    "unet:paper": Kind(PaperUNet, 64, 32),
    "vgg": Kind(Vgg, 32, 16),
    "vgg:paper": Kind(PaperVgg, 64, 96),
    "vgg:paper128": Kind(partial(PaperVgg, side=128), 64, 128),
}
