"""`acutance losses`: the list of losses, also where torch is not installed."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from tests.losses import fakes

from acutance.cli.losses import losses
from acutance.errors import InputError
from acutance.losses import LOSSES, names
from acutance.losses.declarations import declared


def test_lists_every_loss_with_what_it_says_of_itself():
    done = CliRunner().invoke(losses)
    assert done.exit_code == 0
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["name", "family", "what", "it", "is", "value", "size"]
    assert [row.split()[0] for row in rows] == list(names())
    row = next(row for row in rows if row.startswith("ssim "))
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells == [
        "ssim",
        "structure",
        "how alike two pictures are in local brightness, contrast and structure",
        "0",
        "11",
    ]


def test_gives_programs_the_same_as_json():
    done = CliRunner().invoke(losses, ["--json"])
    found = {loss["name"]: loss for loss in json.loads(done.stdout)}
    assert set(found) == set(names())
    assert found["l1"]["aliases"] == ["mae"]
    assert found["charbonnier"]["options"] == {"eps": "0.001", "centred": "False"}
    assert found["charbonnier"]["at_identity"] == 1e-3
    assert found["total_variation"]["at_identity"] is None
    assert found["total_variation"]["note"] is None


def test_shows_the_card_of_a_loss():
    done = CliRunner().invoke(losses, ["show", "mae"])
    assert done.exit_code == 0
    assert "Mean of |sr - hr| per picture" in done.stdout
    assert "Zhao, Gallo, Frosio, Kautz" in done.stdout
    data = json.loads(CliRunner().invoke(losses, ["show", "l1", "--json"]).stdout)
    assert data["name"] == "l1"
    assert {r["cosine"] > 0.999 for r in data["readings"]} == {True}


def test_an_unknown_loss_names_the_nearest():
    done = CliRunner().invoke(losses, ["show", "sssim"])
    assert isinstance(done.exception, InputError)
    assert "Did you mean 'ssim'" in str(done.exception)


@pytest.mark.parametrize("name", names())
def test_says_what_the_contract_says(name):
    """The list is read from the source text; the contract is what the tests prove."""
    contract = LOSSES.module(name).CONTRACT
    read = declared(name).contract
    assert read is not None
    assert (read.at_identity, read.min_size, read.source) == (
        contract.at_identity,
        contract.min_size,
        contract.source,
    )


def test_works_without_torch():
    code = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'torch', 'jaxtyping'}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
from acutance.cli.losses import losses
losses(['--json'])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert [loss["name"] for loss in json.loads(done.stdout)] == list(names()), done.stderr


def test_a_loss_without_readable_source_says_so(monkeypatch):
    places = {"native": "math:sin", "alias": f"{fakes.__name__}:alias"}
    monkeypatch.setattr(LOSSES, "_all", places)
    declared.cache_clear()
    done = CliRunner().invoke(losses)
    declared.cache_clear()
    native, alias = done.stdout.splitlines()[1:]
    assert "(math has no source text)" in native
    assert "Losses of another package" in alias
