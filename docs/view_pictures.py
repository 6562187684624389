"""Photograph the viewer for docs/viewing.md, by Playwright: python docs/view_pictures.py

Writes docs/images/view.jpg, view-loss.jpg and view-blind.jpg: bicubic and the bundled nano-x2 on
free photographs, as `acutance view` shows them.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from acutance.storage import write_atomically
from acutance.study.quickstart import sample_folder

IMAGES = Path(__file__).parent / "images"
PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png")
SIZE = {"width": 1280, "height": 800}
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
SETTLE_MS = 3000  # until models have run and every piece is drawn


def main() -> None:
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, sync_playwright() as player:
        hr = Path(folder) / "hr"
        hr.mkdir()
        for name in PHOTOS:
            (hr / name).write_bytes((sample_folder() / name).read_bytes())
        browser = player.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False
        )
        page = browser.new_page(viewport=SIZE)
        sides = ["bicubic", "nano-x2", "--reference", str(hr)]
        with served(["view", *sides, "--loss", "ssim"]) as address:
            page.goto(address)
            page.wait_for_selector("#table td")
            page.get_by_role("radio", name="Loss map").click()
            photograph(page, "view-loss")
            page.get_by_role("radio", name="Side by side").click()
            page.keyboard.press("1")
            page.keyboard.press("+")
            photograph(page, "view")
        with served(
            ["view", *sides, "--blind", "-o", str(Path(folder) / "blind.jsonl")]
        ) as address:
            page.goto(address)
            photograph(page, "view-blind")
        browser.close()


@contextmanager
def served(words: list[str]) -> Iterator[str]:
    """The address of a command that serves a page, while it runs."""
    command = [sys.executable, "-m", "acutance", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewer:
        assert viewer.stdout is not None
        try:
            yield next(
                word for word in iter(viewer.stdout.readline, "") if "http://" in word
            ).split()[-1]
        finally:
            viewer.terminate()


def photograph(page: Any, name: str, **part: Any) -> None:
    """What the page shows once it is at rest, or a `clip` of it, as a light JPEG."""
    page.wait_for_timeout(SETTLE_MS)
    shot, kept = Image.open(io.BytesIO(page.screenshot(**part))), io.BytesIO()
    shot.convert("RGB").save(kept, format="JPEG", quality=60, optimize=True)
    write_atomically(IMAGES / f"{name}.jpg", kept.getvalue())


if __name__ == "__main__":
    main()
