"""Losses of another package, as its entry points would bring them."""

import torch
from torch import Tensor, nn

from acutance.losses.contract import Contract, Loss

CONTRACT = Contract(source="made up for the tests", min_size=4, channels=(3,))


def towards_lr(sr: Tensor, hr: Tensor, *, lr: Tensor, gain: float = 1.0) -> Tensor:
    """Asks for the low-resolution picture."""
    return gain * (sr.mean(dim=(1, 2, 3)) - lr.mean(dim=(1, 2, 3))).abs()


def doubled(sr: Tensor, hr: Tensor, *, loss: Loss, factor: float = 2.0) -> Tensor:
    """A loss of a loss."""
    return factor * loss(sr, hr)


def batch_mean(sr: Tensor, hr: Tensor) -> Tensor:
    """Wrong: one number for the batch."""
    return (sr - hr).abs().mean()


def detached(sr: Tensor, hr: Tensor) -> Tensor:
    """Wrong: nothing to train by."""
    return (sr.detach() - hr).abs().mean(dim=(1, 2, 3))


def poisoned(sr: Tensor, hr: Tensor) -> Tensor:
    """Not a number wherever a picture begins with a white pixel."""
    value = (sr - hr).square().mean(dim=(1, 2, 3))
    return value * torch.where(hr[:, 0, 0, 0] == 1, float("nan"), 1.0)


def flat(sr: Tensor, hr: Tensor) -> Tensor:
    """Its gradient is zero everywhere."""
    return (sr * 0).sum(dim=(1, 2, 3))


class Learned(nn.Module):
    """A loss with a network of its own."""

    def __init__(self, *, width: int = 2) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, width, 3, bias=False)
        nn.init.constant_(self.layer.weight, 0.1)
        self.requires_grad_(False)

    def forward(self, sr: Tensor, hr: Tensor, *, scale: int) -> Tensor:
        return scale * (self.layer(sr) - self.layer(hr)).square().mean(dim=(1, 2, 3))


alias = towards_lr
NAMES = ("towards_lr", "doubled", "batch_mean", "detached", "poisoned", "flat", "Learned", "alias")
