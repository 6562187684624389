"""The README's examples work as they stand: each block is run, in order, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture

ROOT = Path(__file__).parent.parent
LONG, SHORT = "--steps 3000", "--steps 3 --seeds 2"  # ACUTANCE_BUDGET cuts minutes, not steps
FENCE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    return FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.fixture
def desk(tmp_path, photo_folder) -> Path:
    """A folder as the examples expect it."""
    folder = tmp_path
    for name in ("photos", "other-photos"):
        (folder / name).mkdir()
    for place, path in enumerate(sorted(photo_folder.iterdir())):
        target = "other-photos" if place < 2 else "photos"
        (folder / target / path.name).write_bytes(path.read_bytes())
    first = next((folder / "photos").iterdir())
    write_picture(folder / "photo.jpg", Picture(read_rgb(first), None))
    return folder


def test_there_are_six_examples():
    assert len(examples()) == 6


def test_the_examples_run_in_order(desk):
    """In one test, since each uses what the one before it left."""
    environment = {**os.environ, "ACUTANCE_BUDGET": "short"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for language, text in examples():
        code = text.replace(LONG, SHORT)
        command = ["bash", "-euc", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=desk, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert "Traceback" not in done.stderr, code


def test_make_demo_and_make_test_come_first():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    lines = [line.split("#")[0].strip() for line in first[1].splitlines()]
    assert lines == ["make demo", "make test"]
