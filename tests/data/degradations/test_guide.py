"""The guide to degradations says what the code does."""

import re
import tomllib

import pytest
from tests.documents import examples, page

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.expression import parse_degradation

GUIDE = page("docs/degradations.md")
CHAINS = [
    line
    for block in re.findall(r"^```chain\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("chain", CHAINS)
def test_its_chains_can_be_read(chain):
    assert len(CHAINS) >= 8
    assert parse_degradation(str(parse_degradation(chain))) == parse_degradation(chain)


def test_its_example_runs():
    found = [code for language, code in examples(GUIDE) if language == "python"]
    assert found
    for code in found:
        exec(compile(code, "docs/degradations.md", "exec"), {})  # noqa: S102


def test_its_file_can_be_read():
    (block,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(parse_degradation(" | ".join(tomllib.loads(block)["stages"])).nodes) == 3


def test_every_stage_has_its_section():
    assert re.findall(r"^### (\w+)$", GUIDE, re.MULTILINE) == list(DEGRADATIONS.names())
