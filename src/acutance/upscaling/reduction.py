"""A learned F as a function of windows of the small picture, so that it works in strips."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acutance.errors import InputError
from acutance.imaging.picture import Facts
from acutance.imaging.resample import resizing
from acutance.imaging.tiles import Part, Span, Window
from acutance.models.card import ModelCard
from acutance.models.memory import keep_large_blocks
from acutance.upscaling.checks import Fault, fault_in
from acutance.upscaling.engine import told_apart
from acutance.upscaling.planes import ByNetwork, Colours
from acutance.upscaling.pytorch import usual_device
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.task import Asked, Task
from acutance.upscaling.windows import Run

if TYPE_CHECKING:
    import torch

    from acutance.models.shrinker import Shrinker

_HALVINGS = 4  # of a piece for which the memory was too small
_PLAIN = Enlargement()


class Reducer:
    """A learned F with its card, as a function of arrays."""

    def __init__(self, network: "Shrinker", card: ModelCard, device: "str | torch.device") -> None:
        keep_large_blocks()
        self.card = card
        self._device = device
        self._network = network.to(device).eval()

    def __call__(self, hr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, h / scale, w / scale).

        Raises Fault where what comes out is no picture.
        """
        import torch

        try:
            with told_apart("pytorch"), torch.inference_mode():
                given = torch.from_numpy(np.ascontiguousarray(hr)).to(self._device)
                given = given.to(memory_format=torch.channels_last)
                lr, plain = self._network(given), self._network.plain(given)
                lr, plain = lr.float().cpu().numpy(), plain.cpu().numpy()
        except MemoryError:
            raise Fault("not at all: the memory is full", halvings=_HALVINGS) from None
        how = fault_in(plain, lr)  # not beside hr, whose finest patterns are even once small
        if how is not None:
            raise Fault(how, halvings=1)
        return lr


def open_reducer(path: str | Path) -> Reducer:
    """The learned F of a run folder or of its file, on a GPU where there is one."""
    from acutance.models.rescaling import load_shrinker

    return Reducer(*load_shrinker(path), usual_device())


@dataclass(frozen=True, eq=False)
class ReductionPass:
    """One run of F over planes in 0..255 of a picture of `size` (H, W), which its scale divides."""

    run: Run
    scale: int
    reach: int  # hr pixels beyond those that lie under an lr pixel
    size: tuple[int, int]

    def needs(self, window: Window) -> Window:
        height, width = self.size
        return Window(self._span(window.rows, height), self._span(window.columns, width))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        """float32 (h, w, c) in about 0..255. Raises Fault where F fails."""
        seen = self.needs(window)
        hr = part.cut(seen).astype(np.float32) / np.float32(255)
        lr = self.run(hr.transpose(2, 0, 1)[None])
        rows, columns = (
            target.slice_of(Span(source.start // self.scale, source.stop // self.scale))
            for target, source in ((window.rows, seen.rows), (window.columns, seen.columns))
        )
        return lr[0, :, rows, columns].transpose(1, 2, 0) * np.float32(255)

    def _span(self, span: Span, length: int) -> Span:
        margin = -(-self.reach // self.scale) * self.scale  # pieces begin between lr pixels
        return Span(span.start * self.scale, span.stop * self.scale).grown(margin).within(length)


def reduction_task(reducer: Reducer, source: Facts) -> Task:
    """How a picture of these facts is made small, window by window of the result.

    Rows below and columns to the right that the scale does not divide are left out. A luma F
    makes Y; Cb, Cr and alpha are reduced by bicubic. Raises InputError for what is too small.
    """
    scale = reducer.card.scale
    size = (source.height // scale, source.width // scale)
    if min(size) < 1:
        raise InputError(
            f"A picture of {source.width}x{source.height} cannot be made {scale} times smaller."
        )
    cropped = replace(source, height=size[0] * scale, width=size[1] * scale)
    whole = (cropped.height, cropped.width)
    bicubic = resizing(whole, size)
    made = ReductionPass(reducer, scale, reducer.card.reach or 0, whole)
    colours = Colours(reducer.card.color, source.channels == 1)
    is_float = source.dtype == np.float32
    way = ByNetwork((made,), bicubic, colours, may_exceed=is_float)
    return Task(way, bicubic, Asked(cropped, size, _PLAIN))
