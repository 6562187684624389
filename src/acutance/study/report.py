"""One page that stands alone: scores, learning curves, and crops to be looked at."""

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from acutance.storage import write_atomically
from acutance.study.charts import Curve, line_chart

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Crop:
    """A piece of one result: what made it, its score there, and its pixels (H, W, 3)."""

    label: str
    note: str
    pixels: np.ndarray


@dataclass(frozen=True)
class Strip:
    """The same piece of one picture, by everything that is compared."""

    title: str
    crops: tuple[Crop, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head; columns named in `text` stand to the left, numbers to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: tuple[int, ...] = ()  # rows to set in bold
    text: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Page:
    """What a report shows, in this order."""

    title: str
    lead: str
    table: Table
    caption: str
    curves: tuple[Curve, ...]
    strips: tuple[Strip, ...]
    remarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = field(default_factory=tuple)


def write_report(path: Path, page: Page) -> None:
    """Render `page` into one HTML file without any outside part."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    chart = Markup(line_chart(page.curves, "step", "validation PSNR-Y, dB"))
    text = environment.get_template("report.html").render(page=page, chart=chart, image=data_uri)
    write_atomically(path, text)


def data_uri(pixels: np.ndarray) -> str:
    """A picture as a PNG inside an address."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
