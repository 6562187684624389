"""The tables of degraded pictures in docs/results.md, from benchmarks/degraded.py and photo.py."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from guide_tables import table

ROOT = Path(__file__).parent.parent
RESULTS, IMAGES = ROOT / "benchmarks" / "results", ROOT / "docs" / "images"
COLUMNS = {"psnr": ("PSNR-Y, dB", 2), "lpips": ("LPIPS", 4), "niqe": ("NIQE", 2)}
CONDITIONS = {"degraded": "degraded", "clean": "reduced by bicubic"}


def degraded_table() -> str:
    """Bicubic and both trainings on both kinds of pictures, with what the degraded one changes."""
    found = _found("degraded")
    if found is None:
        return ""
    (first, second), seed = found["steps"], found["degrade_seed"]
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}; {found['set']} at x4, "
        f"protocol {found['protocol']}, degraded by `{found['recipe']}` with seed {seed}; "
        f"{first:,} and {second:,} steps:\n\n```\n" + "\n".join(found["train"]) + "\n```\n\n"
    )
    rows = [(CONDITIONS[row["pictures"]], row["model"], *_figures(row)) for row in found["rows"]]
    text = lead + table(("pictures", "trained on", *_heads("the last")), rows)
    return text + _picture("degraded", "Pieces of degraded photographs, enlarged by each")


def photo_table() -> str:
    """Bicubic, small and photo at its scales on degraded pictures, on JPEGs and on clean ones."""
    found = _found("photo")
    if found is None:
        return ""
    chains = "\n".join(f"x{scale}  {chain}" for scale, chain in found["chains"].items())
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}; {found['set']}, protocol "
        f"{found['protocol']}, degraded with seed {found['degrade_seed']}. photo learned from\n\n"
        f"```\n{chains}\n```\n\n"
    )
    rows = [
        (f"x{row['scale']}", row["pictures"], f"`{row['model']}`", *_figures(row))
        for row in found["rows"]
    ]
    text = lead + table(("scale", "made small by", "model", *_heads("photo")), rows)
    return text + _picture("photo", "Pieces of degraded photographs, enlarged by each")


def _found(name: str) -> Mapping[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _heads(last: str) -> tuple[str, ...]:
    ends = (f"LPIPS of {last} less this", f"NIQE of {last} less this")
    return (*(text for text, _ in COLUMNS.values()), *ends)


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    means = (f"{row['means'][metric]:.{digits}f}" for metric, (_, digits) in COLUMNS.items())
    return (*means, *(_change(row, metric) for metric in ("lpips", "niqe")))


def _picture(name: str, words: str) -> str:
    there = (IMAGES / f"{name}.png").exists()
    return f"\n![{words}](images/{name}.png)\n" if there else ""


def _change(row: Mapping[str, Any], metric: str) -> str:
    if "change" not in row:
        return ""
    mean, low, high = row["change"][metric]
    digits = COLUMNS[metric][1]
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


DEGRADED_TABLE: dict[str, Callable[[], str]] = {"degraded": degraded_table, "photo": photo_table}
