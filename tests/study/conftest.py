"""Servers of pages, and a browser to look at them."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acutance.study.loopback.server import Loopback


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


def until(page, expression: str, seconds: float = 20) -> None:
    """Wait; Playwright's own way evaluates text within the page, which the policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(20)
