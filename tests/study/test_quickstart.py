"""The main job in miniature leaves a table, a picture and a page that stands alone."""

import re

import pytest

from acutance.imaging.files import read_rgb

pytest.importorskip("skimage", reason="the quickstart's photographs come with scikit-image")


@pytest.mark.xdist_group("quickstart")
def test_quickstart_shows_that_learning_pays(run_acutance, tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_BUDGET", "short")
    folder = tmp_path / "q"
    done = run_acutance("quickstart", "-o", folder)
    assert done.returncode == 0, done.stderr
    psnr = {
        row.split()[0]: float(re.findall(r"\d+\.\d+", row)[0])
        for row in done.stdout.splitlines()
        if row.split()[:1] and row.split()[0] in {"bicubic", "l1", "mse", "l1-ssim"}
    }
    assert psnr.keys() == {"bicubic", "l1", "mse", "l1-ssim"}
    assert max(psnr.values()) > psnr["bicubic"]
    assert read_rgb(folder / "chelsea_x2.png").shape == (600, 902, 3)  # chelsea is 451x300
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3 * 6  # small, bicubic, three losses, original
    assert "<svg" in page
    assert "do not rank the losses" in page
    outside = re.findall(r'(?:src|href)="(?!data:)[^"]*"', page)
    assert outside == []
