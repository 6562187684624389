"""The card of a loss: what it says of itself, and what is measured here."""

import inspect
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from acutance.losses import ALIASES, LOSSES, family
from acutance.losses.declarations import declared
from acutance.losses.proof.blindness import BLIND
from acutance.losses.proof.machine import peak_memory
from acutance.losses.proof.pictures import hostile, noise_pair, target_levels
from acutance.losses.proof.probe import fitting, slope
from acutance.study.atlas.distortions import DISTORTIONS
from acutance.study.atlas.shown import Shown, show

MIB = 2**20
REPEATS = 5
SHOWN_ERRORS = ("noise", "blur", "missing detail", "JPEG", "shift", "brightness", "chroma")


@dataclass(frozen=True)
class Reading:
    """A loss at one standard error: mean over the pictures."""

    error: str
    value: float
    slope: float  # norm of the gradient, per picture
    relative: float  # that norm, over the one of l1
    cosine: float  # between both gradients


@dataclass(frozen=True)
class LossCard:
    """All that is known of a loss; generated, never written by hand."""

    name: str
    aliases: tuple[str, ...]
    family: str
    about: str
    text: str  # formula and reasons: the docstring
    source: str
    expression: str  # as measured
    options: tuple[tuple[str, str], ...]
    claims: tuple[tuple[str, str], ...]
    blind_to: tuple[str, ...]
    exceptions: tuple[tuple[str, str], ...]
    readings: tuple[Reading, ...]
    largest: float  # seen among hostile pairs
    cost_ms: float  # forth and back, eight pictures of 192 pixels (or the least it takes)
    cost_relative: float  # to l1, measured beside it
    peak_mib: float


def measure(name: str) -> LossCard:
    """Read and measure the loss `name`; some seconds. Raises InputError for an unknown name."""
    name = ALIASES.get(name, name)
    shown = show(name)
    declaration = declared(name)
    contract = shown.contract
    cost, relative = _cost(shown)
    least = fitting(192, contract)
    return LossCard(
        name=name,
        aliases=tuple(sorted(a for a, n in ALIASES.items() if n == name)),
        family=family(name),
        about=declaration.line.partition(": ")[2] or declaration.line,
        text=inspect.getdoc(LOSSES.load(name)) or "",
        source=contract.source,
        expression=shown.expression,
        options=tuple((o.name, o.default) for o in declaration.options or ()),
        claims=_claims(shown),
        blind_to=tuple(f"{spot}: {BLIND[spot][0]}" for spot in contract.blind_to),
        exceptions=tuple(contract.exceptions.items()),
        readings=_readings(shown),
        largest=_largest(shown),
        cost_ms=cost,
        cost_relative=relative,
        peak_mib=peak_memory(shown.loss, contract) * 8 * 3 * least**2 * 4 / MIB,
    )


def _claims(shown: Shown) -> tuple[tuple[str, str], ...]:
    contract = shown.contract
    value = contract.at_identity
    sides = f"{contract.min_size} pixels" + (
        f", divisible by {contract.multiple}" if contract.multiple > 1 else ""
    )
    colours = " or ".join(map(str, contract.channels)) or "any number of"
    degree = contract.degree
    return (
        ("returns", "one value per picture, smaller is better; pictures in [0, 1]"),
        ("at equality", "depends on the picture" if value is None else f"{value:g}"),
        ("zero only there", "yes" if contract.injective else "no, see below"),
        ("symmetric", "yes" if contract.symmetric else "no"),
        ("times t when the error is", "not a power" if degree is None else f"t^{degree:g}"),
        ("smallest side", sides),
        ("channels", colours),
        ("asks for", ", ".join(contract.needs) or "nothing beside sr and hr"),
    )


def _readings(shown: Shown) -> tuple[Reading, ...]:
    h, w = (fitting(side, shown.contract) for side in (96, 128))
    hr = torch.from_numpy(target_levels(2, 3, h, w) / 255.0).float()
    l1 = show("l1").loss
    found = []
    for distortion in DISTORTIONS:
        if distortion.name in SHOWN_ERRORS:
            strength = distortion.strengths[1]
            sr = distortion.make(hr, strength).float()
            value, gradient = slope(shown.loss, sr, hr)
            _, reference = slope(l1, sr, hr)
            found.append(_reading(f"{distortion.name} {strength:g}", value, gradient, reference))
    return tuple(found)


def _reading(error: str, value: Tensor, gradient: Tensor, reference: Tensor) -> Reading:
    own, other = gradient.flatten(1), reference.flatten(1)
    norm, base = own.norm(dim=1), other.norm(dim=1)
    cosine = torch.cosine_similarity(own, other, dim=1)
    return Reading(
        error,
        value.mean().item(),
        norm.mean().item(),
        (norm / base.clamp_min(1e-30)).mean().item(),
        cosine.mean().item(),
    )


def _largest(shown: Shown) -> float:
    h, w = (fitting(side, shown.contract) for side in (48, 64))
    with torch.no_grad():
        return max(shown.loss(sr, hr).max().item() for _, sr, hr in hostile(h, w))


def _cost(shown: Shown) -> tuple[float, float]:
    """Median ms of forth and back, and the ratio to l1 timed in turn."""
    least = fitting(192, shown.contract)
    sr, hr = noise_pair(8, 3, least, least)
    l1 = show("l1").loss
    times: dict[str, list[float]] = {"own": [], "l1": []}
    for _ in range(REPEATS + 1):
        for key, loss in (("own", shown.loss), ("l1", l1)):
            began = time.perf_counter()
            slope(loss, sr, hr)
            times[key].append(1000 * (time.perf_counter() - began))
    own, base = (statistics.median(times[key][1:]) for key in ("own", "l1"))
    return own, own / base
