"""What a figure is made of: a chart, its heading, and the names of what it shows."""

from dataclasses import dataclass
from string import ascii_uppercase

from acutance.study.charts import Chart, line_chart
from acutance.study.compare.question import Question


@dataclass(frozen=True)
class Named:
    """An arm or a term as figures show it: colour and shape, a short tag, and its full name."""

    look: int
    tag: str
    name: str


@dataclass(frozen=True)
class Figure:
    """A chart as SVG text under a heading; its legend where what it shows is not the arms."""

    title: str
    svg: str
    legend: tuple[Named, ...] = ()


def name_arms(question: Question) -> dict[str, Named]:
    """Each loss with its letter, in the order of the question."""
    return {loss: _named(k, loss) for k, loss in enumerate(question.losses)}


def _named(look: int, name: str) -> Named:
    letters = len(ascii_uppercase)
    tag = ascii_uppercase[look] if look < letters else f"A{look - letters + 1}"
    return Named(look, tag, name)


def chart_figure(title: str, chart: Chart, legend: tuple[Named, ...] = ()) -> Figure:
    """A line chart as a figure."""
    return Figure(title, line_chart(chart), legend)
