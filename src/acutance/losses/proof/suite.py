"""Prove a loss: run every check of the contract on it and say what came of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from acutance.catalog import nearest
from acutance.errors import InputError
from acutance.losses.contract import POINTS, Contract
from acutance.losses.proof.checks import CHECKS
from acutance.losses.proof.fault import FaultError, tried_on
from acutance.losses.proof.mending import how_to_mend
from acutance.losses.proof.subject import subject

# passed; failed; excused: fails as its contract says; needless: passes, though it is excused
Verdict = Literal["passed", "failed", "excused", "needless"]


@dataclass(frozen=True)
class Row:
    """What came of one point: for a fault what is wrong, the input that shows it, and the cure."""

    point: str
    verdict: Verdict
    what: str = ""  # of a fault; of an exception its declared reason
    shown_by: str = ""
    mend: str = ""

    @property
    def holds(self) -> bool:
        """Whether the loss does here what its contract says."""
        return self.verdict in ("passed", "excused")

    def __str__(self) -> str:
        lines = [f"{self.point}: {self.verdict}", self.what]
        lines += [f"shown by {self.shown_by}"] * bool(self.shown_by)
        lines += [f"to mend it: {self.mend}"] * bool(self.mend)
        return "\n  ".join(line for line in lines if line)


@dataclass(frozen=True)
class Proof:
    """The rows of all points that were run, in the order of POINTS."""

    rows: tuple[Row, ...]

    @property
    def holds(self) -> bool:
        """Whether every point does what the contract says."""
        return all(row.holds for row in self.rows)

    @property
    def faults(self) -> tuple[Row, ...]:
        """The rows that do not hold; the first one is the one to mend first."""
        return tuple(row for row in self.rows if not row.holds)

    def __str__(self) -> str:
        return "\n".join(str(row) for row in self.faults) or "every point holds"


def prove(found: Callable[..., Any], contract: Contract, points: Sequence[str] = POINTS) -> Proof:
    """Run `points` on a loss, a function or a class of nn.Module, as its contract claims.

    In the tests of a package that brings a loss: `proof = prove(mine, CONTRACT)` and
    `assert proof.holds, proof`.
    """
    return Proof(tuple(rows(found, contract, points)))


def rows(
    found: Callable[..., Any], contract: Contract, points: Sequence[str] = POINTS
) -> Iterator[Row]:
    """The rows of `prove`, one by one as they come."""
    for point in points:
        if point not in CHECKS:
            raise InputError(f"A contract has no point '{point}'. {nearest(point, POINTS)}")
    loss = subject(found, contract)
    for point in points:
        reason = contract.exceptions.get(point)
        try:
            with tried_on("every input"):
                CHECKS[point](loss, contract)
        except FaultError as fault:
            if reason is not None:
                yield Row(point, "excused", reason)
                continue
            mend = how_to_mend(point, fault.what)
            yield Row(point, "failed", fault.what, fault.shown_by, mend)
        else:
            yield _passed(point, reason)


def _passed(point: str, reason: str | None) -> Row:
    if reason is None:
        return Row(point, "passed")
    return Row(
        point,
        "needless",
        f"the check passes, and the contract excuses it: {reason}",
        mend=f"Take '{point}' out of the exceptions of the CONTRACT.",
    )
