"""Photograph the board for docs/viewing.md, by Playwright: python docs/board_pictures.py

Writes docs/images/board.jpg and board-run.jpg: a run with samples, then a study of three losses
by three seeds while its second seed trains, on scikit-image's free photographs. Takes minutes.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from acutance.study.quickstart import sample_folder
from view_pictures import CHROMIUM, QUIET, SIZE, photograph, served

LEARN = ("astronaut.png", "hubble_deep_field.jpg", "ihc.png", "retina.jpg")
TEST = ("chelsea.png", "coffee.png", "rocket.jpg")
STEPS, SCORED = "80", "8"
SIDE = 288  # pixels of a picture
LOSSES = ("l1", "mse", "90% l1 + 10% fft")


def main() -> None:
    with TemporaryDirectory() as folder, learning(Path(folder)) as runs:
        look(runs)


@contextmanager
def learning(place: Path) -> Iterator[Path]:
    """A folder of runs: one that is done, and a study on its way."""
    learn, test = copied(place / "photos", LEARN), copied(place / "test", TEST)
    shared = ["--network", "compact:nano", "--scale", "2", "--steps", STEPS, "--quiet"]
    shared += ["--set", f"log.score_every={SCORED}", "--set", "log.every=4"]
    run = ["train", learn, "--val", test, "--loss", LOSSES[2], "--run", f"{place}/runs/sharp"]
    acutance([*run, *shared, "--set", "log.samples=2"]).wait()
    losses = [word for loss in LOSSES for word in ("--loss", loss)]
    study = ["compare", learn, *losses, "--test", test, "--seeds", "3"]
    compare = acutance([*study, "--run", f"{place}/runs/l1-or-mse", *shared])
    try:
        yield place / "runs"
    finally:
        compare.terminate()
        compare.wait()


def look(runs: Path) -> None:
    """Photograph the board of these runs once a second seed is half done."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player, served(["board", str(runs), "--fresh"]) as address:
        wait_for_a_second_seed(address)
        browser = player.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.wait_for_selector("#plot polyline")
        page.get_by_role("checkbox", name="sharp").uncheck()  # it is judged by other pictures
        photograph(page, "board")
        page.select_option("#run", label="sharp")
        page.wait_for_selector("#shares polygon")
        page.select_option("#picture", label="coffee")
        photograph(page, "board-run", full_page=True, clip=below(page, "#one-title"))
        browser.close()


def copied(target: Path, names: tuple[str, ...]) -> str:
    """A folder with the middle of these of scikit-image's photographs."""
    target.mkdir()
    for name in names:
        with Image.open(sample_folder() / name) as photo:
            left, top = (photo.width - SIDE) // 2, (photo.height - SIDE) // 2
            middle = photo.convert("RGB").crop((left, top, left + SIDE, top + SIDE))
        middle.save((target / name).with_suffix(".png"))
    return str(target)


def acutance(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "acutance", *words])


def wait_for_a_second_seed(address: str) -> None:
    """Until a run of seed 1 is half done."""
    while True:
        with urllib.request.urlopen(f"{address}state") as answer:
            runs = json.load(answer)["runs"]
        if any(run["name"].endswith("seed 1") and run["step"] * 2 > run["steps"] for run in runs):
            return
        time.sleep(1.0)


def below(page, selector: str) -> dict[str, float]:
    """The part of the whole page from an element to the end."""
    top = page.evaluate(
        f"document.querySelector('{selector}').getBoundingClientRect().top + scrollY"
    )
    whole = page.evaluate("document.documentElement.scrollHeight")
    return {"x": 0, "y": top - 12, "width": SIZE["width"], "height": whole - top + 12}


if __name__ == "__main__":
    main()
