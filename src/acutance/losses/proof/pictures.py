"""Pictures that losses are tried on: two pairs by integer formulas, hostile ones, wrong ones."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def triangle(k: np.ndarray, period: int) -> np.ndarray:
    """0 .. period .. 0 .. on the integers, with full period 2 * period."""
    return np.abs(k % (2 * period) - period)


def target_levels(n: int, c: int, h: int, w: int) -> np.ndarray:
    """Triangle waves in two directions, a quadratic chirp and blocks: levels 24 to 218."""
    picture, channel, y, x = np.ogrid[:n, :c, :h, :w]
    waves = 3 * triangle(2 * x + y + 5 * channel + 7 * picture, 24)
    waves = waves + 2 * triangle(x - 2 * y + 11 * channel, 17)
    chirp = triangle((x**2 + y**2) // 32 + 9 * channel, 40)
    blocks = 48 * ((x // 24 + y // 16 + channel) % 3 == 0)
    return 24 + waves + chirp + blocks


def result_levels(target: np.ndarray) -> np.ndarray:
    """The target blurred by (1 2 1)/4 along both axes, rounded, plus a pattern of -4 to 5."""
    n, c, h, w = target.shape
    padded = np.pad(target, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    blurred = rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]
    picture, channel, y, x = np.ogrid[:n, :c, :h, :w]
    pattern = triangle(3 * x + 5 * y + 13 * channel + 17 * picture, 9) - 4
    return np.clip((blurred + 8) // 16 + pattern, 0, 255)


SHAPES = {"a": (1, 3, 192, 192), "b": (2, 3, 64, 96)}


@cache
def pair_levels(name: str) -> tuple[np.ndarray, np.ndarray]:
    """sr and hr of the pair as integer levels."""
    target = target_levels(*SHAPES[name])
    return result_levels(target), target


def pair(name: str, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """sr and hr of the pair in [0, 1]."""
    sr, hr = (torch.from_numpy(levels / 255.0).to(dtype) for levels in pair_levels(name))
    return sr, hr


def noise_pair(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Two unrelated 8-bit pictures of white noise from a fixed generator."""
    generator = torch.Generator().manual_seed(20260101)
    levels = torch.randint(0, 256, (2, *shape), generator=generator)
    sr, hr = (levels / 255).to(dtype)
    return sr.clone(), hr.clone()  # not two views of one: torch.compile would tie their sizes


def generic_pair(*shape: int) -> tuple[Tensor, Tensor]:
    """float64 pictures whose differences stay away from 0, where many losses have a corner."""
    generator = torch.Generator().manual_seed(7)
    hr = torch.rand(shape, generator=generator, dtype=torch.float64)
    size = 0.02 + 0.2 * torch.rand(shape, generator=generator, dtype=torch.float64)
    sign = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return hr + size * sign, hr


def blurred(x: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 3, 1)


def worse(hr: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Twenty ways in which a picture can be wrong, each named by its formula."""
    generator = torch.Generator().manual_seed(3)
    yield "hr blurred once", blurred(hr)
    yield "hr blurred twice", blurred(blurred(hr))
    for size in (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3):
        yield (
            f"hr + noise {size}",
            hr + size * torch.randn(hr.shape, generator=generator).to(hr.dtype),
        )
    for offset in (-0.1, -0.01, 0.01, 0.1):
        yield f"hr + {offset}", hr + offset
    for gain in (0.8, 0.95, 1.05, 1.2):
        yield f"hr * {gain}", hr * gain
    yield "hr moved by one column", torch.roll(hr, 1, dims=3)
    shift = torch.tensor([0.05, -0.05, 0.0][: hr.shape[1]]).to(hr.dtype)
    yield "hr in another tint", hr + shift[:, None, None]
    yield "1 - hr", 1 - hr
    yield "hr with its channels reversed", hr.flip(1)


def hostile(h: int, w: int) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Pairs at which formulas divide by nothing: flat, equal, single pixels, inverted."""
    hr = torch.from_numpy(target_levels(1, 3, h, w) / 255.0).float()
    black, white, grey = (torch.full_like(hr, level) for level in (0.0, 1.0, 0.5))
    impulse = black.clone()
    impulse[..., h // 2, w // 2] = 1.0
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    board = ((x + y) % 2).float().expand_as(hr).contiguous()
    for name, flat in (("black", black), ("white", white), ("grey", grey)):
        yield f"{name} and {name}", flat, flat.clone()
        yield f"{name} and textured", flat, hr
        yield f"textured and {name}", hr, flat
    yield "black and white", black, white
    yield "an impulse", impulse, black
    yield "a chequerboard", board, hr
    yield "inverted", 1 - hr, hr
    yield "equal", hr.clone(), hr
    yield "all but equal", hr + 1e-8, hr
