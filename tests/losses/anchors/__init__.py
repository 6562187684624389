"""Values of losses from outside this package, one file per family; test_values.py checks them.

`Anchor`: numbers of somebody else. `Twin`: the formula of the paper, in plain float64 numpy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Anchor:
    """What `expression` gives on pair a (one picture) and pair b (two), and who says so.

    "formula" as origin: float64 numpy from the definition, on these two pairs, without torch. A
    pair that the loss refuses is None. `extras` are given by name, the same to both pairs.
    """

    expression: str
    origin: str
    a: float | None
    b: tuple[float, float] | None
    tolerance: float = 1e-9  # absolute, in float64
    tolerance32: float = 1e-6


@dataclass(frozen=True)
class Twin:
    """A plain function of float64 arrays (n, c, h, w) -> (n,), given what the loss is given."""

    expression: str
    origin: str
    function: Callable[..., np.ndarray]
    needs: tuple[str, ...] = ()  # extras of acutance.losses.proof.extras, passed by name
    shape: tuple[int, int, int, int] = (2, 3, 24, 30)
    tolerance: float = 1e-9  # relative
