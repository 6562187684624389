"""The script that breaks losses: it finds what can be broken, and tells caught from survived."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.losses.mutations import mutants, shortened

SOURCE = '''
"""A text with 1 number."""
import torch
CONTRACT = Contract(degree=2)
GROUP = 4

def loss(sr: Float[Tensor, "n 3"], hr, *, eps: float = 0.5):
    """Mean of 2 things."""
    if eps < 0:
        raise InputError(f"eps {eps - 1}")
    error = (sr - hr.detach()).abs()
    return -torch.minimum(error, eps).mean(dim=(1, 2)) if eps > 1 else error.sum(axis=-1)
'''


def changes():
    return [(m.kind, m.diff.splitlines()[1].removeprefix("+ ")) for m in mutants(SOURCE, seed="0")]


def test_every_kind_of_change_is_made_once_at_each_of_its_places():
    found = changes()
    assert sorted(kind for kind, _ in found) == sorted(
        ["operator", "removal", "removal", "sign", "extreme", "comparison", "axis", "axis"]
        + ["constant"] * 3  # 4 of GROUP, 0.5 of eps, 1 of the comparison
    )
    changed = dict(found)
    assert changed["operator"] == "error = (sr + hr.detach()).abs()"
    assert changed["sign"].startswith("return +torch.minimum")
    assert changed["extreme"].startswith("return -torch.maximum")
    assert "if eps < 1" in changed["comparison"]
    assert {text for kind, text in found if kind == "removal"} == {
        "error = (sr - hr).abs()",
        "error = sr - hr.detach()",
    }
    texts = [text for kind, text in found if kind == "axis"]
    assert any("dim=(1,)" in text for text in texts)
    assert any("axis=-2" in text for text in texts)
    constants = [text for kind, text in found if kind == "constant"]
    assert "GROUP = 5" in constants
    assert any("eps: float=0.55" in text for text in constants)


def test_what_is_not_computed_is_left_alone():
    texts = " ".join(text for _, text in changes())
    assert "degree=3" not in texts
    assert "2 number" not in texts
    assert "eps > 0" not in texts
    assert "n 4" not in texts


def test_the_seed_decides_the_order():
    first, again = ([m.source for m in mutants(SOURCE, seed="0")] for _ in range(2))
    other = [m.source for m in mutants(SOURCE, seed="1")]
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)


def test_a_long_line_is_cut_around_its_change():
    line = "x" * 200 + "+" + "y" * 200
    before, after = shortened(f"- {line}\n+ {line.replace('+', '-')}").splitlines()
    assert len(before) == len(after) == 102
    assert "x+y" in before
    assert "x-y" in after


@pytest.mark.slow
def test_a_change_of_a_loss_is_caught_and_remembered(tmp_path):
    script = Path(__file__).parent / "mutate.py"
    results = tmp_path / "mutants.json"
    command = [sys.executable, script, "--only", "huber", "--per-loss", "1", "--results", results]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "huber: 1 of 1 caught" in done.stdout
    (row,) = json.loads(results.read_text()).values()
    assert row["verdict"] == "caught"
    assert row["by"].startswith("the value of huber")
