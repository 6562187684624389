"""What training minimises: each term's gradient at the output picture, combined into one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acutance.errors import InputError, RunError
from acutance.losses.built import BuiltTerm, build_term
from acutance.losses.shares import GradientShares
from acutance.losses.terms import NOTHING, Expression


@dataclass(frozen=True)
class Combined:
    """Of K terms and n pictures; all on the device, nothing read back.

    `gradient` is that of the mean over the batch of the weighted sum, in float32 at least, to be
    given to `sr.backward`. `values` (K, n) are the terms themselves, 0 where a term is idle;
    `norms` (K,) the mean over the pictures of the norm of a term's own gradient; `weights` (K,)
    what each was multiplied with; `finite` (K, n) whether value and gradient were numbers: where
    not, that term of that picture is left out of `gradient`.
    """

    gradient: Tensor
    values: Tensor
    norms: Tensor
    weights: Tensor
    finite: Tensor

    @property
    def shares(self) -> Tensor:
        """Each term's part of the sum of the weighted norms, (K,)."""
        pull = self.weights * self.norms
        return pull / pull.sum().clamp_min(torch.finfo(pull.dtype).tiny)


@dataclass(frozen=True)
class _Slope:
    """One term at one batch, per picture; what is not a number in `gradient` and `norm` is 0.

    A picture that is not `finite` still has other entries in `gradient`: `kept` leaves it out.
    """

    gradient: Tensor
    value: Tensor
    norm: Tensor
    finite: Tensor

    def kept(self) -> Tensor:
        """1 for the pictures to count, 0 for the others, (n, 1, 1, 1)."""
        return self.finite.to(self.gradient.dtype)[:, None, None, None]


class Objective(nn.Module):
    """An expression built for tensors: owns the networks of its terms and the state of shares.

    `supplies` names the extras, beside sr and hr, that the caller will give with every call.
    """

    def __init__(self, expression: Expression, *, supplies: tuple[str, ...] = ()) -> None:
        super().__init__()
        if expression.free:
            raise InputError(
                f"'{expression}' cannot be trained: '{expression.free[0]}' stands for a weight. "
                "Write a number in its place, or let tune find one."
            )
        self.expression = expression
        self.supplies = supplies
        self.terms = [build_term(term, supplies, Objective) for term in expression.terms]
        self.networks = nn.ModuleList(network for t in self.terms for network in t.networks)
        self._units = _units(expression)
        heads = [expression.terms[members[0]] for members in self._units]
        shares = tuple((head.share or 0.0) / 100 for head in heads)
        self.balance = GradientShares(shares) if expression.has_shares else None

    def forward(self, sr: Tensor, hr: Tensor, *, extras: Mapping[str, Any] = NOTHING) -> Tensor:
        """The weighted sum per picture, (n,), with schedules left aside."""
        values = self.values(sr, hr, extras=extras)
        return sum(
            (built.term.weight * value for built, value in zip(self.terms, values, strict=True)),
            start=torch.zeros_like(values[0]),
        )

    def values(
        self, sr: Tensor, hr: Tensor, *, extras: Mapping[str, Any] = NOTHING
    ) -> list[Tensor]:
        """The value of each term per picture, not weighted: K tensors (n,)."""
        return [built.value(sr, hr, extras) for built in self.terms]

    def combine(
        self,
        sr: Tensor,
        hr: Tensor,
        *,
        step: int,
        steps: int,
        extras: Mapping[str, Any] = NOTHING,
        fraction: float = 1.0,
    ) -> Combined:
        """The gradient at `sr` of what step `step` of `steps` minimises; `sr.backward(gradient)`.

        `fraction` is the part of the step's pictures that this micro-batch holds; the gradients
        of all of them add up to that of the whole batch. A step's fractions add up to 1.
        """
        active = [built.term.weight_at(step, steps) for built in self.terms]
        slopes = [
            self._slope(built, sr, hr, extras) if weight else None
            for built, weight in zip(self.terms, active, strict=True)
        ]
        wide = torch.promote_types(sr.dtype, torch.float32)
        gradient = torch.zeros_like(sr, dtype=wide)
        weights = [gradient.new_zeros((), dtype=torch.float32) for _ in active]
        scales = self._unit_weights(slopes, step=step, fraction=fraction)
        for members, scale in zip(self._units, scales, strict=True):
            for k in members:
                slope, weight = slopes[k], active[k]
                if slope is None:
                    continue
                part = slope.kept() * (weight * fraction / max(1, sr.shape[0]))
                if scale is None:
                    weights[k] = weights[k] + weight
                else:
                    part = part * scale
                    weights[k] = scale * weight
                gradient.addcmul_(slope.gradient, part)
        return _report(gradient, slopes, torch.stack(weights), sr)

    def _slope(self, built: BuiltTerm, sr: Tensor, hr: Tensor, extras: Mapping[str, Any]) -> _Slope:
        wide = torch.promote_types(sr.dtype, torch.float32)
        leaf = sr.detach().to(wide).requires_grad_()
        with torch.enable_grad():
            value = built.value(leaf, hr, extras)
            if not value.requires_grad:
                raise RunError(
                    f"The loss '{built.term.name}' gives no gradient at the output: its value "
                    "does not depend on sr, or was detached from it."
                )
            (gradient,) = torch.autograd.grad(value.sum(), leaf)
        norm = torch.linalg.vector_norm(gradient, dim=(1, 2, 3))
        finite = value.detach().isfinite() & norm.isfinite()
        gradient = gradient.nan_to_num(0, 0, 0)  # a fifth of the time of torch.where
        return _Slope(gradient, value.detach(), torch.where(finite, norm, 0), finite)

    def _unit_weights(
        self, slopes: list[_Slope | None], *, step: int, fraction: float
    ) -> list[Tensor | None]:
        """The weight of each unit from its share; None where weights are given."""
        if self.balance is None:
            return [None] * len(self._units)
        device = self.balance.mean.device
        norms = [self._unit_norm(members, slopes, device) for members in self._units]
        found = torch.stack(norms).to(torch.float32)
        weights = self.balance.weigh(found, step=step, fraction=fraction)
        return list(weights.unbind())

    def _unit_norm(
        self, members: tuple[int, ...], slopes: list[_Slope | None], device: torch.device
    ) -> Tensor:
        """Norm of a unit's gradient: of its one term, or of the weighted sum of its group."""
        found = [(self.terms[k].term.weight, slope) for k in members if (slope := slopes[k])]
        if not found:
            return torch.zeros((), device=device)
        if len(members) == 1:
            return _mean_of_finite(found[0][1])
        total = sum(slope.gradient * (slope.kept() * weight) for weight, slope in found)
        return torch.linalg.vector_norm(total, dim=(1, 2, 3)).mean()  # pyright: ignore

    def check(self, patch: int, channels: int, *, dtype: torch.dtype = torch.float32) -> None:
        """Try every term on one training patch; raise InputError before step 1 if one cannot.

        A term that needs extras is judged by its contract alone.
        """
        for built in self.terms:
            _check_size(built, patch, channels)
            if built.needs:
                continue
            device = next((p.device for p in self.networks.parameters()), torch.device("cpu"))
            black = torch.zeros(1, channels, patch, patch, dtype=dtype, device=device)
            try:
                with torch.no_grad():
                    built.value(black, black, NOTHING)
            except ValueError as error:  # InputError is one; a plug-in may raise its own
                raise InputError(f"The term '{built.term}' cannot be trained: {error}") from error


def _check_size(built: BuiltTerm, patch: int, channels: int) -> None:
    least = built.contract.smallest(built.constants)
    if patch < least:
        raise InputError(
            f"The term '{built.term}' needs pictures of at least {least} pixels a side, and the "
            f"training patch has {patch}. Use --patch {least} or more, or leave the term out."
        )
    if built.contract.channels and channels not in built.contract.channels:
        known = " or ".join(str(count) for count in built.contract.channels)
        raise InputError(
            f"The term '{built.term}' needs pictures of {known} channels, and these have "
            f"{channels}. Choose another network colour, or leave the term out."
        )


def _units(expression: Expression) -> tuple[tuple[int, ...], ...]:
    """Places of the terms that share a weight: a group together, every other term alone."""
    units: dict[tuple[str, int], list[int]] = {}
    for place, term in enumerate(expression.terms):
        key = ("term", place) if term.group is None else ("group", term.group)
        units.setdefault(key, []).append(place)
    return tuple(tuple(members) for members in units.values())


def _mean_of_finite(slope: _Slope) -> Tensor:
    return slope.norm.sum() / slope.finite.sum().clamp_min(1)


def _report(gradient: Tensor, slopes: list[_Slope | None], weights: Tensor, sr: Tensor) -> Combined:
    """Stack what was measured; idle terms have value 0 and norm 0."""
    n = sr.shape[0]
    idle = gradient.new_zeros(n)
    sure = torch.ones(n, dtype=torch.bool, device=sr.device)
    values = torch.stack([s.value if s else idle for s in slopes])
    norms = torch.stack([_mean_of_finite(s) if s else gradient.new_zeros(()) for s in slopes])
    finite = torch.stack([s.finite if s else sure for s in slopes])
    return Combined(gradient, values, norms, weights, finite)
