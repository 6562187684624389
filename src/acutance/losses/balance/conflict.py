"""Rules of TorchJD for gradients that pull against each other, on the gradients at the output.

They see the inner products of the terms' gradients at the picture, not at the network's weights:
the cheap place, where there is no backward pass for each term. Angles there are not those at the
weights, so this is an approximation of the published methods, and said to be one (MGDA's authors
prove it an upper bound of theirs: Sener and Koltun 2018, sec. 3.3).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from acutance.errors import MissingPackageError
from acutance.losses.balance.measured import Balance, Measured

SEED = 20260101


class ConflictAverse(Balance):
    """Weights from the inner products of the first micro-batch, by one of TorchJD's rules."""

    wants_products = True

    def __init__(self, count: int, weighting: Callable[[Tensor], Tensor]) -> None:
        super().__init__(count)
        self._weighting = weighting

    def start(self, measured: Measured) -> Tensor:
        """The rule's weights, times K over their sum: a step stays as long as that of the sum."""
        assert measured.products is not None
        products = measured.products.detach()
        with torch.random.fork_rng(devices=[]):  # pcgrad's order: of the step, not of the run
            torch.manual_seed(SEED + self.step)
            weights = self._weighting(products).to(products)
        usable = weights.isfinite().all() & (weights.sum() > 0)
        scaled = weights * (self.count / weights.sum().clamp_min(1e-12))
        return torch.where(usable, scaled, self.weights)


def pcgrad(count: int) -> Balance:
    """Each gradient loses what points against another (Yu et al. 2020)."""
    return ConflictAverse(count, _load("PCGradWeighting"))


def mgda(count: int) -> Balance:
    """The shortest vector between the gradients (Sener, Koltun 2018)."""
    return ConflictAverse(count, _load("MGDAWeighting"))


def upgrad(count: int) -> Balance:
    """The mean of the gradients, each projected to hurt no other (Quinton, Rey 2024)."""
    return ConflictAverse(count, _load("UPGradWeighting"))


def cagrad(count: int) -> Balance:
    """Near the mean, as good as it can be for the worst term; c = 0.5 (Liu et al. 2021)."""
    return ConflictAverse(count, _load("CAGradWeighting", {"c": 0.5}))


def _load(
    name: str, options: Mapping[str, Any] = MappingProxyType({})
) -> Callable[[Tensor], Tensor]:
    try:
        from torchjd import aggregation

        return getattr(aggregation, name)(**options)
    except ImportError as error:  # cagrad asks for more packages when it is made
        raise MissingPackageError("torchjd", "balance", "This balance of terms") from error
