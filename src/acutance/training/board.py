"""TensorBoard beside our own log, where its package is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from acutance.errors import MissingPackageError


class Board(Protocol):
    """What we use of TensorBoard's writer."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Add one point to a curve."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class NoBoard:
    """Stands in where nothing is to be written."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def open_board(folder: Path, choice: str) -> Board:
    """A writer into FOLDER/tensorboard. Raises MissingPackageError if asked for in vain."""
    if choice == "off" or (choice == "auto" and find_spec("tensorboard") is None):
        return NoBoard()
    if find_spec("tensorboard") is None:
        raise MissingPackageError("tensorboard", "tensorboard", "log.tensorboard = 'on'")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))
