"""What is to be done to one picture: its colours and its alpha, each by the way asked for."""

from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from acutance.errors import InputError
from acutance.imaging.colour import to_levels
from acutance.imaging.picture import Facts, Picture
from acutance.imaging.resample import Resizing, resizing
from acutance.imaging.tiles import Part, Window
from acutance.models.card import ModelCard
from acutance.upscaling.checks import checked, finite
from acutance.upscaling.engine import Engine
from acutance.upscaling.planes import BackProjected, Blended, ByNetwork, Colours
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.sizes import passes_for, target_size
from acutance.upscaling.transparency import BLEED, bled, settled
from acutance.upscaling.windows import Enlarger, Needs, NetworkPass, averaged

CONTEXT = 32  # lr pixels around a piece, where every pixel matters and the card names no bound


@dataclass(frozen=True)
class Upscaler:
    """A model ready for many pictures."""

    engine: Engine | None = None  # None: bicubic
    base: Engine | None = None  # what strength 0 means; None: bicubic

    @property
    def scale(self) -> int | None:
        """How many times the model enlarges by itself; bicubic has no scale of its own."""
        return None if self.engine is None else self.engine.card.scale

    @property
    def engine_name(self) -> str:
        if self.engine is None:
            return "bicubic"
        return getattr(self.engine, "name", type(self.engine).__name__)

    def tag(self, before: int, after: int) -> str:
        """What made a picture whose width went from `before` to `after`: for its metadata."""
        said = f"acutance {version('acutance')}"
        if self.engine is None:
            return f"{said}, bicubic, x{after / before:.4g}"
        card = self.engine.card
        name = card.name or card.architecture
        return f"{said}, model {name}, weights {card.weights[:12]}, x{after / before:.4g}"

    @property
    def is_exact_in_pieces(self) -> bool:
        """Whether pieces give the whole: not where a network looks at the whole picture."""
        engines = [engine for engine in (self.engine, self.base) if engine is not None]
        return all(engine.card.reach is not None for engine in engines)


@dataclass(frozen=True)
class Asked:
    """Size and form of a picture, and what is to be made of it."""

    source: Facts
    size: tuple[int, int]  # H, W of the result
    how: Enlargement
    may_be_cut: bool = True  # False: a network looks at the whole picture
    in_pieces: bool = False  # it is cut all the same
    strict: bool = True  # a network's fault is one; else only what is not finite

    @property
    def source_size(self) -> tuple[int, int]:
        return self.source.height, self.source.width

    @property
    def wrap(self) -> bool:
        return self.how.edge == "wrap"


def understood(
    source: Facts, upscaler: Upscaler, how: Enlargement, *, in_pieces: bool = False
) -> Asked:
    """What is asked of a picture of these facts. Raises InputError for an impossible size."""
    if not 0 <= how.strength <= 1:
        raise InputError(f"The strength must be from 0 to 1, not {how.strength}.")
    if how.back_project < 0 or how.tta not in (1, 8):
        raise InputError("Back-projection takes 0 or more steps, and tta is 1 or 8.")
    if how.back_project and upscaler.engine is not None:
        _check_bicubic(upscaler.engine.card)
    size = target_size((source.height, source.width), how.size, native=upscaler.scale)
    may_be_cut = in_pieces or upscaler.is_exact_in_pieces
    return Asked(source, size, how, may_be_cut, in_pieces)


def _check_bicubic(card: ModelCard) -> None:
    """Back-projection knows one F: of another's lr it would bring noise and blocks back."""
    made_by = card.degradation or ("an F that learned with it" if card.shrunk_by else "")
    if made_by:
        raise InputError(
            "Back-projection makes the result agree with its input by bicubic, and "
            f"{card.name or card.architecture} was trained on pictures made small by {made_by}. "
            "Leave out --back-project, or name a model that learned from bicubic by --model small."
        )


@dataclass(frozen=True, eq=False)
class Task:
    """A picture's enlargement as a function of windows of the result."""

    colours: Enlarger
    alpha: Enlarger  # of one channel, in 0..255
    asked: Asked

    def needs(self, window: Window) -> Window:
        """What of the source is needed: within it, or beyond it where it goes on (wrap)."""
        needed = self.colours.needs(window)
        if self.asked.source.has_alpha:
            needed = needed.hull(self.alpha.needs(window))
            needed = Window(needed.rows.grown(BLEED), needed.columns.grown(BLEED))
        if self.asked.wrap:
            return needed
        height, width = self.asked.source_size
        return Window(needed.rows.within(height), needed.columns.within(width))

    def __call__(
        self, picture: Picture, seen: Window, window: Window
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Levels (h, w, c) and alpha (h, w, 1) in 0..255 of a window; `picture` is `seen` of it.

        Raises Fault where a network fails.
        """
        levels = to_levels(picture.pixels)
        if picture.pixels.dtype == np.float32 and not np.isfinite(levels).all():
            raise InputError(
                f"The picture holds numbers that are not finite in rows {seen.rows.start} to "
                f"{seen.rows.stop}. Repair it first."
            )
        if picture.alpha is None:
            return self.colours(Part(levels, seen), window), None
        alpha = to_levels(picture.alpha)[:, :, None]
        colours = self.colours(Part(bled(levels, alpha[:, :, 0]), seen), window)
        if alpha.min() >= 255:
            return colours, np.full((*colours.shape[:2], 1), 255, dtype=np.float32)
        part = Part(alpha, seen)
        made = self.alpha(part, window)
        if not isinstance(self.alpha, Resizing):
            sizes = (self.asked.source_size, self.asked.size)
            made = settled(made, window, part, sizes=sizes)
        return colours, made


def task_of(upscaler: Upscaler, asked: Asked) -> Task:
    """How the upscaler enlarges a picture, window by window."""
    colours = _way(upscaler, asked, is_grey=asked.source.channels == 1)
    return Task(colours, _way(upscaler, asked, is_grey=True), asked)


def _way(upscaler: Upscaler, asked: Asked, *, is_grey: bool) -> Enlarger:
    size, target = asked.source_size, asked.size
    enlarge = resizing(size, target, wrap=asked.wrap)
    way = _blended(upscaler, asked, enlarge, is_grey=is_grey)
    is_larger = target[0] >= size[0] and target[1] >= size[1] and target != size
    if asked.how.back_project and is_larger:
        reduce = resizing(target, size, wrap=asked.wrap)
        way = BackProjected(way, enlarge, reduce, asked.how.back_project)
    return way


def _blended(upscaler: Upscaler, asked: Asked, bicubic: Resizing, *, is_grey: bool) -> Enlarger:
    strength = asked.how.strength
    strong, weak = (
        bicubic if engine is None else _by_network(engine, asked, bicubic, is_grey=is_grey)
        for engine in (upscaler.engine, upscaler.base)
    )
    if strength == 1 or upscaler.engine is None:
        return strong
    return Blended(weak, strong, strength) if strength > 0 else weak


def needs_of(card: ModelCard, asked: Asked) -> Needs:
    """What the network needs around a piece of this picture."""
    reach = card.reach
    if reach is None and (asked.in_pieces or asked.wrap):
        reach = max(CONTEXT, 0 if card.bound is None else card.bound.overlap)
    return Needs(reach, card.multiple)


def _by_network(engine: Engine, asked: Asked, bicubic: Resizing, *, is_grey: bool) -> Enlarger:
    card, size, target = engine.card, asked.source_size, asked.size
    run = checked(engine) if asked.strict else finite(engine)
    if asked.how.tta == 8:
        run = averaged(run)
    needed = needs_of(card, asked)
    stages: list[Enlarger] = []
    for number in range(passes_for(size, target, native=card.scale)):
        clip = number > 0
        stages.append(NetworkPass(run, card.scale, size, needed, asked.wrap, clip))
        size = (size[0] * card.scale, size[1] * card.scale)
    if size != target:
        stages.append(resizing(size, target, wrap=asked.wrap))
    if not stages or (len(stages) == 1 and isinstance(stages[0], Resizing)):
        return bicubic  # it is not made larger: a network has nothing to add
    is_float = asked.source.dtype == np.float32
    colours = Colours(card.color, is_grey)
    return ByNetwork(tuple(stages), bicubic, colours, may_exceed=is_float)
