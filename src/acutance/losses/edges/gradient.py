"""Gradient: absolute error of the slopes between neighbouring pixels; it keeps edges sharp."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.closed_form import (
    plane_groups,
    room_for_gradient,
    row_strips,
    wants_gradient,
    with_backward,
)
from acutance.losses.contract import Contract
from acutance.losses.edges.derivatives import LUMA, SMOOTHING, brightness
from acutance.losses.inputs import mean_per_picture, prepared

CONTRACT = Contract(
    source="Mathieu, Couprie, LeCun: Deep multi-scale video prediction (GDL, ICLR 2016), sec. 3.2",
    injective=False,
    blind_to=("offset",),
    symmetric=True,
    degree=1,
    min_size=3,
    memory=3,
    exceptions={
        "out_of_range": "the slopes that a pixel takes part in can pull it up and down alike; "
        "nothing is clamped"
    },
)
GROUP = 1 << 18  # values worked on at a time: a MiB of float32, about a core's own cache
KERNELS = ("diff", *SMOOTHING)


def gradient(
    sr: Float[Tensor, "n c h w"],
    hr: Float[Tensor, "n c h w"],
    *,
    kernel: Literal["sobel", "scharr", "prewitt", "diff"] = "sobel",
    luma: bool = False,
) -> Float[Tensor, " n"]:
    """Mean of |dx e| and |dy e| per picture, half their sum, e = sr - hr.

    The slopes are in intensity per pixel: kernels sobel / 8, scharr / 32 and prewitt / 6 answer
    a ramp with its slope, where code that leaves the factor out has 8 times the value. The
    border is mirrored, for zeros round the picture would be an edge. `diff` takes the difference
    of direct neighbours, where there are two, as GDL does. `luma` weighs R, G and B by BT.601
    first. Blind to a constant offset: use it beside a pixel loss.
    """
    if kernel not in KERNELS:
        raise InputError(f"gradient's kernel is one of {', '.join(KERNELS)}, not {kernel!r}.")
    sr, hr = prepared(sr, hr, "gradient", min_side=3)
    if luma:
        sr, hr = (brightness(pictures, LUMA, "gradient") for pictures in (sr, hr))
    if kernel == "diff":
        error = sr - hr
        dx, dy = error.diff(dim=3), error.diff(dim=2)
        return (mean_per_picture(dx.abs()) + mean_per_picture(dy.abs())) / 2
    middle, side = SMOOTHING[kernel]
    total, _ = _gradient(sr, hr, side / middle, middle / 4, wants_gradient(sr))
    return total / sr.shape[1:].numel()


@with_backward
@torch.library.custom_op("acutance::gradient", mutates_args=())
def _gradient(
    sr: Tensor, hr: Tensor, side: float, scale: float, gradient: bool
) -> tuple[Tensor, Tensor]:
    """`scale` times the sum of |differences over two pixels, smoothed by (side, 1, side)|.

    The slopes are linear: those of the difference are taken once, and the gradient is their sign
    through the transposed steps.
    """
    n, c, h, w = sr.shape
    slope = room_for_gradient(sr, gradient)
    strips = list(row_strips(h, GROUP // w))
    sums = sr.new_empty(n, c, len(strips))
    if gradient and len(strips) > 1:
        slope.zero_()  # neighbouring strips both add to the rows between them
    for group in plane_groups(sr, GROUP):
        for place, (top, bottom) in enumerate(strips):
            rim = int(top == 0), int(bottom == h)  # rows above and below that are mirrored
            part = (*group, slice(max(0, top - 1), bottom + 1))
            error = _with_rim(sr[part], hr[part], rim)
            pull = torch.zeros_like(error) if gradient else None
            rows, columns = error.shape[2:]
            room = torch.empty_like(error), error.new_empty(*error.shape[:2], rows + 2, columns + 2)
            total = _slopes(error, pull, room, axes=(3, 2), side=side)
            total += _slopes(error, pull, room, axes=(2, 3), side=side)
            sums[(*group, place)] = total
            if pull is not None:
                rows = _without_rim(pull, rim).mul_(scale)
                slope[part] = rows if len(strips) == 1 else rows.add_(slope[part])
    return sums.sum(dim=(1, 2)).mul_(scale), slope


def _with_rim(x: Tensor, y: Tensor, rim: tuple[int, int]) -> Tensor:
    """x - y with a pixel more on each side, the mirror image where the picture ends."""
    n, c, rows, width = x.shape
    above, below = rim
    error = x.new_empty(n, c, above + rows + below, width + 2)
    torch.sub(x, y, out=error[..., above : above + rows, 1:-1])
    if above:
        error[..., 0, :] = error[..., 2, :]
    if below:
        error[..., -1, :] = error[..., -3, :]
    error[..., 0] = error[..., 2]
    error[..., -1] = error[..., -3]
    return error


def _without_rim(pull: Tensor, rim: tuple[int, int]) -> Tensor:
    """The transpose of `_with_rim`, in place: what is on the rim goes to where it came from."""
    above, below = rim
    pull[..., 2] += pull[..., 0]
    pull[..., -3] += pull[..., -1]
    if above:
        pull[..., 2, :] += pull[..., 0, :]
    if below:
        pull[..., -3, :] += pull[..., -1, :]
    return pull[..., above : pull.shape[2] - below, 1:-1]


def _slopes(
    error: Tensor,
    pull: Tensor | None,
    room: tuple[Tensor, Tensor],
    *,
    axes: tuple[int, int],
    side: float,
) -> Tensor:
    """Sum per plane of |slopes| along the first axis, smoothed along the second.

    Adds the signs, through the transposed steps, to `pull`.
    """
    along, across = axes
    length, width = error.shape[along] - 2, error.shape[across] - 2
    steps = room[0].narrow(along, 0, length)
    wide = room[1].narrow(along, 0, length)  # with two more on each side across, for the transpose
    slopes = wide.narrow(across, 2, width)
    torch.sub(error.narrow(along, 2, length), error.narrow(along, 0, length), out=steps)
    before, centre, after = (steps.narrow(across, place, width) for place in range(3))
    torch.add(before, after, out=slopes)
    torch.add(centre, slopes, alpha=side, out=slopes)
    total = torch.abs(slopes, out=centre).sum(dim=(2, 3))
    if pull is not None:
        slopes.sign_()
        for place in (0, width + 2):
            wide.narrow(across, place, 2).zero_()
        before, centre, after = (wide.narrow(across, place, width + 2) for place in range(3))
        torch.add(before, after, out=steps)
        torch.add(centre, steps, alpha=side, out=steps)
        pull.narrow(along, 2, length).add_(steps)
        pull.narrow(along, 0, length).sub_(steps)
    return total
