"""What weights made elsewhere are, told by the names and shapes of their layers alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from acutance.models.building import COLORS
from acutance.models.card import ModelCard
from acutance.models.entry import entry_of_kernel
from acutance.models.preset import Constant
from acutance.models.rlfn import folded
from acutance.models.span import with_branches

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Recognised:
    """The card of weights, and the weights under our names."""

    card: ModelCard
    tensors: Tensors
    scales: tuple[int, ...] = ()  # where the shapes leave the scale open; the card has the first


def recognised(tensors: Tensors) -> Recognised | None:
    """The first layout that the weights fit; None where they fit none."""
    for layout in LAYOUTS:
        found = layout(tensors)
        if found is not None:
            return found
    return None


def as_ours(architecture: str, tensors: Tensors) -> Tensors:
    """Weights of a network that was named, under our names and for [0, 1]."""
    if architecture == "rlfn":
        return folded(tensors)
    if architecture == "span":
        return with_branches(tensors)
    return renamed_esrgan(tensors) if architecture == "esrgan" else tensors


def _found(
    network: str, scale: int, arguments: Mapping[str, Constant], tensors: Tensors
) -> Recognised | None:
    channels = arguments["channels"]
    if not isinstance(channels, int) or channels not in COLORS:
        return None
    card = ModelCard(network, scale=scale, arguments=arguments, color=COLORS[channels])
    return Recognised(card, tensors)


def _compact(tensors: Tensors) -> Recognised | None:
    """The community's layout: body.0 a convolution, body.1 a PReLU, ... body.N a convolution.

    Width, depth, channels and scale are read from the shapes. Without the slopes of PReLU the
    activation cannot be known, so such files are not recognised.
    """
    found = [re.fullmatch(r"body\.(\d+)\.(weight|bias)", name) for name in tensors]
    numbers = [int(match[1]) for match in found if match]
    if not numbers or None in found or max(numbers) % 2 or max(numbers) < 4:
        return None
    first, last = _kernel(tensors, "body.0"), _kernel(tensors, f"body.{max(numbers)}")
    slopes = tensors.get("body.1.weight")
    if first is None or slopes is None or last is None or slopes.ndim != 1:
        return None
    # the channels that are seen are 1 or 3 times a square, never both
    fitting = [(c, entry) for c in COLORS if (entry := entry_of_kernel(first, c)) is not None]
    if not fitting:
        return None
    channels, entry = fitting[0]
    arguments = {
        "channels": channels,
        "features": first[0],
        "convolutions": max(numbers) // 2 - 1,
        "activation": "prelu",
        "skip": "nearest",
        **entry,
    }
    scale, rest = divmod(_root(last[0], channels), entry["unshuffle"] * entry["strided"])
    return _found("compact", scale, arguments, tensors) if scale and not rest else None


def _imdn(tensors: Tensors) -> Recognised | None:
    """Six IMDBs between fea_conv and upsampler.0, as the authors' files have them."""
    first, last = _kernel(tensors, "fea_conv"), _kernel(tensors, "upsampler.0")
    if first is None or last is None or "IMDB6.c5.weight" not in tensors:
        return None
    arguments = {"channels": first[1], "features": first[0]}
    return _found("imdn", _root(last[0], first[1]), arguments, tensors)


def _rlfn(tensors: Tensors) -> Recognised | None:
    """Six blocks between conv_1 and upsampler.0, as the authors' files have them, for 0..255."""
    first, last = _kernel(tensors, "conv_1"), _kernel(tensors, "upsampler.0")
    if first is None or last is None or "block_6.esa.conv_f.weight" not in tensors:
        return None
    arguments = {"channels": first[1], "features": first[0]}
    return _found("rlfn", _root(last[0], first[1]), arguments, folded(tensors))


def _pan(tensors: Tensors) -> Recognised | None:
    """SCPA_trunk between conv_first and conv_last. Nothing in the shapes tells x2 from x3."""
    first, tail = _kernel(tensors, "conv_first"), _kernel(tensors, "upconv1")
    blocks = _count(tensors, r"SCPA_trunk\.(\d+)\.conv3\.weight")
    if first is None or tail is None or not blocks:
        return None
    arguments = {
        "channels": first[1],
        "features": first[0],
        "tail_features": tail[0],
        "blocks": blocks,
    }
    if "upconv2.weight" in tensors:
        return _found("pan", 4, arguments, tensors)
    found = _found("pan", 2, arguments, tensors)
    return replace(found, scales=(2, 3)) if found is not None else None


def _esrgan(tensors: Tensors) -> Recognised | None:
    """ESRGAN's network under any of its three sets of names; 12 or 48 channels are unshuffled."""
    ours = renamed_esrgan(tensors)
    first, last = _kernel(ours, "conv_first"), _kernel(ours, "conv_last")
    growth = _kernel(ours, "body.0.rdb1.conv1")
    blocks = _count(ours, r"body\.(\d+)\.rdb1\.conv1\.weight")
    if first is None or last is None or growth is None or not blocks:
        return None
    channels = last[0]
    entry = entry_of_kernel(first, channels)
    enlargements = _count(ours, r"conv_up(\d+)\.weight", start=1)
    if entry is None or 2**enlargements % (entry["unshuffle"] * entry["strided"]):
        return None
    arguments = {
        "channels": channels,
        "features": first[0],
        "growth": growth[0],
        "blocks": blocks,
        **entry,
    }
    scale = 2**enlargements // (entry["unshuffle"] * entry["strided"])
    return _found("esrgan", scale, arguments, ours)


def _span(tensors: Tensors) -> Recognised | None:
    """Six blocks between conv_1 and upsampler.0, each convolution as branches, merged, or both.

    "no_norm" marks those that see the picture as it is. Files that take something else than 255
    or another mean off it cannot be told from those of the authors.
    """
    full = with_branches(tensors)
    first, last = _kernel(full, "conv_1.sk"), _kernel(full, "upsampler.0")
    needed = ("block_1.c1_r.sk.bias", "block_6.c3_r.sk.bias", "conv_2.sk.bias", "conv_cat.bias")
    if first is None or last is None or any(name not in full for name in needed):
        return None
    arguments = {"channels": first[1], "features": first[0], "norm": "no_norm" not in tensors}
    return _found("span", _root(last[0], first[1]), arguments, full)


LAYOUTS: tuple[Callable[[Tensors], Recognised | None], ...] = (
    _compact,
    _imdn,
    _rlfn,
    _pan,
    _esrgan,
    _span,
)


def renamed_esrgan(tensors: Tensors) -> Tensors:
    """ESRGAN's weights under the names that Real-ESRGAN gives them, which are ours.

    Two older sets of names are known: model.0, model.1.sub.N.RDB1.conv1.0 ... where the tail is
    numbered by its place in a chain, and conv_first, RRDB_trunk.N.RDB1.conv1 ... HRconv. Names of
    neither stay as they are.
    """
    chain = sorted(
        {int(m[1]) for name in tensors if (m := re.fullmatch(r"model\.(\d+)\.weight", name))}
    )
    places: dict[str, str] = {}
    if len(chain) >= 3 and chain[0] == 0:
        ups = {f"model.{place}": f"conv_up{n}" for n, place in enumerate(chain[1:-2], start=1)}
        ends = {f"model.{chain[-2]}": "conv_hr", f"model.{chain[-1]}": "conv_last"}
        places = {"model.0": "conv_first", **ups, **ends}
    return {_renamed(name, places): tensor for name, tensor in tensors.items()}


def _renamed(name: str, places: Mapping[str, str]) -> str:
    module, _, kind = name.rpartition(".")
    if module in places:
        return f"{places[module]}.{kind}"
    for pattern, ours in _OLDER:
        found = pattern.fullmatch(module)
        if found:
            return f"{found.expand(ours)}.{kind}"
    return name


_OLDER = tuple(
    (re.compile(pattern), ours)
    for pattern, ours in (
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0", r"body.\1.rdb\2.conv\3"),
        (r"model\.1\.sub\.\d+", "conv_body"),
        (r"RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)", r"body.\1.rdb\2.conv\3"),
        ("trunk_conv", "conv_body"),
        (r"upconv(\d)", r"conv_up\1"),
        ("HRconv", "conv_hr"),
    )
)


def _kernel(tensors: Tensors, module: str) -> tuple[int, ...] | None:
    """The shape of a convolution's weights; None where there is no such convolution."""
    weight = tensors.get(f"{module}.weight")
    return tuple(weight.shape) if weight is not None and weight.ndim == 4 else None


def _count(tensors: Tensors, pattern: str, *, start: int = 0) -> int:
    """How many of the numbers that `pattern` catches follow each other from `start`."""
    found = {int(match[1]) for name in tensors if (match := re.fullmatch(pattern, name))}
    count = 0
    while start + count in found:
        count += 1
    return count


def _root(many: int, channels: int) -> int:
    """The scale whose square of phases, for each channel, makes `many` channels."""
    return round((many / channels) ** 0.5) if channels else 0
