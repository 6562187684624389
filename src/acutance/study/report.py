"""Pages that stand alone; the quickstart's: scores, learning curves, and crops to be looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acutance.storage import write_atomically
from acutance.study.axes import SHAPES, marker
from acutance.study.charts import Chart, Curve, line_chart
from acutance.study.crops import Strip, data_uri

TEMPLATES = Path(__file__).parent / "templates"


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
    from markupsafe import Markup

    chart = Markup(line_chart(Chart(page.curves, "step", "validation PSNR-Y, dB")))
    write_atomically(path, render("report.html", {"page": page, "chart": chart}))


def render(template: str, values: Mapping[str, object]) -> str:
    """The template with its values, escaped but for what is Markup.

    Every template has `image`, which makes addresses, `svg`, which lets SVG text of ours stand
    as it is, and `dot`, the shape of one of `looks`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        image=data_uri,
        svg=Markup,
        dot=lambda look: Markup(marker(look)),
        looks=len(SHAPES),
    )
    return environment.get_template(template).render(values)
