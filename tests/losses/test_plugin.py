"""A package of somebody else brings a loss: it is listed, proven and trained with like ours."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from acutance.cli.check_loss import check_loss

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The folder plugin/ as pip would leave it in site-packages, without a network."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    info = site / f"offset_free-{project['version']}.dist-info"
    info.mkdir(parents=True)
    shutil.copy(PLUGIN / "offset_free.py", site)
    name = f"Name: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    points = project["entry-points"]["acutance.losses"]
    lines = [f"{loss} = {place}" for loss, place in points.items()]
    (info / "entry_points.txt").write_text("[acutance.losses]\n" + "\n".join(lines) + "\n")
    monkeypatch.setenv("PYTHONPATH", str(site))


@pytest.mark.usefixtures("installed")
def test_is_listed_with_what_it_says_of_itself(run_acutance):
    done = run_acutance("losses", "--json")
    assert done.returncode == 0, done.stderr
    found = {loss["name"]: loss for loss in json.loads(done.stdout)}["offset_free"]
    assert found["about"] == "the absolute error without what is wrong everywhere alike"
    assert found["options"] == {"per_channel": "False"}
    assert found["source"] == "an example of a package beside acutance"


@pytest.mark.usefixtures("installed")
def test_keeps_its_contract(run_acutance):
    done = run_acutance("check-loss", "offset_free")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "offset_free: all 19 points hold." in done.stdout


@pytest.mark.usefixtures("installed")
def test_is_trained_with(run_acutance, photo_folder, tmp_path):
    done = run_acutance(
        "train", photo_folder, "--run", tmp_path / "run", "--steps", "3", "--patch", "32",
        "--loss", "l1 + 0.5*offset_free(per_channel=True)", "--threads", "1",
        "--precision", "fp32", "--batch", "4", "--set", "log.every=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "model.safetensors").is_file()
    log = (tmp_path / "run" / "log.jsonl").read_text()
    assert "0.5*offset_free(per_channel=True)" in log


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError: No module named"),
        ("other = 1", "it has no 'offset_free'"),
    ],
)
@pytest.mark.parametrize(
    "command", ["check-loss", pytest.param("losses show", marks=pytest.mark.slow)]
)
@pytest.mark.usefixtures("installed")
def test_a_broken_package_of_somebody_else_is_named(source, why, command, run_acutance, tmp_path):
    (tmp_path / "site" / "offset_free.py").write_text(source)
    done = run_acutance(*command.split(), "offset_free")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    text = " ".join(done.stderr.split())
    assert "'offset_free' of another package cannot be loaded from offset_free:offset_free" in text
    assert why in text


def test_is_unknown_where_it_is_not_installed(run_acutance):
    done = run_acutance("check-loss", "offset_free")
    assert done.returncode == 2
    assert "Unknown loss 'offset_free'" in done.stderr


def blocks(language):
    """The fenced examples of CONTRIBUTING.md, their indent in the list taken off."""
    text = (PLUGIN.parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    fence = re.compile(rf"^ *```{language}\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in fence.findall(text)]


def test_the_walk_of_contributing_can_be_walked(tmp_path, monkeypatch):
    """The loss as written there passes what it claims of itself, and so does the test."""
    loss, contract, test = blocks("python")
    file = tmp_path / "offset_free.py"
    file.write_text(loss)
    points = [word for point in ("shape_and_type", "blind_spots") for word in ("--only", point)]
    done = CliRunner().invoke(check_loss, [f"{file}:offset_free", *points])
    assert done.exit_code == 0, done.output
    said = textwrap.dedent(done.stdout.partition("could claim:\n")[2].partition("\n\npoint")[0])
    assert _claims(said) | {"source", "memory"} == _claims(contract) | {"source", "memory"}
    file.write_text(contract + loss)
    done = CliRunner().invoke(check_loss, [f"{file}:offset_free(per_channel=True)", *points])
    assert done.exit_code == 0, done.output
    monkeypatch.syspath_prepend(str(tmp_path))
    space = {}
    exec(test, space)  # noqa: S102
    for name in ("test_keeps_its_contract", "test_half_the_pixels_off_by_a_tenth"):
        space[name]()


def _claims(source):
    """The keywords of a CONTRACT with their values, source and memory by name alone."""
    (call,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    own = {"source", "memory"}
    return {w.arg if w.arg in own else (w.arg, ast.unparse(w.value)) for w in call.keywords}


def test_the_project_file_of_contributing_is_that_of_the_plugin():
    (written,) = (tomllib.loads(block) for block in blocks("toml"))
    ours = tomllib.loads((PLUGIN / "pyproject.toml").read_text())
    assert ours["project"].pop("description")
    assert written == ours


@pytest.mark.slow
def test_pip_installs_the_package_and_its_own_tests_pass(tmp_path):
    """Into a folder of its own, by the backend it names, without fetching anything."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site]
    subprocess.run([*pip, PLUGIN], check=True, timeout=300)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    test = [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, "-p", "no:cacheprovider"]
    shutil.copy(PLUGIN / "test_offset_free.py", tmp_path)
    done = subprocess.run(
        [*test, tmp_path / "test_offset_free.py"], env=environment, capture_output=True, text=True
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert (site / "offset_free.py").is_file()
