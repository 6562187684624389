"""The documents are true where that can be tried: commands run, named tests and files exist."""

import re
import shutil
from pathlib import Path

import pytest
from tests.documents import ROOT, examples, page, run_examples

from acutance.imaging.files import read_picture, write_picture
from acutance.training.package_recipes import find_recipe

GUIDE = "docs/upscaling.md"
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
TOPICS = ["Metadata", "Depth", "Alpha and grey", "Tiles", "Wrong pictures", "Memory", "Speed"]
TOPICS += ["Batches"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_test_that_a_page_names_exists(name):
    missing = [
        f"{path}::{test}"
        for path, test in NAMED_TEST.findall(page(name))
        if not (ROOT / path).is_file() or not re.search(rf"^def {test}\(", page(path), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_file_that_a_page_links_to_exists(name):
    links = LINK.findall(page(name))
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


def test_each_line_beside_others_names_its_proof():
    _, found, beside = page(GUIDE).partition("## Beside other programs")
    assert found
    assert re.findall(r"^### (.+)$", beside, re.MULTILINE) == TOPICS
    lines = [line for line in beside.splitlines() if line.startswith("|")]
    claims = [line for line in lines if not line.startswith(("| others |", "| --- |"))]
    assert len(claims) == len(lines) - 2 * len(TOPICS)
    assert [line for line in claims if not NAMED_TEST.search(line.split("|")[3])] == []


@pytest.fixture
def desk(tmp_path, photo_folder) -> Path:
    """A folder as the commands of the guide expect it."""
    photos = [read_picture(path) for path in sorted(photo_folder.iterdir())]
    for name, picture in zip(
        ("photo.jpg", "texture.png", "holiday/a.png", "holiday/beach/b.jpg", "scans/old/c.png"),
        photos,
        strict=False,
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, picture)
    return tmp_path


@pytest.mark.slow
def test_the_commands_of_the_guide_to_upscaling_run(desk):
    """And leave what it says that they leave."""
    assert len(examples(page(GUIDE))) == 6
    run_examples(page(GUIDE), desk)
    sizes = {
        "photo_x2.png": (256, 192),
        "large/beach/b_x2.png": (256, 192),
        "twice.png": (256, 192),
        "three-hundred.png": (300, 225),
        "larger.png": (192, 144),
        "wide.webp": (300, 225),
        "boxed.png": (400, 300),
        "album/old/c_x2.png": (256, 208),
        "many/beach/b_x2.webp": (256, 192),
    }
    found = {name: read_picture(desk / name) for name in sizes}
    assert {name: (p.width, p.height) for name, p in found.items()} == sizes


RECIPES = "docs/recipes.md"


def test_the_recipes_that_the_guide_names_exist():
    named = re.findall(r"--recipe ([\w:]+)", page(RECIPES))
    assert len(named) >= 4
    for name in named:
        find_recipe(name)


@pytest.mark.slow
def test_the_commands_of_the_guide_to_recipes_run(desk, photo_folder):
    """With four steps a run; both stages leave a model."""
    shutil.copytree(photo_folder, desk / "photos")
    assert len(examples(page(RECIPES))) == 4
    run_examples(page(RECIPES), desk, change=("--run runs", "--steps 4 --run runs"))
    found = {str(p.parent.relative_to(desk / "runs")) for p in desk.rglob("model.safetensors")}
    assert found == {"vdsr", "edsr", "esrgan", "esrgan/first", "two", "two/first"}
    assert read_picture(desk / "softer.png").width == 256


@pytest.mark.slow
def test_the_commands_of_the_guide_to_degradations_run(tmp_path, photo_folder):
    """And leave what it says that they leave."""
    (tmp_path / "photos").mkdir()
    for source, name in zip(sorted(photo_folder.glob("*.png")), ("photo", "other"), strict=False):
        write_picture(tmp_path / "photos" / f"{name}.jpg", read_picture(source))
    run_examples(page("docs/degradations.md"), tmp_path)
    assert (tmp_path / "photo-real-esrgan.png").exists()
    assert read_picture(tmp_path / "worse.png").width == 128
    made = {path.name for path in (tmp_path / "small").iterdir()}
    assert made == {f"{name}-{draw}.png" for name in ("photo", "other") for draw in (1, 2, 3)}


def test_what_is_kept_names_no_folder_of_a_machine():
    kept = [*(ROOT / "benchmarks/results").glob("*.json"), *(ROOT / "docs").rglob("*.json")]
    assert kept
    for path in kept:
        found = re.findall(r'"/\w[^"]*/[^"]*"', path.read_text(encoding="utf-8"))
        assert not found, (path.name, found[:3])
