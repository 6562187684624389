"""Networks that the package spandrel knows and we do not, as networks of ours."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from acutance.errors import InputError, MissingPackageError
from acutance.models.building import COLORS
from acutance.models.card import ModelCard
from acutance.models.reach import measured_reach
from acutance.models.upsamplers import mirrored_to

PREFIX = "spandrel:"
"""How the architecture of such a network begins in its card: "spandrel:HAT"."""
_OWN = "model."  # where the adopted network stands in the adapter, in the names of the weights


def is_adopted(card: ModelCard) -> bool:
    """Whether the network of `card` is built by spandrel."""
    return card.architecture.startswith(PREFIX)


def adopted(tensors: Mapping[str, Tensor], file: Path) -> "tuple[Adopted, ModelCard]":
    """The network that spandrel recognises in `tensors`, and its card; the weights are handed over.

    spandrel never opens `file`, which only the errors name. Raises MissingPackageError without
    spandrel, InputError where it knows no such network or it is no enlargement of pictures.
    """
    try:
        import spandrel  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise MissingPackageError("spandrel", "community", f"Recognising {file}") from error
    own = {name.removeprefix(_OWN): tensor for name, tensor in tensors.items()}
    try:
        found = spandrel.ModelLoader().load_from_state_dict(own)
    except Exception as error:  # it builds whatever the shapes say, and may fail in any way
        raise InputError(
            f"{file} has layers of no layout that is known, neither here nor to spandrel "
            f"({type(error).__name__}). Name its architecture, as in "
            "architecture='compact:general@4'."
        ) from error
    name = found.architecture.id
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise InputError(f"{file} holds a network that needs a mask ({name}): nothing to enlarge.")
    channels = found.input_channels
    if channels != found.output_channels or channels not in COLORS:
        raise InputError(
            f"{file} ({name}) takes {channels} channels and gives {found.output_channels}. "
            "Only networks from grey to grey or from RGB to RGB are pictures to pictures."
        )
    if found.scale < 1:
        raise InputError(f"{file} ({name}) makes pictures smaller, not larger.")
    network = Adopted(found)
    card = ModelCard(PREFIX + name, scale=found.scale, color=COLORS[channels])
    return network.eval(), replace(card, name=file.stem)


class Adopted(nn.Module):
    """A network of spandrel with the attributes of ours: scale, channels, reach, multiple.

    Sizes that it does not take are widened by the mirrored picture, below and to the right, and
    the result is cut. Values are those of the network, not clipped.
    """

    bound = None

    def __init__(self, found) -> None:
        super().__init__()
        self.scale = int(found.scale)
        self.channels = int(found.input_channels)
        needs = found.size_requirements
        self.multiple = max(int(needs.multiple_of or 1), 1)
        self.minimum = max(int(needs.minimum or 1), 1)
        self.is_square = bool(needs.square)
        self.model: nn.Module = found.model
        self.reach = None if self.is_square else measured_reach(self)

    def forward(self, lr: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c sh sw"]:
        height, width = lr.shape[2], lr.shape[3]
        if self.is_square:
            side = max(height, width, self.minimum)
            lr = mirrored_to(lr, lambda size: self._fitting(max(side, size)))
        elif self.multiple > 1 or self.minimum > 1:
            lr = mirrored_to(lr, lambda size: self._fitting(max(size, self.minimum)))
        sr = self.model(lr)
        return sr[:, :, : height * self.scale, : width * self.scale]

    def _fitting(self, size: int) -> int:
        return size + -size % self.multiple
