"""Where pictures differ, and where a loss looks: maps over the whole picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acutance.errors import InputError, MissingPackageError
from acutance.study.view.tiles import STEPS

if TYPE_CHECKING:
    from torch import Tensor

    from acutance.losses.objective import Objective

MOST_PX = 2**21  # of a picture whose gradient is taken as a whole
WINDOW_PX = 1024  # side of the part that is taken of a larger one
BRIGHTEST = 0.995  # the quantile that becomes white: single pixels would leave the rest black


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| of two pictures uint8 (H, W, 3) as a map (H, W, 3); refuses other sizes."""
    if a.shape != b.shape:
        raise InputError(
            f"Pictures of {a.shape[1]}x{a.shape[0]} and {b.shape[1]}x{b.shape[0]} pixels have no "
            "difference. Show pictures of one size, or look at them side by side."
        )
    low, high = np.minimum(a, b), np.maximum(a, b)
    return (high - low).astype(np.uint16) * STEPS


def error(sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    """The mean over the channels of |sr - hr|, as a map (H, W)."""
    total = difference(sr, hr).sum(axis=2, dtype=np.uint32)
    return ((total + 1) // 3).astype(np.uint16)


@dataclass(frozen=True, eq=False)
class LossMap:
    """How hard a loss pulls at each pixel, as a map (H, W); and its value, term by term.

    `window` (x, y, width, height) is the part that it was worked out for: elsewhere the map is 0.
    """

    values: np.ndarray
    window: tuple[int, int, int, int]
    terms: tuple[tuple[str, float], ...]
    largest: float  # the norm of the gradient that is shown as white


@dataclass(frozen=True)
class Asked:
    """A loss expression, what the pictures were enlarged by, and where the person looks (x, y)."""

    loss: str
    scale: int
    centre: tuple[int, int]


def loss_map(sr: np.ndarray, hr: np.ndarray, lr: np.ndarray | None, asked: Asked) -> LossMap:
    """|d loss / d sr| at each pixel, the norm over the channels, in units of its 99.5 % quantile.

    Schedules are left aside, shares count as they would at the first step. Pictures are uint8
    (H, W, 3); of more than MOST_PX pixels a window of WINDOW_PX round the centre is taken, by its
    own. Raises InputError for a loss that cannot be read or needs what is not here.
    """
    difference(sr[:1], hr[:1])  # refuses other widths in the same words
    if sr.shape != hr.shape:
        difference(sr, hr)
    x, y, width, height = _window(sr.shape[:2], asked)
    part = (slice(y, y + height), slice(x, x + width))
    small = (
        None
        if lr is None
        else lr[tuple(slice(s.start // asked.scale, s.stop // asked.scale) for s in part)]
    )
    norm, terms = _gradient(sr[part], hr[part], small, asked)
    largest = float(np.quantile(norm, BRIGHTEST)) or float(norm.max())
    values = np.zeros(sr.shape[:2], dtype=np.uint16)
    if largest > 0:
        values[part] = np.rint(np.minimum(norm / largest, 1.0) * 255 * STEPS)
    return LossMap(values, (x, y, width, height), terms, largest)


def _window(size: tuple[int, ...], asked: Asked) -> tuple[int, int, int, int]:
    height, width = size
    if height * width <= MOST_PX:
        return 0, 0, width, height
    found = []
    for middle, side in zip(asked.centre, (width, height), strict=True):
        length = min(side, WINDOW_PX) // asked.scale * asked.scale
        start = min(max(0, middle - length // 2), side - length) // asked.scale * asked.scale
        found.append((start, length))
    (x, w), (y, h) = found
    return x, y, w, h


def _gradient(
    sr: np.ndarray, hr: np.ndarray, lr: np.ndarray | None, asked: Asked
) -> tuple[np.ndarray, tuple[tuple[str, float], ...]]:
    """The norm over the channels (H, W) of the gradient, and the terms with their values."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingPackageError("torch", "train", "The map of a loss") from error
    objective, extras = _objective(lr, asked)
    target = _tensor(hr)
    made = _tensor(sr).requires_grad_()
    with torch.no_grad():
        values = [float(v) for v in objective.values(made.detach(), target, extras=extras)]
    names = [str(built.term) for built in objective.terms]
    gradient = _combined(objective, made, target, extras)
    norm = gradient[0].double().square().sum(dim=0).sqrt().numpy()
    if not np.isfinite(norm).all():
        raise InputError(f"The gradient of '{asked.loss}' is not finite on this picture.")
    return norm, tuple(zip(names, values, strict=True))


def _objective(lr: np.ndarray | None, asked: Asked) -> "tuple[Objective, dict[str, Tensor | int]]":
    """The loss with what it can be given here: lr and the scale, where a model made the picture."""
    from acutance.losses.expression import parse_loss
    from acutance.losses.objective import Objective

    extras: dict[str, Tensor | int] = {}
    if lr is not None:
        extras = {"lr": _tensor(lr), "scale": asked.scale}
    objective = Objective(parse_loss(asked.loss), supplies=tuple(extras))
    return objective.eval(), extras


def _combined(
    objective: "Objective", sr: "Tensor", hr: "Tensor", extras: "dict[str, Tensor | int]"
) -> "Tensor":
    import torch

    from acutance.losses.objective import Moment

    if objective.expression.has_shares:
        return objective.combine(sr.detach(), hr, Moment(0, 1), extras=extras).gradient
    value = objective(sr, hr, extras=extras).sum()
    if not value.requires_grad:
        return torch.zeros_like(sr)
    return torch.autograd.grad(value, sr, allow_unused=True)[0]


def _tensor(pixels: np.ndarray) -> "Tensor":
    """(1, 3, H, W) in [0, 1]."""
    import torch

    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return torch.from_numpy(planes).to(torch.float32).div_(255)[None]
