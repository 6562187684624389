"""What every loss owes its callers. A loss joins by its line in the LOSSES table."""

import pytest
from tests.losses.checks import CHECKS

from acutance.losses import LOSSES
from acutance.losses.contract import POINTS, Contract


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", LOSSES.names())
def test_keeps_its_contract(name, point):
    contract: Contract = LOSSES.module(name).CONTRACT
    loss = LOSSES.load(name)
    if contract.needs:
        pytest.skip(f"{name} needs {', '.join(contract.needs)}")
    if point not in contract.exceptions:
        CHECKS[point](loss, contract)
        return
    with pytest.raises(AssertionError):  # an exception that is not needed is taken out
        CHECKS[point](loss, contract)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES.names())
def test_compiles_to_machine_code(name):
    CHECKS["compile"](LOSSES.load(name), LOSSES.module(name).CONTRACT, backend="inductor")


def test_every_point_has_a_check():
    assert set(CHECKS) == set(POINTS)


@pytest.mark.parametrize("name", LOSSES.names())
def test_names_its_source(name):
    assert len(LOSSES.module(name).CONTRACT.source) > 10
