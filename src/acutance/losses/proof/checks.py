"""The contract of losses as checks: each takes any loss and what it claims, raises FaultError.

The names are the points of acutance.losses.contract.POINTS. A package that brings a loss of its
own runs them all by acutance.losses.proof.suite.prove, or from the command line by `acutance
check-loss`; small wrong losses show that each of them can fail (tests/losses/mutants.py).
"""

from collections.abc import Callable

from acutance.losses.contract import Contract
from acutance.losses.proof.machine import SYNCS, compile, determinism, memory, no_host_sync
from acutance.losses.proof.probe import Function, slope
from acutance.losses.proof.robustness import (
    degenerate,
    finite_at_equality,
    layout,
    out_of_range,
    precision,
    sizes,
)
from acutance.losses.proof.values import (
    blind_spots,
    descends,
    gradcheck,
    homogeneity,
    minimum_at_equality,
    per_picture,
    shape_and_type,
    symmetry,
    tiling,
)

__all__ = ["CHECKS", "SYNCS", "Function", "slope"]

CHECKS: dict[str, Callable[[Function, Contract], None]] = {
    check.__name__: check
    for check in (
        shape_and_type,
        out_of_range,
        finite_at_equality,
        minimum_at_equality,
        per_picture,
        gradcheck,
        symmetry,
        homogeneity,
        blind_spots,
        tiling,
        degenerate,
        precision,
        layout,
        sizes,
        determinism,
        no_host_sync,
        compile,
        descends,
        memory,
    )
}
