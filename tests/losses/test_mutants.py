"""The contract can fail: every check catches the wrong losses it is there for."""

import pytest
from tests.losses.mutants import MUTANTS
from torch._dynamo.exc import TorchDynamoException
from torch.autograd.gradcheck import GradcheckError

from acutance.losses.proof.checks import CHECKS

CASES = [(point, *mutant) for point, mutants in MUTANTS.items() for mutant in mutants]
FAULTS = (AssertionError, pytest.fail.Exception, GradcheckError, TorchDynamoException)


@pytest.mark.parametrize(
    ("point", "loss", "contract"), CASES, ids=[f"{case[0]}-{case[1].__name__}" for case in CASES]
)
def test_catches_the_wrong_loss(point, loss, contract):
    with pytest.raises(FAULTS):
        CHECKS[point](loss, contract)


def test_every_check_has_a_mutant():
    assert set(MUTANTS) == set(CHECKS)
