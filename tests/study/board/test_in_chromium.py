"""The board as a person uses it, in headless Chromium."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.study.board.conftest import ARMS, NOW, add, event, step, write_recipe, write_samples
from tests.study.conftest import until

from acutance.study.board import watching
from acutance.study.board.boarding import write_page
from acutance.study.board.site import Site
from acutance.study.board.watching import Board

SIZES = pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
READY = "document.querySelector('#plot polyline') && document.querySelector('#runs tbody tr')"


@pytest.fixture
def board(study, clock, monkeypatch) -> Board:
    monkeypatch.setattr(watching, "SCAN_S", 0.0)
    return Board([study.resolve()], clock)


@pytest.fixture
def address(board, serve) -> str:
    return serve(Site(board)).address


def test_a_page_draws_its_curves_and_asks_nobody_else(address, open_page):
    page, watch = open_page(address)
    until(page, READY)
    assert page.locator("#legend .name").all_inner_texts() == list(ARMS)
    assert page.locator("#runs tbody tr").count() == 6
    assert page.locator("#live").inner_text() == "live"
    assert watch.said == []
    assert watch.strangers(address) == []


def texts(page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


@pytest.mark.slow
def test_every_control_does_what_it_says(address, open_page):
    page, watch = open_page(address)
    until(page, READY)
    for key, label in (("loss", "loss"), ("ssim", "SSIM"), ("term l1", "value of l1")):
        page.select_option("#curve", key)
        until(page, f"document.querySelector('#plot').textContent.includes('{label}')")
    page.select_option("#curve", "loss")
    until(page, "curves.answer.key === 'loss'")
    assert "step" in page.inner_text("#plot")
    page.select_option("#axis", "time")
    until(page, "document.querySelector('#plot').textContent.includes('seconds trained')")
    page.select_option("#axis", "step")
    until(page, "curves.answer.axis === 'step'")
    first = "curves.chart.frame.x0"
    page.select_option("#part", "0.5")
    assert page.evaluate(first) == 50
    page.select_option("#part", "0")
    assert page.evaluate(first) == 0
    before = page.get_attribute("#plot polyline", "points")
    page.select_option("#smooth", "5")
    assert page.get_attribute("#plot polyline", "points") != before
    page.select_option("#smooth", "1")
    assert page.get_attribute("#plot polyline", "points") == before
    page.check("#log")
    assert page.get_attribute("#plot polyline", "points") != before
    page.uncheck("#log")
    page.get_by_role("checkbox", name="90% l1").uncheck()
    assert page.locator("#plot g").count() == 1
    page.click("#none")
    assert "No curve is chosen" in page.inner_text("#plot")
    page.click("#all")
    assert page.locator("#plot g").count() == 2
    page.click("#values summary")
    page.wait_for_selector("#value-table thead th")
    assert texts(page, "#value-table thead th") == ["step", *ARMS]
    assert texts(page, "#value-table tbody th")[-1] == "100"
    for name, count in (("running", 2), ("waiting", 2), ("done", 2), ("trouble", 0), ("", 6)):
        page.select_option("#filter", name)
        assert page.locator("#runs tbody tr").count() == count
    page.get_by_role("button", name="l1, seed 1", exact=True).click()
    until(page, "detail.detail.name === 'l1, seed 1'")
    until(page, "document.querySelector('#sample').naturalWidth === 16")
    assert page.get_attribute("#sample", "alt") == "What l1, seed 1 made of coffee at step 50"
    page.locator("#at").fill("0")
    until(page, "document.querySelector('#sample').alt.endsWith('step 10')")
    assert page.locator("#shares polygon").count() == 2
    page.click("#share-values summary")
    page.wait_for_selector("#share-table tbody td")  # the table is made when it is first open
    assert texts(page, "#share-table tbody td")[:2] == ["75 %", "25 %"]
    page.click("#next")
    until(page, "detail.detail.name === '90% l1 + 10% fft, seed 1'")
    page.click("#previous")
    until(page, "detail.detail.name === 'l1, seed 1'")
    page.select_option("#run", label="l1, seed 0")
    until(page, "detail.detail.name === 'l1, seed 0'")
    assert texts(page, "#notes li span") == ["step 100: all steps done", "begun"]
    page.click("#help")
    assert page.is_visible("#keys")
    page.click("#close")
    assert not page.is_visible("#keys")
    assert watch.said == []
    assert watch.strangers(address) == []


@pytest.mark.slow
def test_everything_can_be_done_by_keys(address, open_page):
    page, watch = open_page(address)
    until(page, READY)
    press = page.keyboard.press
    for key, control, value in (
        ("c", "#curve", "ssim"), ("C", "#curve", "psnr"), ("x", "#axis", "time"),
        ("r", "#part", "0.2"), ("s", "#smooth", "5"), ("f", "#filter", "running"),
    ):  # fmt: skip
        press(key)
        assert page.input_value(control) == value
    press("l")
    assert page.is_checked("#log")
    press("x")
    until(page, "curves.answer.axis === 'step' && curves.answer.key === 'psnr'")
    before = page.input_value("#run")
    press("n")
    assert page.input_value("#run") != before
    press("p")
    assert page.input_value("#run") == before
    press(" ")
    assert page.get_attribute("#pause", "aria-pressed") == "true"
    press(" ")
    press("?")
    assert page.is_visible("#keys")
    press("Escape")
    page.focus("#plot")
    press("ArrowLeft")
    assert "step 100: l1 31.000" in page.inner_text("#read")
    press("ArrowLeft")
    assert "step 90" in page.inner_text("#read")
    press("a")
    reached = set()
    for _ in range(60):
        press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.type"))
    assert {"pause", "curve", "axis", "part", "smooth", "log", "plot", "all", "checkbox"} <= reached
    assert {"filter", "submit", "previous", "run", "next", "picture", "at"} <= reached
    assert watch.said == []


@pytest.mark.slow
def test_a_pointer_reads_values_where_it_stands(address, open_page):
    page, _ = open_page(address)
    until(page, READY)
    assert texts(page, "#legend .number")[0] == "31.000"
    box = page.locator("#plot").bounding_box()
    page.mouse.move(box["x"] + 58 + (box["width"] - 72) * 0.5, box["y"] + 100)
    assert texts(page, "#legend .number")[0] == "30.750"
    page.mouse.move(box["x"], box["y"] - 60)
    assert texts(page, "#legend .number")[0] == "31.000"


@pytest.mark.slow
def test_what_is_new_appears_and_a_pause_holds_it(study, address, open_page):
    page, watch = open_page(address)
    until(page, READY)
    run = study / "arms" / "l1" / "steps-100" / "seed-1"
    page.click("#pause")
    assert "paused" in page.inner_text("#live")
    add(run, step(60, 0), event("score", 0, step=60, protocol="y@1", psnr=35.0, ssim=0.9))
    write_samples(run, "coffee", (60,))
    page.wait_for_timeout(2500)
    rows = "[...document.querySelectorAll('#runs tbody tr')]"
    row = f"{rows}.find((r) => r.cells[0].textContent === 'l1, seed 1').innerText"
    assert "50 of 100" in page.evaluate(row)
    page.click("#pause")
    until(page, f"{row}.includes('60 of 100') && {row}.includes('35.000')")
    until(page, "document.querySelector('#sample').alt.endsWith('step 60')")
    add(study / "arms" / "l1" / "steps-100" / "seed-2", event("start", 0, step=0, steps=100))
    until(page, "document.querySelector('#tiles').textContent.includes('3 running')")
    (run / "failed.txt").write_text("RunError: <b>it broke</b>\n")
    until(page, f"{row}.includes('RunError: <b>it broke</b>')")
    assert watch.said == []


@contextmanager
def commanded(*words: str) -> Iterator[str]:
    """The address of the command itself, while it runs."""
    command = [sys.executable, "-m", "acutance", "board", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_page_outlives_its_server_and_goes_on_with_the_next(
    study, tmp_path, open_page, monkeypatch
):
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path / "cache"))
    gone = "document.querySelector('#live').textContent.includes('No answer since')"
    with commanded(str(study)) as address:
        page, watch = open_page(address)
        until(page, READY)
        page.select_option("#curve", "loss")
    until(page, gone, 30)
    assert page.locator("#runs tbody tr").count() == 6  # what was known stays
    with commanded(str(study)) as again:
        assert again == address
        until(page, "document.querySelector('#live').textContent === 'live'", 30)
        assert page.input_value("#curve") == "loss"
        page.reload()
        until(page, READY)
        assert page.input_value("#curve") == "loss"  # what was chosen outlasts a reload
    until(page, gone, 30)
    with commanded(str(study), "--fresh", "--port", address.split(":")[2].split("/")[0]):
        until(page, "document.querySelector('#live').textContent.includes('no longer valid')", 30)
    assert all("Failed to load resource" in line for line in watch.said)


@pytest.mark.slow
def test_a_board_of_an_empty_folder_waits(tmp_path, serve, open_page, monkeypatch):
    monkeypatch.setattr(watching, "SCAN_S", 0.0)
    address = serve(Site(Board([tmp_path.resolve()], lambda: NOW))).address
    page, watch = open_page(address)
    until(page, "document.querySelector('#said').textContent.includes('no run here yet')")
    write_recipe(tmp_path / "a")
    add(tmp_path / "a", event("start", -9, step=0, steps=100), step(10, -5), step(20, -1))
    until(page, READY)
    assert not page.is_visible("#said")
    assert watch.said == []


@pytest.mark.slow
def test_a_page_that_stands_still_works_without_a_server(study, tmp_path, open_page):
    target = tmp_path / "page.html"
    write_page(target, [str(study)], overwrite=False)
    page, watch = open_page(target.as_uri())
    until(page, READY)
    assert "as of" in page.inner_text("#live")
    assert not page.is_visible("#pause")
    page.select_option("#curve", "loss")
    page.select_option("#axis", "time")
    until(page, "curves.answer.key === 'loss' && curves.answer.axis === 'time'")
    page.get_by_role("button", name="l1, seed 1", exact=True).click()
    until(page, "document.querySelector('#sample').naturalWidth === 16")
    assert watch.said == []
    assert watch.strangers(target.as_uri()) == []


@pytest.mark.slow
@SIZES
def test_nothing_is_cut_off_at_desktop_and_phone(address, open_page, width, height):
    page, _ = open_page(address, width=width, height=height)
    until(page, READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("button:visible, select:visible, input:visible").all():
        box = control.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.locator("#plot").bounding_box()["height"] >= 0.3 * height


@pytest.mark.slow
@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(address, open_page, scheme, width, height):
    """axe-core is not ours to ship: AXE names its axe.min.js (npm pack axe-core)."""
    place = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    if not place.is_file():
        pytest.skip(f"no axe-core at {place}; set AXE to its axe.min.js")
    page, _ = open_page(address, width=width, height=height, bypass_csp=True, color_scheme=scheme)
    until(page, READY)
    until(page, "detail.detail !== null")
    page.click("#values summary")
    page.click("#share-values summary")
    page.evaluate(place.read_text(encoding="utf-8"))
    for with_keys in (False, True):
        if with_keys:
            page.click("#help")
        found = page.evaluate("axe.run()")["violations"]
        assert [(v["impact"], v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []


@pytest.mark.slow
def test_hostile_names_are_text_and_nothing_else(tmp_path, serve, open_page):
    hostile = "<img src=x onerror=alert(1)> &amp; ${x} \u202e"
    for name in (hostile, "' onfocus=alert(1) autofocus='"):
        folder = tmp_path / name
        write_recipe(folder, f"l1 + {hostile}")
        terms = {hostile: {"value": 1, "share": 0.5}, "b": {"value": 1, "share": 0.5}}
        for k in (10, 20):
            values = {"step": k, "loss": 0.5 / k, "terms": terms, "step_s": 0.1}
            add(folder, event("step", k - 30, **values))
            add(
                folder,
                event("score", k - 30, step=k, **{"__proto__": 1, "constructor": 1, hostile: 2.0}),
            )
        write_samples(folder, hostile, (10,))
        (folder / "failed.txt").write_text(hostile)
    address = serve(Site(Board([tmp_path.resolve()], lambda: NOW))).address
    page, watch = open_page(address)
    page.on("dialog", lambda dialog: watch.said.append(dialog.message))
    until(page, READY)
    until(page, "document.querySelector('#sample').naturalWidth === 16")
    page.click("#values summary")
    page.click("#share-values summary")
    assert page.locator("img").count() == 1
    assert page.locator("[onfocus]").count() == 0
    assert hostile in page.inner_text("#legend")
    assert watch.said == []
    assert watch.strangers(address) == []


@pytest.mark.slow
def test_a_page_of_another_site_learns_nothing(address, open_page, serve):
    """A page elsewhere in the same browser that even knows the address cannot read it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n"
                    b"Connection: close\r\n\r\nhi"
                )

        thread = threading.Thread(target=answer)
        thread.start()
        page, _ = open_page(f"http://127.0.0.1:{port}/")
        thread.join(10)
    told = page.evaluate(
        "(url) => fetch(url).then((a) => a.text()).catch((e) => `refused: ${e.name}`)",
        f"{address}state",
    )
    assert told == "refused: TypeError"
