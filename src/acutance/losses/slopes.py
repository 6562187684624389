"""The slope of one term: its value, and its gradient at each output of the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from acutance.errors import InputError, RunError
from acutance.imaging.operators import resize
from acutance.losses.built import BuiltTerm, output_name

Outputs = Mapping[str, Tensor]  # of the network, by name; "sr" is the picture


@dataclass(frozen=True)
class Slope:
    """One term at one batch, per picture; what is not a number in a gradient or norm is 0.

    A picture that is not `finite` still has other entries in `gradients`: `kept` leaves it out.
    """

    gradients: Outputs  # at each output the term depends on
    value: Tensor
    norm: Tensor
    finite: Tensor

    def kept(self) -> Tensor:
        """1 for the pictures to count, 0 for the others, (n, 1, 1, 1)."""
        return self.finite.to(self.norm.dtype)[:, None, None, None]

    def mean_norm(self) -> Tensor:
        """Mean of the norm over the pictures that count."""
        return self.norm.sum() / self.finite.sum().clamp_min(1)


class Scene:
    """What a term may look at: the outputs as leaves of their own, the target, the extras."""

    def __init__(self, outputs: Outputs, hr: Tensor, extras: Mapping[str, Any]) -> None:
        self.outputs, self.hr, self.extras = outputs, hr, extras
        self._targets: dict[tuple[int, int], Tensor] = {}

    def slope(self, built: BuiltTerm, corner: tuple[int, int] = (0, 0)) -> Slope:
        """The slope of a term; raises RunError if it has none.

        `corner` is where the pictures of a term with a shift begin.
        """
        on = output_name(built.term.schedule.on)
        names = ["sr" if on == "lr" else on, *(n for n in built.needs if n in self.outputs)]
        leaves = {name: _leaf(self._output(built, name)) for name in names}
        with torch.enable_grad():
            sr, hr = (_shifted(p, built, corner) for p in self.pair(on, leaves))
            value = built.value(sr, hr, {**self.extras, **leaves})
            if not value.requires_grad:
                raise RunError(
                    f"The loss '{built.term.name}' gives no gradient at the output: its value "
                    "does not depend on sr, or was detached from it."
                )
            found = torch.autograd.grad(value.sum(), list(leaves.values()), allow_unused=True)
        gradients = {n: g for n, g in zip(leaves, found, strict=True) if g is not None}
        return _slope(gradients, value.detach())

    def pair(self, on: str, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """What is compared with what: at "lr" the result made small again with the input.

        At "small", the lr that a learned F made, with the one that is given.
        """
        if on == "lr":
            lr = self.extras["lr"]
            return resize(outputs["sr"], size=(lr.shape[2], lr.shape[3])), lr
        if on == "small":
            return outputs[on], self.extras["lr"]
        sr = outputs[on]
        size = (sr.shape[2], sr.shape[3])
        if size == tuple(self.hr.shape[2:]):
            return sr, self.hr
        if size not in self._targets:
            with torch.no_grad():
                self._targets[size] = resize(self.hr, size=size)
        return sr, self._targets[size]

    def _output(self, built: BuiltTerm, name: str) -> Tensor:
        if name in self.outputs:
            return self.outputs[name]
        known = ", ".join(self.outputs)
        raise InputError(f"The term '{built.term}' is on '{name}', and the network gives {known}.")


def sum_of(parts: list[tuple[float, Slope]]) -> dict[str, Tensor]:
    """The weighted sum of slopes at each output."""
    total: dict[str, Tensor] = {}
    for weight, slope in parts:
        for name, gradient in slope.gradients.items():
            part = gradient * (slope.kept() * weight)
            total[name] = total[name] + part if name in total else part
    return total


def norm_of(gradients: Outputs) -> Tensor:
    """The norm per picture at sr, or at what there is: the picture is what shares compare."""
    seen = [gradients["sr"]] if "sr" in gradients else list(gradients.values())
    norms = [torch.linalg.vector_norm(g, dim=tuple(range(1, g.ndim))) for g in seen]
    return norms[0] if len(norms) == 1 else torch.stack(norms).square().sum(dim=0).sqrt()


def gramian(slopes: list[Slope | None], weights: list[float], sr: Tensor) -> Tensor:
    """Inner products (K, K) of the weighted gradients at sr, over the batch, float32 or finer."""
    precise = torch.promote_types(sr.dtype, torch.float32)
    rows = sr.new_zeros(len(slopes), sr.numel(), dtype=precise)
    for row, slope, weight in zip(rows, slopes, weights, strict=True):
        if slope is not None and "sr" in slope.gradients:
            row.copy_((slope.gradients["sr"] * (slope.kept() * weight)).flatten())
    return rows @ rows.mT


def cosines(products: Tensor) -> Tensor:
    """The cosine table of a Gramian; 0 beside a gradient that is zero."""
    lengths = products.diagonal().clamp_min(0).sqrt()
    tiny = torch.finfo(products.dtype).tiny
    return products / torch.outer(lengths, lengths).clamp_min(tiny)


def _shifted(pictures: Tensor, built: BuiltTerm, corner: tuple[int, int]) -> Tensor:
    """All but as many rows and columns as the term's shift; some of them before `corner`."""
    lost = built.term.schedule.shift
    if not lost:
        return pictures
    (top, left), (h, w) = corner, pictures.shape[2:]
    return pictures[:, :, top : top + h - lost, left : left + w - lost]


def _leaf(output: Tensor) -> Tensor:
    return output.detach().to(torch.promote_types(output.dtype, torch.float32)).requires_grad_()


def _slope(gradients: dict[str, Tensor], value: Tensor) -> Slope:
    norm = norm_of(gradients)
    finite = value.isfinite() & norm.isfinite()
    for name, gradient in gradients.items():
        if len(gradients) > 1:
            finite = finite & gradient.flatten(1).isfinite().all(dim=1)
        gradients[name] = gradient.nan_to_num(0, 0, 0)  # a fifth of the time of torch.where
    return Slope(gradients, value, torch.where(finite, norm, 0), finite)
