"""The tables of docs/choosing-a-loss.md, from what the atlas and the twelve trainings measured."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from acutance.losses import LOSSES

ROOT = Path(__file__).parent.parent
ATLAS = ROOT / "docs" / "losses" / "numbers.json"
TWELVE = ROOT / "benchmarks" / "results" / "losses.json"
BLIND = 0.1  # a tenth of what a squared error would see
SHOWN = 5
GAIN_DB = 6.0  # half the error is gone; beyond, a picture is likely because it is right


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; a bar within a cell, as in |e|, would end it and is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in cells)


def twelve_table() -> str:
    """The same network trained for two minutes under each of twelve expressions."""
    if not TWELVE.exists():
        return ""
    found = json.loads(TWELVE.read_text(encoding="utf-8"))
    rows = [
        (
            f"`{run['loss']}`",
            run["purpose"],
            run["steps"],
            *(f"{run['psnr'][name]:.2f}" for name in found["sets"]),
            *([f"{run['lpips'][name]:.4f}" for name in run["lpips"]] if run["lpips"] else ["", ""]),
        )
        for run in found["runs"]
    ]
    head = ("expression", "meant for", "steps", *(f"{name}, dB" for name in found["sets"]))
    lead = f"`{found['command']}`, {found['date']}, {found['machine']}; {found['network']}\n\n"
    return lead + table((*head, "LPIPS Set5", "LPIPS Set14"), rows)


def share_table() -> str:
    """Shares asked for, and found anew by autograd on batches that training has not seen."""
    if not TWELVE.exists():
        return ""
    found = json.loads(TWELVE.read_text(encoding="utf-8"))
    rows = [
        (f"`{run['loss']}`", *(_percent(run["shares"][key]) for key in ("asked", "found")))
        for run in found["runs"]
        if run["shares"]
    ]
    return table(("expression", "asked", "found"), rows)


def seeing_table() -> str:
    """For each distortion the losses most alert to it, and the blind ones."""
    losses = {name: of for name, of in _atlas().items() if _compares(name)}
    rows = []
    for distortion in next(iter(losses.values()))["sees"] if losses else ():
        seen = {name: of["sees"][distortion] for name, of in losses.items()}
        alert = sorted(seen, key=lambda name: -seen[name])[:SHOWN]
        blind = sorted(n for n, value in seen.items() if value < BLIND)
        rows.append(
            (distortion, _linked(alert, seen), ", ".join(f"`{n}`" for n in blind) or "none")
        )
    return table(("distortion", "most alert", f"all but blind (below {BLIND:g})"), rows)


def faithful_table() -> str:
    """Losses that lead free pixels nearest to the target by PSNR."""
    losses = _atlas()
    best = sorted(losses, key=lambda name: -losses[name]["psnr"][1])[: 2 * SHOWN]
    return _journeys({name: losses[name] for name in best})


def likely_table() -> str:
    """Losses that halve LPIPS or better although the pixels stay wrong."""
    losses = _atlas()
    liked = {
        name: of
        for name, of in losses.items()
        if of["lpips"]
        and of["lpips"][1] < of["lpips"][0] / 2
        and of["psnr"][1] < of["psnr"][0] + GAIN_DB
    }
    return _journeys({n: liked[n] for n in sorted(liked, key=lambda n: liked[n]["lpips"][1])})


def astray_table() -> str:
    """Losses under which free pixels end farther from the target than they began."""
    losses = _atlas()
    worse = [n for n, of in losses.items() if of["psnr"][1] < of["psnr"][0] - 0.5]
    return _journeys({n: losses[n] for n in sorted(worse, key=lambda n: losses[n]["psnr"][1])})


def _journeys(losses: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            f"[{name}](losses/{name}.md)",
            f"`{of['expression']}`",
            f"{of['psnr'][0]:.2f} to {of['psnr'][1]:.2f}",
            f"{of['lpips'][0]:.3f} to {of['lpips'][1]:.3f}" if of["lpips"] else "",
            f"{of['cost']:.1f}",
        )
        for name, of in losses.items()
    ]
    return table(("loss", "measured as", "PSNR, dB", "LPIPS", "cost / l1"), rows)


def _compares(name: str) -> bool:
    """Whether a loss is a distance of two pictures, and of nothing else."""
    contract = LOSSES.module(name).CONTRACT
    return not contract.needs and "minimum_at_equality" not in contract.exceptions


def _atlas() -> dict[str, dict[str, Any]]:
    return json.loads(ATLAS.read_text(encoding="utf-8")) if ATLAS.exists() else {}


def _linked(names: Sequence[str], seen: Mapping[str, float]) -> str:
    return ", ".join(f"[{name}](losses/{name}.md) {seen[name]:.1f}" for name in names)


def _percent(shares: Sequence[float]) -> str:
    return " / ".join(f"{100 * share:.1f} %" for share in shares)


TABLES: dict[str, Callable[[], str]] = {
    "twelve": twelve_table,
    "shares": share_table,
    "seeing": seeing_table,
    "faithful": faithful_table,
    "likely": likely_table,
    "astray": astray_table,
}
