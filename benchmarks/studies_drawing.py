"""The figures of docs/studies/README.md, from what studies.py kept.

    python benchmarks/studies_drawing.py [--results FOLDER] [--into FOLDER]

losses-by-budget.svg: PSNR beside the first loss against the length of the training, with 95 %
intervals. pareto.svg: PSNR and LPIPS on B100 of every arm of front-x4, of bicubic, and of the
bundled models. A figure whose study was not run is not drawn.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acutance.storage import write_atomically
from acutance.study.axes import escape, look_class
from acutance.study.charts import Chart, Curve, line_chart
from acutance.study.compare.figures.figure import Named
from acutance.study.compare.figures.plane import Spot, plane
from acutance.study.report import TEMPLATES

HERE = Path(__file__).parent
RESULTS, IMAGES = HERE / "results", HERE.parent / "docs" / "images"
JUDGED = "B100"
PLOT = (560, 250)  # of a panel, in px
LEFT, RIGHT, TOP, BOTTOM = 70, 40, 40, 52  # room for the axes and the tags
LINE = 20  # px of a line of the legend
OWN = ".plot { width: 100%; height: 100%; max-width: none; padding: 0; }"
OWN += " text { font: 13px system-ui, sans-serif; fill: var(--ink); }"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--into", type=Path, default=IMAGES)
    options = parser.parse_args()
    figures = {"budget-nano": ("losses-by-budget", by_budget), "front-x4": ("pareto", pareto)}
    for study, (name, draw) in figures.items():
        path = options.results / f"study-{study}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            write_atomically(options.into / f"{name}.svg", draw(found))
            print(options.into / f"{name}.svg")


def by_budget(found: dict[str, Any]) -> str:
    """A panel for each set, a line for each loss but the first, which is 0."""
    first, *others = found["question"]["losses"]
    named = [Named(k, "ABCDEFGH"[k], loss) for k, loss in enumerate(others)]
    panels = []
    for group in dict.fromkeys(row["set"] for row in found["differences"]):
        curves = [
            _curve([r for r in found["differences"] if _is(r, one.name, group)], one)
            for one in named
        ]
        chart = Chart(
            tuple(curves),
            x_label="steps",
            y_label=f"{group}: PSNR beside {first}, dB",
            log_x=True,
            marks=tuple(found["question"]["steps"]),
            zero=True,
        )
        panels.append(line_chart(chart))
    return sheet(panels, named)


def _is(row: dict[str, Any], arm: str, group: str) -> bool:
    return (row["arm"], row["set"], row["metric"]) == (arm, group, "psnr")


def _curve(rows: list[dict[str, Any]], named: Named) -> Curve:
    """A point where two seeds or more are done: one has no interval."""
    rows = sorted((row for row in rows if row["low"] is not None), key=lambda row: row["budget"])
    return Curve(
        named.name,
        tuple((row["budget"], row["mean"]) for row in rows),
        tuple((row["low"], row["high"]) for row in rows),
        tag=named.tag,
        look=named.look,
    )


def pareto(found: dict[str, Any]) -> str:
    """Every arm, bicubic, and the bundled models."""
    steps = found["question"]["steps"][-1]
    means: dict[str, dict[str, tuple[float, float]]] = {}
    for row in found["means"]:
        if (row["set"], row["budget"]) == (JUDGED, steps):
            means.setdefault(row["arm"], {})[row["metric"]] = (row["mean"], row["noise"] or 0.0)
    spots = []
    for k, (name, of) in enumerate(means.items()):
        (x, x_noise), (y, y_noise) = of["psnr"], of["lpips"]
        spots.append(Spot(Named(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[k], name), x, y, x_noise, y_noise))
    named = [spot.named for spot in spots]
    fixed: dict[str, dict[str, float]] = {}
    for row in found["fixed"]:
        if row["set"] == JUDGED:
            fixed.setdefault(row["model"], {})[row["metric"]] = row["mean"]
    for name, of in fixed.items():
        spots.append(Spot(Named(len(spots), name, name), of["psnr"], of["lpips"]))
    return sheet([plane(f"{JUDGED}: PSNR and LPIPS", spots, "lpips").svg], named, height=420)


def sheet(panels: Sequence[str], legend: Sequence[Named], height: int = PLOT[1]) -> str:
    """Charts below each other and what their letters mean, as a file that stands alone."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    width, step = LEFT + PLOT[0] + RIGHT + 60, TOP + height + BOTTOM
    parts = [
        f'<svg x="{LEFT}" y="{k * step + TOP}" width="{PLOT[0]}" height="{height}" '
        f'style="overflow: visible">{panel}</svg>'
        for k, panel in enumerate(panels)
    ]
    below = len(panels) * step
    parts += [
        f'<text x="{LEFT}" y="{below + LINE * (k + 1)}" class="{look_class(one.look)}">'
        f'<tspan style="fill: var(--look); font-weight: 600">{one.tag}</tspan> '
        f"{escape(one.name)}</text>"
        for k, one in enumerate(legend)
    ]
    whole = below + LINE * (len(legend) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}">'
        f"<style><![CDATA[{style}{OWN}]]></style>"
        f'<rect width="100%" height="100%" style="fill: var(--paper)"/>'
        + "".join(parts)
        + "</svg>\n"
    )


if __name__ == "__main__":
    main()
