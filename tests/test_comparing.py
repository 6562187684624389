"""The guide to comparisons works as it stands: its commands are given, in order, in one folder.

Two things are cut to size: thousands of steps become single ones, and five and ten seeds two and
three.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parent.parent / "docs" / "comparing.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SEEDS = {"5": "2", "10": "3"}


def short(code: str) -> str:
    code = re.sub(r"\b(\d+)000\b", r"\1", code)
    return re.sub(r'(seeds(?: |": | = ))(\d+)', lambda found: found[1] + SEEDS[found[2]], code)


@pytest.fixture
def desk(tmp_path, photo_folder) -> Path:
    """A folder as the guide expects it."""
    shelves = ("Set5", "Set14", "photos", "photos")
    for place, path in enumerate(sorted(photo_folder.iterdir())):
        folder = tmp_path / shelves[place // 2]
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_there_are_six_examples_and_all_are_cut_to_size():
    codes = [code for _, code in FENCE.findall(GUIDE)]
    assert len(codes) == 6
    for code in codes:
        assert not re.search(r"\d{4}|seeds\W+(5|10)\b", short(code)), code


@pytest.mark.slow
def test_the_examples_run_in_order(desk):
    """In one test, since each uses what the one before it left."""
    environment = {**os.environ}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for language, text in FENCE.findall(GUIDE):
        code = short(text)
        command = ["bash", "-euc", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=desk, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert "Traceback" not in done.stderr, code
    for study, verdicts in {"cmp": 2, "paced": 2, "study": 1, "from-python": 1}.items():
        found = json.loads((desk / study / "results.json").read_text(encoding="utf-8"))
        assert (len(found["verdicts"]), found["missing"]) == (verdicts, [])
    assert not (desk / "long").exists()  # it was only planned
