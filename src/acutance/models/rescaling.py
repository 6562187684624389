"""A learned F and the network that enlarges, as one network; and a learned F as a file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor, nn

from acutance.errors import InputError, RunError
from acutance.models.building import COLORS, misfit
from acutance.models.card import (
    METADATA_KEY,
    REDUCTION,
    SHRINK_FILE,
    ModelCard,
    parse_reduction,
    safetensors_metadata,
)
from acutance.models.checkpoint import digest_of, read_tensors
from acutance.models.shrinker import Shrinker
from acutance.models.spread import picture_of
from acutance.storage import write_atomically

SMALL = "small"  # the output that is the small picture, for terms with on='small'


class Rescaler(nn.Module):
    """hr -> {"sr": G(q(F(hr))), "small": q(F(hr))}: F and G learn together.

    q clips to [0, 1] and rounds to 8 bits, as a file will; backwards it is the identity, as in
    Xiao et al.: Invertible Image Rescaling (ECCV 2020), sec. 3.3. So "small" is the picture that
    would be kept, and the terms on it are of that.
    """

    def __init__(self, shrinker: Shrinker, generator: nn.Module) -> None:
        super().__init__()
        self.scale = shrinker.scale
        self.channels = shrinker.channels
        self.outputs = (SMALL, *getattr(generator, "outputs", ()))
        self.shrinker = shrinker
        self.generator = generator

    def forward(self, hr: Float[Tensor, "n c h w"]) -> dict[str, Float[Tensor, "n c _ _"]]:
        small = rounded(self.shrinker(hr))
        made = self.generator(small)
        others = made if isinstance(made, dict) else {}
        return {**others, "sr": picture_of(made), SMALL: small}


class _Rounding(torch.autograd.Function):
    @staticmethod
    def forward(_context: object, values: Tensor) -> Tensor:  # pyright: ignore
        return values.clamp(0, 1).mul_(255).round_().div_(255)

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:  # pyright: ignore
        return gradient


def rounded(values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Clipped to [0, 1] and rounded to 255 steps; its gradient passes through unchanged."""
    return _Rounding.apply(values.float())  # pyright: ignore[reportReturnType]


def card_of(shrinker: Shrinker, *, name: str = "", steps: int = 0) -> ModelCard:
    """What the file of a learned F says of itself: enough to make it again."""
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in shrinker.body)
    first = cast(nn.Conv2d, shrinker.body[0])
    return ModelCard(
        architecture=REDUCTION,
        scale=shrinker.scale,
        arguments={"features": first.out_channels, "convolutions": convolutions - 2},
        color=COLORS[shrinker.channels],
        reach=shrinker.reach,
        multiple=shrinker.scale,
        name=name,
        steps=steps,
        weights=digest_of(shrinker),
    )


def save_shrinker(shrinker: Shrinker, card: ModelCard, path: Path) -> None:
    """Write a learned F with its card as .safetensors, whole or not at all."""
    tensors = {n: t.detach().cpu().contiguous() for n, t in shrinker.state_dict().items()}
    broken = next((name for name, t in tensors.items() if not t.isfinite().all()), None)
    if broken is not None:
        raise RunError(
            f"{path} is not written: the weights '{broken}' hold numbers that are not finite. "
            "Go back to an earlier snapshot and train with a smaller rate."
        )
    write_atomically(path, save(tensors, metadata={METADATA_KEY: card.to_json()}))


def find_shrinker(path: str | Path) -> Path:
    """The file of the learned F that `path` means: itself, or that of a run folder."""
    given = Path(path)
    inside = given / SHRINK_FILE
    if given.is_dir() and not inside.is_file():
        raise InputError(
            f"{given} holds no {SHRINK_FILE}. Its F was not learned, or its run has not finished. "
            "Train one with network.shrink = 'tiny', as acutance train --recipe rescale does."
        )
    if not given.is_dir() and not given.is_file():
        raise InputError(
            f"There is no learned F at {given}. Give the folder of a run that was trained with "
            f"network.shrink, or its {SHRINK_FILE}."
        )
    return inside if given.is_dir() else given


def load_shrinker(path: str | Path) -> tuple[Shrinker, ModelCard]:
    """A learned F from a run folder or its file, ready to use, with its card.

    Raises InputError for what is damaged, or a model that enlarges.
    """
    file = find_shrinker(path)
    card = parse_reduction(file, safetensors_metadata(file).get(METADATA_KEY))
    tensors = read_tensors(file)
    shrinker = _blank(file, card)
    problem = misfit(shrinker, tensors)
    if problem is not None:
        raise InputError(f"{file} does not fit its card: {problem}. Copy it again.")
    own = {name: tensor.float().clone() for name, tensor in tensors.items()}
    shrinker.load_state_dict(own, assign=True)
    return shrinker.requires_grad_(False).eval(), replace(card, reach=shrinker.reach)


def _blank(file: Path, card: ModelCard) -> Shrinker:
    channels = next(count for count, color in COLORS.items() if color == card.color)
    sizes = _sizes(file, card.arguments)
    with torch.device("meta"):  # no memory for first weights, and no random numbers
        return Shrinker(scale=card.scale, channels=channels, **sizes)


def _sizes(file: Path, arguments: Mapping[str, object]) -> dict[str, int]:
    found = {}
    for name, most in (("features", 1024), ("convolutions", 64)):
        value = arguments.get(name)
        if type(value) is not int or not 1 <= value <= most:
            raise InputError(
                f"The card of {file} is wrong: '{name}' is {value!r} instead of a number up to "
                f"{most}. Train the model again."
            )
        found[name] = value
    return found
