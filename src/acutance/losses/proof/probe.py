"""Calling a loss as the checks do: on pairs that fit its claims, with its gradient."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from acutance.losses.contract import Contract
from acutance.losses.proof.fault import name_of
from acutance.losses.proof.pictures import SHAPES, noise_pair, pair

Function = Callable[[Tensor, Tensor], Tensor]


def slope(loss: Function, sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Value per picture, and the gradient of their sum at sr."""
    leaf = sr.detach().requires_grad_()
    value = loss(leaf, hr)
    (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def side(contract: Contract) -> tuple[int, int]:
    """Height and width that the loss takes, 48 x 64 where it can."""
    return fitting(48, contract), fitting(64, contract)


def fitting(pixels: int, contract: Contract) -> int:
    """The side nearest above `pixels` that the loss takes."""
    step = contract.multiple
    return max(-(-pixels // step) * step, contract.min_size)


def pairs(
    contract: Contract, dtype: torch.dtype = torch.float32
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Pair b where it is large enough, and noise; each with the words that make it again."""
    if contract.min_size <= min(SHAPES["b"][2:]):
        sr, hr = pair("b", torch.float32)
        yield f'pair("b") in {name_of(dtype)}', sr.to(dtype), hr.to(dtype)
    yield noise_words((2, 3, *side(contract)), dtype), *unrelated(contract, dtype)


def unrelated(
    contract: Contract, dtype: torch.dtype = torch.float32, *, count: int = 2
) -> tuple[Tensor, Tensor]:
    """Two batches of white noise that have nothing to do with each other."""
    sr, hr = noise_pair(count, 3, *side(contract))
    return sr.to(dtype), hr.to(dtype)


def noise_words(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> str:
    """How a reader makes the noise of `unrelated` again."""
    sides = ", ".join(str(length) for length in shape)
    return f"noise_pair({sides}) in {name_of(dtype)}"
