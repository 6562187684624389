"""Build the atlas: a page for each loss, one table and one figure of what all of them see."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acutance.losses import LOSSES, family
from acutance.storage import write_atomically
from acutance.study.atlas.distortions import DISTORTIONS
from acutance.study.atlas.heat import heat_map, shorten
from acutance.study.atlas.results import result
from acutance.study.atlas.scenes import scenes
from acutance.study.atlas.shown import UNSEEN
from acutance.study.atlas.text import card_page
from acutance.training.display import Display

FIGURE = "what-losses-see.svg"
NUMBERS = "numbers.json"  # the table again, for programs
FAMILIES = (
    "pixel",
    "margin",
    "likelihood",
    "structure",
    "frequency",
    "edges",
    "features",
    "adversarial",
    "colour",
    "distribution",
    "distillation",
)


def write_atlas(folder: Path, kept: Path, data: Path | None, display: Display) -> None:
    """Measure what is not yet in `kept`, then write all pages into `folder`.

    `data` is where the test sets lie, if anywhere; without them only free photographs count.
    """
    hr, sources = scenes(data)
    names = own_losses()
    kept.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    for done, name in enumerate(names):
        display.phase("losses", done, len(names))
        found[name] = result(
            name,
            hr,
            kept,
            tell=lambda what, k, n, name=name: display.phase(f"{name}: {what}", k, n),
        )
        page = card_page(found[name], ", ".join(sources))
        write_atomically(folder / f"{name}.md", page)
        shutil.copyfile(kept / f"{name}.webp", folder / f"{name}.webp")
    rows = {name: data["sights"] for name, data in found.items()}
    columns = [distortion.name for distortion in DISTORTIONS]
    middle = {name: [seen[c][1] for c in columns] for name, seen in rows.items()}
    write_atomically(folder / FIGURE, heat_map(middle, columns))
    write_atomically(folder / "README.md", _index(found, middle, columns, sources))
    numbers = {name: _numbers(data) for name, data in found.items()}
    write_atomically(folder / NUMBERS, json.dumps(numbers, indent=1) + "\n")
    _drop_old(folder, names)


def own_losses() -> list[str]:
    """Our losses that can be shown, family by family."""
    own = [n for n, place in LOSSES.places().items() if place.startswith("acutance.")]
    seen = [n for n in own if not set(LOSSES.module(n).CONTRACT.needs) & UNSEEN]
    return sorted(seen, key=lambda n: (FAMILIES.index(family(n)), n))


def _index(
    found: Mapping[str, Mapping[str, Any]],
    middle: Mapping[str, Sequence[float]],
    columns: Sequence[str],
    sources: Sequence[str],
) -> str:
    """The page that leads to all others."""
    strengths = ", ".join(f"{d.name} {d.strengths[1]:g} ({d.words})" for d in DISTORTIONS)
    lines = [
        "# What each loss does",
        "",
        "Made by `make atlas`. Each loss has a page with its formula, what it claims, what it",
        "costs, what it is blind to, and where it leads when nothing else holds the pixels.",
        "",
        "## What each loss sees",
        "",
        "A distortion counts for a loss as much as noise of some strength does. The number is that",
        "noise over the distortion's root mean square error: 1 is what a squared error sees, 0.1",
        "is all but blind, 4 is four times as alert. Geometric means over "
        + f"{', '.join(sources)}.",
        "",
        f"Strengths: {strengths}.",
        "",
        f"![Losses against distortions]({FIGURE})",
        "",
        f"| loss | measured as | {' | '.join(columns)} | PSNR after | LPIPS after | cost / l1 |",
        f"|---|---|{'---|' * (len(columns) + 3)}",
    ]
    for name, data in found.items():
        last, card = data["stages"][-1], data["card"]
        cells = [shorten(value) for value in middle[name]]
        distance = "" if last["lpips"] is None else f"{last['lpips']:.3f}"
        lines.append(
            f"| [{name}]({name}.md) | `{card['expression']}` | {' | '.join(cells)} "
            f"| {last['psnr']:.1f} | {distance} | {card['cost_relative']:.1f} |"
        )
    start = next(iter(found.values()))["stages"][0]
    begins = f"{start['psnr']:.1f} dB" + (
        "" if start["lpips"] is None else f" and LPIPS {start['lpips']:.3f}"
    )
    return "\n".join([*lines, "", f"The pixels begin at {begins}.", ""])


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the table says of a loss, rounded to what is meant; distortions at medium strength."""
    first, last, card = data["stages"][0], data["stages"][-1], data["card"]
    known = last["lpips"] is not None
    return {
        "expression": card["expression"],
        "sees": {name: round(seen[1], 3) for name, seen in data["sights"].items()},
        "psnr": [round(stage["psnr"], 2) for stage in (first, last)],
        "lpips": [round(stage["lpips"], 4) for stage in (first, last)] if known else None,
        "cost": round(card["cost_relative"], 2),
    }


def _drop_old(folder: Path, names: Sequence[str]) -> None:
    """Pages of losses that are no more."""
    for path in folder.iterdir():
        if path.suffix in {".md", ".webp"} and path.stem not in {*names, "README"}:
            path.unlink()
