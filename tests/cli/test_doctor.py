"""`acutance doctor` tells what is there and what to do about what is not."""

import json

from click.testing import CliRunner

from acutance.cli.doctor import doctor
from acutance.training import machine


def test_doctor_lists_what_decides_how_well_it_runs():
    shown = CliRunner().invoke(doctor)
    assert shown.exit_code == 0
    for what in ("python", "torch", "cores", "bf16", "malloc", "GPU", "engine", "weights", "disk"):
        assert what in shown.stdout


def test_doctor_speaks_json():
    rows = json.loads(CliRunner().invoke(doctor, ["--json"]).stdout)
    assert {"what", "found", "advice"} == rows[0].keys()


def test_what_is_missing_comes_with_its_remedy(monkeypatch):
    monkeypatch.setattr(machine, "PACKAGES", (("no-such-package", "dreams", "train"),))
    finding = next(f for f in machine.examine() if f.what == "no-such-package")
    assert finding.found == "not installed"
    assert finding.advice == "dreams: pip install 'acutance[train]'"


def test_a_weights_folder_that_does_not_exist_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("ACUTANCE_DATA", str(tmp_path / "nowhere"))
    finding = next(f for f in machine.examine() if f.what == "pictures and weights")
    assert "correct ACUTANCE_DATA" in finding.advice
