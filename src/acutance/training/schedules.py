"""Rates and decays as pure functions of the step, so that a resumed run needs no memory of them."""

import math
from collections.abc import Callable


def cosine(progress: float) -> float:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter: SGDR, ICLR 2017, eq. 5)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float) -> float:
    """Up for 30 % of the run, then down (Smith and Topin: Super-Convergence, 2018)."""
    rise = 0.3
    if progress < rise:
        return 0.04 + 0.96 * (1 - cosine(progress / rise))
    return cosine((progress - rise) / (1 - rise))


def constant(_progress: float) -> float:
    """1 throughout."""
    return 1.0


CURVES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
}


def rate_share(
    step: int,
    steps: int,
    *,
    schedule: str,
    warmup: float,
    milestones: tuple[float, ...] = (),
    gamma: float = 0.5,
) -> float:
    """The rate at `step` as a share of the full one, in (0, 1].

    `warmup` is the share of the run over which the rate rises linearly from nothing; one_cycle
    has its own rise and ignores it. multi_step multiplies by `gamma` at each of `milestones`.
    """
    progress = step / max(steps, 1)
    if schedule == "one_cycle":
        return one_cycle(progress)
    rise = min(1.0, (step + 1) / max(1.0, warmup * steps))
    if schedule == "multi_step":
        return rise * gamma ** sum(progress >= m for m in milestones)
    return rise * CURVES[schedule](progress)


def smooth_decay(step: int, decay: float) -> float:
    """Decay of the smooth weights: short at first, so that the start is forgotten early."""
    return min(decay, (1 + step) / (10 + step))
