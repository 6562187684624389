"""Where a loss leads when nothing holds it: free pixels driven down it from the bicubic start."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from acutance.errors import InputError
from acutance.imaging.operators import resize
from acutance.losses.proof.probe import fitting
from acutance.study.atlas.scenes import photograph
from acutance.study.atlas.shown import Shown, show

PHOTOGRAPH, SCALE, SIDE = "coffee.png", 3, 144
STEPS, RATE = 300, 3e-3
KEPT = (0, 20, 300)


@dataclass(frozen=True)
class Stage:
    """The pixels after so many steps; lpips is None where its weights are not at hand."""

    step: int
    psnr: float
    lpips: float | None
    picture: Tensor  # (3, h, w)


@dataclass(frozen=True)
class Descent:
    """The stages, the target they were driven to, and whether every gradient was finite."""

    stages: tuple[Stage, ...]
    target: Tensor
    finite: bool


def descend(shown: Shown, *, tell: Callable[[int, int], None]) -> Descent:
    """Adam on the pixels of a bicubic enlargement; the picture is the one of all losses."""
    side = fitting(SIDE, shown.contract)
    side += -side % SCALE if shown.contract.multiple == 1 else 0
    hr = photograph(PHOTOGRAPH, side)
    small = resize(hr, size=(side // SCALE, side // SCALE))
    pixels = resize(small, size=(side, side)).requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=RATE)
    judge = lpips()
    stages, finite = [], torch.ones((), dtype=torch.bool)
    for step in range(STEPS + 1):
        if step in KEPT:
            stages.append(_stage(step, pixels.detach(), hr, judge))
        tell(step, STEPS)
        optimiser.zero_grad()
        shown.loss(pixels, hr).sum().backward()
        assert pixels.grad is not None
        finite &= pixels.grad.isfinite().all()
        pixels.grad.nan_to_num_(0, 0, 0)
        optimiser.step()
    return Descent(tuple(stages), hr[0], bool(finite))


def lpips() -> Callable[[Tensor, Tensor], Tensor] | None:
    """LPIPS by AlexNet, or None where its weights are not at hand."""
    try:
        shown = show("lpips")
    except InputError:
        return None
    return shown.loss if "random" not in shown.expression else None


def _stage(
    step: int, sr: Tensor, hr: Tensor, judge: Callable[[Tensor, Tensor], Tensor] | None
) -> Stage:
    made = sr.clamp(0, 1)
    psnr = float(-10 * (made - hr).square().mean().log10())
    with torch.no_grad():
        distance = None if judge is None else float(judge(made, hr))
    return Stage(step, psnr, distance, made[0].clone())
