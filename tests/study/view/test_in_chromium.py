"""The viewer as a person uses it, in headless Chromium."""

import pytest
from tests.study.view.test_exhibits import shown_of

from acutance.study.view.site import Site


@pytest.fixture
def address(desk, serve) -> str:
    shown = shown_of(desk / "soft", desk / "blocks", reference=str(desk / "hr"), scale=2)
    return serve(Site(shown)).address


def colour(page, x, y) -> list[int]:
    """Of the canvas, at shares of its size."""
    return page.evaluate(
        """([x, y]) => { const c = document.getElementById("canvas"), one = blank(1, 1);
        const ink = one.getContext("2d", { willReadFrequently: true });
        ink.drawImage(c, x * c.width, y * c.height, 1, 1, 0, 0, 1, 1);
        return [...ink.getImageData(0, 0, 1, 1).data]; }""",
        [x, y],
    )


def test_a_page_shows_its_pictures_and_asks_nobody_else(address, open_page):
    page, watch = open_page(address)
    page.wait_for_selector("#table td")
    page.keyboard.press("l")
    page.wait_for_function("stage.source.busy.size === 0 && stage.source.kept.size >= 2")
    assert page.locator(".tag").all_inner_texts() == ["soft", "blocks"]
    assert colour(page, 0.4, 0.5) != colour(page, 0.01, 0.99)
    assert watch.said == []
    assert watch.strangers(address) == []
