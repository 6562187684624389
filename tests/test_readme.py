"""The README's examples work as they stand: each block is run, in order, in one folder."""

import re
from pathlib import Path

import pytest
from tests.documents import examples, page, run_examples

from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture

LONG, SHORT = "--steps 3000", "--steps 3 --seeds 2"  # ACUTANCE_BUDGET cuts minutes, not steps
README = page("README.md")


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
    assert len(examples(README)) == 6


def test_the_examples_run_in_order(desk):
    """In one test, since each uses what the one before it left."""
    run_examples(README, desk, change=(LONG, SHORT))


def test_make_demo_and_make_test_come_first():
    first = re.search(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert first is not None
    lines = [line.split("#")[0].strip() for line in first[1].splitlines()]
    assert lines == ["make demo", "make test"]
