"""The contract can fail: every check catches the wrong losses it is there for."""

import pytest
import torch
from tests.losses.checks import CHECKS
from tests.losses.mutants import MUTANTS

CASES = [(point, *mutant) for point, mutants in MUTANTS.items() for mutant in mutants]
FAULTS = (AssertionError, pytest.fail.Exception, RuntimeError, torch._dynamo.exc.Unsupported)


@pytest.mark.parametrize(
    ("point", "loss", "contract"), CASES, ids=[f"{case[0]}-{case[1].__name__}" for case in CASES]
)
def test_catches_the_wrong_loss(point, loss, contract):
    with pytest.raises(FAULTS):
        CHECKS[point](loss, contract)


def test_every_check_has_a_mutant():
    assert set(MUTANTS) == set(CHECKS)
