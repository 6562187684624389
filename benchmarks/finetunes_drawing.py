"""The pictures of finetunes.py: the plane as an SVG that stands alone, and a sheet of crops."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from acutance import downscale, upscale
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, resize
from acutance.study.compare.figures.figure import Named
from acutance.study.compare.figures.pictures import most_different
from acutance.study.compare.figures.plane import Curve, Spot, plane
from acutance.study.crops import CROP_PX
from acutance.study.quickstart import sample_folder
from acutance.study.report import TEMPLATES
from pieces import strip

# free ones of scikit-image, with the (top, left) of the piece; None: where the models differ most
PHOTOGRAPHS: dict[str, tuple[int, int] | None] = {
    "astronaut.png": None,
    "chelsea.png": None,
    "coffee.png": None,
}
ZOOM = 2
WIDTH, HEIGHT = 760, 460
LEFT, TOP, RIGHT, BOTTOM = 66, 34, 90, 48  # room for the axes and names
OWN = ".plot { width: 100%; height: 100%; max-width: none; padding: 0; }"


def plane_of(found: Mapping[str, Any]) -> str:
    """PSNR and LPIPS of every model on the first set, and the curve of the mixtures."""
    rows = [row for row in found["rows"] if row["set"] == found["set"]]
    spots = [
        Spot(Named(k, row["model"], row["model"]), row["means"]["psnr"], row["means"]["lpips"])
        for k, row in enumerate(rows)
    ]
    points = [(p["share"], p["means"]["psnr"], p["means"]["lpips"]) for p in found["curve"]]
    title = f"{found['set']}: PSNR and LPIPS"
    return standing_alone(plane(title, spots, "lpips", curve=Curve(tuple(points))).svg)


def standing_alone(chart: str, *, right: int = RIGHT) -> str:
    """A chart of a page as a file: with the page's style, its room, and its paper.

    `right` is the room for the names of its lines.
    """
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    room = f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH - RIGHT + right} {HEIGHT}">'
        f"<style><![CDATA[{style}{OWN}]]></style>"
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>'
        f'<svg {room} style="overflow: visible">{chart}</svg></svg>\n'
    )


def crops(models: Mapping[str, Path], scale: int) -> bytes:
    """A PNG: a row for each photograph, reduced by MATLAB's bicubic and enlarged again."""
    return strip([row(name, models, scale) for name in PHOTOGRAPHS], zoom=ZOOM)


def row(name: str, models: Mapping[str, Path], scale: int) -> dict[str, np.ndarray]:
    """The same piece by everything that is compared."""
    hr = crop_to_multiple(read_rgb(sample_folder() / name), scale)
    lr = downscale(hr, scale)
    made = {label: np.asarray(upscale(lr, model=model)) for label, model in models.items()}
    top, left = PHOTOGRAPHS[name] or most_different(list(made.values()))[1]
    panels = {"bicubic": resize(lr, scale=scale), **made, "original": hr}
    return {
        label: np.ascontiguousarray(pixels[top : top + CROP_PX, left : left + CROP_PX])
        for label, pixels in panels.items()
    }
