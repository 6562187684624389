"""The ways to enlarge colours in 0..255: by bicubic, by a network, and what is made of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acutance.imaging.colour import luma, rgb_to_ycbcr, ycbcr_to_rgb
from acutance.imaging.resample import Resizing
from acutance.imaging.tiles import Part, Window
from acutance.upscaling.windows import Enlarger, needed_by, through

_GREY_TO_LUMA = 219 / 255  # BT.601: black is 16, white 235


@dataclass(frozen=True)
class Colours:
    """What a network sees of a picture, and how a picture is made of what it gives."""

    color: str  # of the network's card
    is_grey: bool  # the picture

    def seen(self, levels: np.ndarray) -> np.ndarray:
        """Levels (h, w, 1 or 3) as the network's planes, and for a luma network Cb and Cr."""
        if self.color == "luma":
            if self.is_grey:  # as if the grey were red, green and blue: Y spans 16..235
                return 16 + _GREY_TO_LUMA * levels.astype(np.float64)
            return rgb_to_ycbcr(levels)
        return np.repeat(levels, 3, axis=2) if self.is_grey else levels

    def shown(self, planes: np.ndarray, chroma: np.ndarray | None) -> np.ndarray:
        """What the network gave as levels (H, W, 1 or 3); grey of an RGB network is its luma."""
        if chroma is not None:
            return ycbcr_to_rgb(np.concatenate([planes, chroma], axis=2))
        if not self.is_grey:
            return planes
        y = planes if self.color == "luma" else luma(planes)[:, :, None]
        return (y - 16) / _GREY_TO_LUMA

    @property
    def channels(self) -> int:
        return 1 if self.color == "luma" else 3

    @property
    def has_chroma(self) -> bool:
        return self.color == "luma" and not self.is_grey


@dataclass(frozen=True, eq=False)
class ByNetwork:
    """Runs of a network and what brings their result to its size; Cb and Cr by bicubic.

    What of a floating point picture lies above white is no matter for a network either.
    """

    stages: Sequence[Enlarger]
    bicubic: Resizing
    colours: Colours
    may_exceed: bool  # levels can lie outside 0..255

    def needs(self, window: Window) -> Window:
        return needed_by(self.stages, window)[0].hull(self.bicubic.needs(window))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        needed = self.needs(window)
        given = part.cut(needed)
        levels = np.clip(given, 0, 255) if self.may_exceed else given
        seen = self.colours.seen(levels)
        count = self.colours.channels
        planes = through(self.stages, Part(seen[:, :, :count], needed), window)
        chroma = None
        if self.colours.has_chroma:
            chroma = self.bicubic(Part(seen[:, :, 1:], needed), window)
        made = self.colours.shown(planes, chroma)
        if self.may_exceed:
            above = np.maximum(given - np.float32(255), 0)
            made = made + self.bicubic(Part(above, needed), window)
        return made


@dataclass(frozen=True, eq=False)
class Blended:
    """(1 - strength) of one way and `strength` of another, before rounding."""

    weak: Enlarger
    strong: Enlarger
    strength: float

    def needs(self, window: Window) -> Window:
        return self.weak.needs(window).hull(self.strong.needs(window))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        weak = self.weak(part, window)
        return weak + np.float32(self.strength) * (self.strong(part, window) - weak)


@dataclass(frozen=True, eq=False)
class BackProjected:
    """sr + enlarge(lr - F(sr)), `steps` times: F(sr) comes near lr.

    Irani and Peleg: Improving resolution by image registration (1991), with the bicubic
    enlargement as the back-projection kernel and F the antialiased bicubic reduction.
    """

    way: Enlarger
    enlarge: Resizing
    reduce: Resizing
    steps: int

    def needs(self, window: Window) -> Window:
        first = self._windows(window)[0]
        return self.way.needs(first).hull(self.enlarge.needs(first))

    def __call__(self, part: Part, window: Window) -> np.ndarray:
        first, *later = self._windows(window)
        sr = Part(self.way(part, first), first)
        for wanted in later:
            lr = self.enlarge.needs(wanted)
            missing = Part(part.cut(lr) - self.reduce(sr, lr), lr)
            sr = Part(sr.cut(wanted) + self.enlarge(missing, wanted), wanted)
        return sr.values

    def _windows(self, window: Window) -> list[Window]:
        """What has to be known before the first step, and after each."""
        windows = [window]
        for _ in range(self.steps):
            wanted = windows[-1]
            windows.append(wanted.hull(self.reduce.needs(self.enlarge.needs(wanted))))
        return windows[::-1]
