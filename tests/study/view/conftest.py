"""Small pictures by two sides and their originals, servers of them, and a browser to look."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale, resize
from acutance.study.loopback.server import Loopback

PHOTOS = ("astronaut", "chelsea", "coffee")


def cut(name: str, side: int = 128) -> np.ndarray:
    """A piece of one of scikit-image's free photographs, uint8 (side, side, 3)."""
    data = pytest.importorskip("skimage.data", reason="no scikit-image: acutance[samples]")
    return np.ascontiguousarray(getattr(data, name)()[40 : 40 + side, 60 : 60 + side])


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hr/, and what two methods made of it at x2: soft/ as upscale names it, and blocks/."""
    folder = tmp_path_factory.mktemp("desk")
    for name in PHOTOS:
        hr = cut(name)
        lr = downscale(hr, 2)
        write_picture(folder / "hr" / f"{name}.png", Picture(hr))
        write_picture(folder / "soft" / f"{name}_x2.png", Picture(resize(lr, scale=2)))
        blocks = lr.repeat(2, axis=0).repeat(2, axis=1)
        write_picture(folder / "blocks" / f"{name}.png", Picture(blocks))
    return folder


@pytest.fixture
def serve() -> Iterator[Callable[..., Loopback]]:
    """Serve an application in a thread; stopped in the end."""
    begun = []

    def begin(application) -> Loopback:
        server = Loopback(application)
        thread = threading.Thread(target=server.run)
        thread.start()
        begun.append((server, thread))
        return server

    yield begin
    for server, thread in begun:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium by Playwright; skips where either is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: acutance[dev]")
    place = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    with api.sync_playwright() as play:
        if place is None and not Path(play.chromium.executable_path).is_file():
            pytest.skip("no Chromium: playwright install chromium, or name one by CHROMIUM")
        # without a sandbox: containers often allow none, and every page here is our own
        found = play.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield found
        found.close()


class Watch:
    """What a page said and asked for, to be judged in the end."""

    def __init__(self, page) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda m: self.said.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))

    def strangers(self, own: str) -> list[str]:
        """Addresses of requests that left the page's own."""
        inside = (own, "data:", f"blob:{own.split('/')[0]}")
        return [url for url in self.asked if not url.startswith(inside)]


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., tuple]]:
    """Open an address in a page of its own: (page, what it said and asked for)."""
    contexts = []

    def begin(address: str, *, width: int = 1280, height: int = 800, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        watch = Watch(page)
        page.goto(address)
        return page, watch

    yield begin
    for context in contexts:
        context.close()
