"""Fines for a discriminator that is too steep, per picture; they are differentiated twice."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # pictures to logits; each picture judged alone


def squared_slope(critic: Critic, pictures: Tensor) -> Tensor:
    """Squared length of the gradient of the critic's sum at each picture, (n,).

    The length is over channels and pixels of the picture together. Per pixel over the channels,
    as it is often coded, a critic may be as steep as it likes on a large picture.
    """
    with torch.enable_grad():
        leaf = pictures.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(leaf).sum(), leaf, create_graph=True)
        return slope.square().sum(dim=(1, 2, 3))


def gradient_penalty(critic: Critic, sr: Tensor, hr: Tensor, mixing: Tensor) -> Tensor:
    """(|gradient| - 1)^2 at mixing * hr + (1 - mixing) * sr, with `mixing` (n, 1, 1, 1).

    Gulrajani et al.: Improved Training of Wasserstein GANs (NeurIPS 2017), eq. 3. A flat critic
    is fined 1 and has no gradient there.
    """
    square = squared_slope(critic, sr + mixing * (hr - sr))
    steep = square > 0
    length = torch.where(steep, torch.where(steep, square, 1).sqrt(), 0)
    return (length - 1).square()
