"""The guide to losses says what can be trained: its expressions are built as training would."""

import re
from pathlib import Path

import pytest

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Objective

GUIDE = (Path(__file__).parent.parent / "docs" / "choosing-a-loss.md").read_text(encoding="utf-8")
ADVICE = re.findall(r"^\| [^|]* \| `([^`]+)`", GUIDE.split("## What two")[0], re.MULTILINE)
COMMANDS = re.findall(r'^acutance train .* --loss "([^"]+)"', GUIDE, re.MULTILINE)


def test_there_is_advice_and_a_command():
    assert len(ADVICE) == 10
    assert len(COMMANDS) == 1


@pytest.mark.parametrize("text", [*ADVICE, *COMMANDS])
def test_every_expression_of_the_guide_can_be_trained(text):
    try:
        objective = Objective(parse_loss(text), supplies=("lr", "scale", "log_scale", "teacher"))
    except InputError as error:
        if "acutance weights" in str(error):
            pytest.skip(f"weights are not at hand: {error}")
        raise
    objective.check(96, 3)
    assert str(parse_loss(str(objective.expression))) == str(objective.expression)
