"""Weights between those of two or more models of one origin: "a:0.7,b:0.3"."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from acutance.errors import InputError
from acutance.models.bundled import best_scale, family

if TYPE_CHECKING:
    from torch import Tensor, nn

    from acutance.models.card import ModelCard

SUM_TOLERANCE = 1e-6
LEAST_LIKENESS = 0.5
"""Smallest cosine between the weights of two models that are taken to be of one origin."""

_SHARE = re.compile(r"(.+?):(-?\d*\.?\d+)(?:,|$)")  # a path may hold "," and, before a letter, ":"
_SAME = ("architecture", "scale", "color", "head", "arguments")  # of the cards, in this order


def parse_mixture(text: str) -> str | dict[str, float]:
    """Take "a:0.7,b:0.3" apart into models and weights; any other text is one model, and itself.

    A file that has the whole text as its name goes before. Weights are told from drive letters by
    being numbers at the end of a part. Raises InputError where some parts have a weight and others
    do not, for one model twice, and for weights that `check_weights` refuses.
    """
    parts = list(_SHARE.finditer(text))
    if not parts or Path(text).exists():
        return text
    if parts[-1].end() != len(text) or text.endswith(","):
        rest = text[parts[-1].end() :] or ","
        raise InputError(
            f"The models '{text}' cannot be mixed: '{rest}' has no weight. "
            "Give each its own, as in a:0.7,b:0.3"
        )
    names = [part[1] for part in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The models '{text}' name '{twice}' twice. Add up its weights.")
    weights = {part[1]: float(part[2]) for part in parts}
    check_weights(weights)
    return weights


def members_for(text: str, scale: object) -> str:
    """A mixture whose bundled families stand for their files of one scale, the best for `scale`.

    That is one that all of them have; without `scale` the lowest. Any other text is itself.
    """
    if isinstance(parse_mixture(text), str):
        return text
    found = [files for part in _SHARE.finditer(text) if (files := family(part[1]))]
    shared = set.intersection(*map(set, found)) if found else set()
    if not shared:
        return text
    chosen = best_scale(shared, scale) if isinstance(scale, int | Fraction) else min(shared)

    def told(part: re.Match[str]) -> str:
        files = family(part[1])
        return (files[chosen].stem if files else part[1]) + part[0][len(part[1]) :]

    return _SHARE.sub(told, text)


def check_weights(weights: Mapping[str, float]) -> None:
    """Refuse weights that do not sum to 1, and a mixture of nothing.

    Negative ones are allowed: they go beyond a model, away from the other.
    """
    if not weights:
        raise InputError("A mixture needs at least one model, as in a:0.7,b:0.3")
    total = sum(weights.values())
    if not abs(total - 1) <= SUM_TOLERANCE:
        advice = ", ".join(f"{name}:{w / total:.4g}" for name, w in weights.items() if total)
        raise InputError(
            f"The weights of a mixture must sum to 1, not {total:g}."
            + (f" In these proportions: {advice.replace(', ', ',')}" if advice else "")
        )


def mixed(weights: Mapping[str, float]) -> "nn.Module":
    """The network whose weights are the weighted sum of those of the models, with its `.card`.

    `weights` maps run folders or model files to numbers that sum to 1. Wang et al., ESRGAN (ECCV
    Workshops 2018), sec. 3.4, "network interpolation". Sums are formed in float64. The models must
    be of one origin: one network of the same constants, and weights that point the same way, as
    those of a model and of the one it was trained on from do. Between others lie no useful
    weights. The means and variances of batch norm are summed like weights, which is near what they
    would be where the models are near each other. Raises InputError naming the difference.
    """
    from acutance.models.checkpoint import load_model, stamped

    check_weights(weights)
    networks = {name: load_model(name) for name in weights}
    first, *others = networks.items()
    for other in others:
        _check_one_origin(first, other)
    network, state = first[1], {name: n.state_dict() for name, n in networks.items()}
    summed = {
        key: _weighted({name: state[name][key] for name in weights}, weights)
        for key in state[first[0]]
    }
    _check_variances(summed)
    network.load_state_dict(summed)
    card = _card(first[1]), [_card(other) for _, other in others]
    network.card = stamped(_mixed_card(*card, weights), network)  # pyright: ignore
    return network


def _weighted(tensors: "Mapping[str, Tensor]", weights: Mapping[str, float]) -> "Tensor":
    first = next(iter(tensors.values()))
    if not first.is_floating_point():  # counters and index tables, alike in all
        return first
    total = sum(weights[name] * tensor.double() for name, tensor in tensors.items())
    return total.to(first.dtype)  # pyright: ignore


def _check_variances(summed: "Mapping[str, Tensor]") -> None:
    """Weights below 0 may take the running variances of batch norm below it, and give NaN."""
    broken = next((k for k, t in summed.items() if k.endswith("running_var") and t.min() < 0), None)
    if broken is not None:
        raise InputError(
            f"These weights of a mixture make the variance '{broken}' of batch norm negative. "
            "Use weights between 0 and 1."
        )


def _check_one_origin(one: "tuple[str, nn.Module]", other: "tuple[str, nn.Module]") -> None:
    (name, network), (other_name, other_network) = one, other
    card, other_card = _card(network), _card(other_network)
    for field in _SAME:
        mine, its = getattr(card, field), getattr(other_card, field)
        if mine != its:
            raise InputError(
                f"{name} and {other_name} cannot be mixed: {_difference(field, mine, its)}. "
                "Only models of one network, with the same constants, have weights in common."
            )
    likeness = _likeness(network, other_network)
    if not likeness >= LEAST_LIKENESS:
        raise InputError(
            f"{name} and {other_name} cannot be mixed: their weights have little in common "
            f"(cosine {likeness:.2f}), so they were trained apart. Mix a model with one that was "
            "trained on from it."
        )


def _difference(field: str, mine: object, its: object) -> str:
    if isinstance(mine, Mapping) and isinstance(its, Mapping):
        field = next(key for key in {**mine, **its} if mine.get(key) != its.get(key))
        mine, its = mine.get(field), its.get(field)
    return f"{field} is {mine!r} in the one and {its!r} in the other"


def _likeness(network: "nn.Module", other: "nn.Module") -> float:
    """The cosine between all kernels of two networks; biases are alike without reason."""
    dot = mine = its = 0.0
    state = other.state_dict()
    for key, tensor in network.state_dict().items():
        if tensor.ndim >= 2 and tensor.is_floating_point():
            a, b = tensor.double(), state[key].double()
            dot += float((a * b).sum())
            mine += float(a.square().sum())
            its += float(b.square().sum())
    return dot / (mine * its) ** 0.5 if mine and its else 0.0


def _card(network: "nn.Module") -> "ModelCard":
    return network.card  # pyright: ignore[reportReturnType]


def _mixed_card(
    first: "ModelCard", others: "list[ModelCard]", weights: Mapping[str, float]
) -> "ModelCard":
    """The first card without what is true of it alone, named after the mixture."""
    cards = [first, *others]
    text = {
        field.name: " + ".join(dict.fromkeys(getattr(card, field.name) for card in cards))
        for field in fields(first)
        if field.name in ("loss", "data", "licence", "data_terms", "bad_at")
    }
    names = [card.name or Path(path).stem for card, path in zip(cards, weights, strict=True)]
    shares = zip(weights.values(), names, strict=True)
    name = " + ".join(f"{weight:g} {name}" for weight, name in shares)
    mixture = replace(first, scores=None, seeds=(), int8=None, weights="")
    return replace(mixture, name=name, steps=max(card.steps for card in cards), **text)
