"""What training minimises: each term's gradient at the outputs, combined into one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from acutance.errors import InputError
from acutance.losses.balance import BALANCES
from acutance.losses.balance.measured import Balance, Measured
from acutance.losses.balance.shares import GradientShares
from acutance.losses.balance.uncertainty import refuse_negative
from acutance.losses.built import BuiltTerm, build_term, level_of, output_name
from acutance.losses.guards import check_margin
from acutance.losses.slopes import Outputs, Scene, Slope, cosines, gramian, norm_of, sum_of
from acutance.losses.terms import NOTHING, Expression, Term


@dataclass(frozen=True)
class Combined:
    """Of K terms and n pictures; all on the device, nothing read back.

    `gradients` are those of the mean over the batch of the weighted sum, at each output that a
    term depends on, in float32 at least; at "sr" always. `values` (K, n) are the terms
    themselves, 0 where a term is idle; `norms` (K,) the mean over the pictures of the norm of a
    term's own gradient; `weights` (K,) what each was multiplied with; `finite` (K, n) whether
    value and gradient were numbers: where not, that term of that picture is left out of
    `gradients`. `cosines` (K, K) between the terms' gradients at sr, where asked for and there
    is more than one.
    """

    gradients: Outputs
    values: Tensor
    norms: Tensor
    weights: Tensor
    finite: Tensor
    cosines: Tensor | None = None

    @property
    def gradient(self) -> Tensor:
        """The gradient at the picture, to be given to `sr.backward`."""
        return self.gradients["sr"]

    @property
    def shares(self) -> Tensor:
        """Each term's part of the sum of the weighted norms, (K,)."""
        pull = self.weights * self.norms
        return pull / pull.sum().clamp_min(torch.finfo(pull.dtype).tiny)


@dataclass(frozen=True)
class Moment:
    """Where in a run a micro-batch stands.

    `fraction` is the part of the step's pictures that it holds; the gradients of all of them add
    up to that of the whole batch, and their fractions to 1. `absent` are outputs that the network
    has but does not give at this step: terms on them are idle. Where several processes hold a
    slice of the micro-batch each, `together` is the part that they hold between them, and `total`
    adds up a tensor over them.
    """

    step: int
    steps: int
    fraction: float = 1.0
    absent: frozenset[str] = frozenset()
    together: float | None = None  # None: as `fraction`
    total: Callable[[Tensor], Tensor] | None = None

    @property
    def whole(self) -> float:
        """The part of the step's pictures that all slices of the micro-batch hold."""
        return self.fraction if self.together is None else self.together

    def over_all(self, tensor: Tensor) -> Tensor:
        """The sum of `tensor` over the slices."""
        return tensor if self.total is None else self.total(tensor)

    def is_idle(self, term: Term) -> bool:
        """Whether there is nothing for the term to look at."""
        return output_name(term.schedule.on) in self.absent

    def weight_of(self, term: Term) -> float:
        """The term's weight now, 0 where it does not count."""
        return 0.0 if self.is_idle(term) else term.weight_at(self.step, self.steps)


class Objective(nn.Module):
    """An expression built for tensors: owns the networks of its terms and the state of weights.

    `supplies` names the extras, beside sr and hr, that the caller will give with every call, and
    the outputs of the network beside sr. `balance` is a rule of BALANCES, for a sum with weights.
    """

    def __init__(
        self, expression: Expression, *, supplies: tuple[str, ...] = (), balance: str = ""
    ) -> None:
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
        self.balance = self._make_balance(balance)

    def _make_balance(self, name: str) -> Balance | None:
        if name and self.expression.has_shares:
            raise InputError(
                f"'{self.expression}' has shares, which set the weights already: "
                f"leave the balance '{name}' out, or write weights."
            )
        if self.expression.has_shares:
            heads = [self.expression.terms[members[0]] for members in self._units]
            return GradientShares(tuple((head.share or 0.0) / 100 for head in heads))
        if not name:
            return None
        if name == "uncertainty":
            refuse_negative([(t.term.name, t.contract) for t in self.terms])
        return BALANCES.load(name)(len(self._units))

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
        outputs: Tensor | Outputs,
        hr: Tensor,
        moment: Moment,
        *,
        extras: Mapping[str, Any] = NOTHING,
        with_cosines: bool = False,
    ) -> Combined:
        """The gradients at the outputs of what `moment`'s step minimises.

        `outputs` is sr, or what the network gives by name, "sr" among it.
        """
        outputs = {"sr": outputs} if isinstance(outputs, Tensor) else outputs
        sr = outputs["sr"]
        scene = Scene(outputs, hr, extras)
        active = [moment.weight_of(built.term) for built in self.terms]
        slopes = [
            scene.slope(built, built.term.schedule.corner_at(moment.step, moment.steps))
            if weight
            else None
            for built, weight in zip(self.terms, active, strict=True)
        ]
        products = None
        wanted = with_cosines and len(slopes) > 1
        if wanted or (self.balance is not None and self.balance.wants_products):
            products = moment.over_all(gramian(slopes, active, sr))
        scales = self._unit_scales(slopes, active, products, moment)
        gradients = {"sr": torch.zeros_like(sr, dtype=torch.promote_types(sr.dtype, torch.float32))}
        weights = [sr.new_zeros((), dtype=torch.float32) for _ in active]
        for members, scale in zip(self._units, scales, strict=True):
            for k in members:
                slope, weight = slopes[k], active[k]
                if slope is None:
                    continue
                weights[k] = weights[k] + weight if scale is None else scale * weight
                part = slope.kept() * (weight * moment.fraction / max(1, sr.shape[0]))
                _add(gradients, slope, part if scale is None else part * scale)
        table = None if products is None else cosines(products)
        return _report(gradients, slopes, torch.stack(weights), table)

    def _unit_scales(
        self,
        slopes: list[Slope | None],
        active: list[float],
        products: Tensor | None,
        moment: Moment,
    ) -> list[Tensor | None]:
        """What each unit is multiplied with beside its weight; None where nothing balances."""
        if self.balance is None:
            return [None] * len(self._units)
        known = self.balance.weights
        norms = [
            _unit_norm([(self.terms[k].term.weight, slopes[k]) for k in members], known)
            for members in self._units
        ]
        tallies = [_tally(slope, known) for slope in slopes]
        sums = moment.over_all(torch.cat([torch.stack(norms), torch.stack(tallies)]))
        norms, tallies = sums[: len(norms)], sums[len(norms) :]
        totals, counts = tallies[:, 0].unbind(), tallies[:, 1].clamp_min(1).unbind()
        values = [
            sum((active[k] * totals[k] / counts[k] for k in members), start=known.new_zeros(()))
            for members in self._units
        ]
        norms = norms[:, 0] / norms[:, 1].clamp_min(1)
        measured = Measured(torch.stack(values).to(known), norms.to(known), products)
        weights = self.balance.weigh(measured, step=moment.step, fraction=moment.whole)
        return list(weights.unbind())

    def check(
        self, patch: int, channels: int, *, scale: int = 1, dtype: torch.dtype = torch.float32
    ) -> None:
        """Try every term on one training patch; raise InputError before step 1 if one cannot.

        Terms on a lower level or on "lr" are shown less of the patch, by the network's `scale`.
        A term that needs extras is judged by its contract alone.
        """
        given = self.balance is None or self.expression.has_shares
        check_margin(self.expression, balanced=not given)
        for built in self.terms:
            level = level_of(built.term.schedule.on, scale)
            side = patch // scale * level
            _check_size(built, side, channels, level=level, scale=scale)
            if built.needs:
                continue
            owned = chain(self.networks.parameters(), self.networks.buffers())
            device = next((tensor.device for tensor in owned), torch.device("cpu"))
            black = torch.zeros(1, channels, side, side, dtype=dtype, device=device)
            try:
                with torch.no_grad():
                    built.value(black, black, NOTHING)
            except ValueError as error:  # InputError is one; a plug-in may raise its own
                raise InputError(f"The term '{built.term}' cannot be trained: {error}") from error


def _check_size(built: BuiltTerm, side: int, channels: int, *, level: int, scale: int) -> None:
    least = built.contract.smallest(built.constants) + built.term.schedule.shift
    if side < least:
        there = (
            "the"
            if level == scale
            else f"the level x{level} of the"
            if level > 1
            else "the lr of the"
        )
        patch = least if level == scale else -(-least // level) * scale
        raise InputError(
            f"The term '{built.term}' needs pictures of at least {least} pixels a side, and "
            f"{there} training patch has {side}. Use --patch {patch} or more, or leave the term "
            "out."
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


def _unit_norm(parts: list[tuple[float, Slope | None]], like: Tensor) -> Tensor:
    """Norm of a unit's gradient, summed over the pictures, and how many count, (2,).

    Of its one term, or of the weighted sum of its group.
    """
    found = [(weight, slope) for weight, slope in parts if slope]
    if not found:
        return like.new_zeros(2)
    if len(parts) == 1:
        slope = found[0][1]
        return torch.stack([slope.norm.sum(), slope.finite.sum().to(slope.norm)])
    norms = norm_of(sum_of(found))
    return torch.stack([norms.sum(), norms.new_tensor(float(len(norms)))])


def _tally(slope: Slope | None, like: Tensor) -> Tensor:
    """Value of a term, summed over the pictures where it is a number, and how many they are."""
    if slope is None:
        return like.new_zeros(2)
    kept = torch.where(slope.finite, slope.value, 0.0)
    return torch.stack([kept.sum(), slope.finite.sum().to(kept)])


def _add(gradients: dict[str, Tensor], slope: Slope, part: Tensor) -> None:
    """Add part (n, 1, 1, 1) times the slope to what is there."""
    for name, gradient in slope.gradients.items():
        here = part if gradient.ndim == 4 else part.reshape(-1, *[1] * (gradient.ndim - 1))
        if name in gradients:
            gradients[name].addcmul_(gradient, here)
        else:
            gradients[name] = gradient * here


def _report(
    gradients: Outputs, slopes: list[Slope | None], weights: Tensor, table: Tensor | None
) -> Combined:
    """Stack what was measured; idle terms have value 0 and norm 0."""
    sr = gradients["sr"]
    idle = sr.new_zeros(sr.shape[0])
    sure = torch.ones(sr.shape[0], dtype=torch.bool, device=sr.device)
    values = torch.stack([s.value if s else idle for s in slopes])
    norms = torch.stack([s.mean_norm() if s else sr.new_zeros(()) for s in slopes])
    finite = torch.stack([s.finite if s else sure for s in slopes])
    return Combined(gradients, values, norms, weights, finite, table)
