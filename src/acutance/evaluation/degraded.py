"""Where the picture that a method is shown comes from, if not from MATLAB's bicubic."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from acutance.data.degradations.chain import degrade
from acutance.data.degradations.crops import draw_for
from acutance.data.degradations.expression import parse_degradation


class Make(Protocol):
    """F as a function of pictures."""

    def __call__(self, hr: np.ndarray, *, scale: int, draw: np.random.Generator) -> np.ndarray:
        """lr (H / scale, W / scale, c), uint8 or float32, of uint8 (H, W, c)."""
        ...


@dataclass(frozen=True, eq=False)
class Degraded:
    """How lr is made: `text` and `seed` stand in the scores, so `text` says all of `make`."""

    text: str
    make: Make
    seed: int = 0

    def of(self, hr: np.ndarray, name: str, *, scale: int) -> np.ndarray:
        """lr of the picture `name`, whose draws depend on the seed and on the name alone."""
        return self.make(hr, scale=scale, draw=draw_for(name, seed=self.seed))


def degraded_by(text: str, *, seed: int = 0) -> Degraded:
    """By the chain that `text` is; raises InputError where it is none."""
    chain = parse_degradation(text)
    return Degraded(str(chain), partial(degrade, chain=chain), seed)
