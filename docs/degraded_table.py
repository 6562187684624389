"""The table of training on degraded pictures in docs/results.md, from benchmarks/degraded.py."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from guide_tables import table

ROOT = Path(__file__).parent.parent
FOUND = ROOT / "benchmarks" / "results" / "degraded.json"
IMAGE = "degraded.png"
COLUMNS = {"psnr": ("PSNR-Y, dB", 2), "lpips": ("LPIPS", 4), "niqe": ("NIQE", 2)}
CONDITIONS = {"degraded": "degraded", "clean": "reduced by bicubic"}


def degraded_table() -> str:
    """Bicubic and both trainings on both kinds of pictures, with what the degraded one changes."""
    if not FOUND.exists():
        return ""
    found = json.loads(FOUND.read_text(encoding="utf-8"))
    (first, second), seed = found["steps"], found["degrade_seed"]
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}; {found['set']} at x4, "
        f"protocol {found['protocol']}, degraded by `{found['recipe']}` with seed {seed}; "
        f"{first:,} and {second:,} steps:\n\n```\n" + "\n".join(found["train"]) + "\n```\n\n"
    )
    rows = [
        (
            CONDITIONS[row["pictures"]],
            row["model"],
            *(f"{row['means'][metric]:.{digits}f}" for metric, (_, digits) in COLUMNS.items()),
            *(_change(row, metric) for metric in ("lpips", "niqe")),
        )
        for row in found["rows"]
    ]
    heads = [text for text, _ in COLUMNS.values()]
    ends = ("LPIPS of the last less this", "NIQE of the last less this")
    text = lead + table(("pictures", "trained on", *heads, *ends), rows)
    if (ROOT / "docs" / "images" / IMAGE).exists():
        text += f"\n![Pieces of degraded photographs, enlarged by each](images/{IMAGE})\n"
    return text


def _change(row: Mapping[str, Any], metric: str) -> str:
    if "change" not in row:
        return ""
    mean, low, high = row["change"][metric]
    digits = COLUMNS[metric][1]
    return f"{mean:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


DEGRADED_TABLE: dict[str, Callable[[], str]] = {"degraded": degraded_table}
