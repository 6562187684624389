"""The tables of the perceptual fine-tunes in docs/results.md, from benchmarks/finetunes.py."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from guide_tables import table

ROOT = Path(__file__).parent.parent
FOUND = ROOT / "benchmarks" / "results" / "finetunes.json"
COLUMNS = {"psnr": "PSNR-Y, dB", "ssim": "SSIM", "lpips": "LPIPS", "niqe": "NIQE"}
COLUMNS |= {"lr_psnr": "LR-PSNR, dB"}
DIGITS = {"psnr": 2, "ssim": 4, "lpips": 4, "niqe": 2, "lr_psnr": 2}
PICTURES = {
    "finetunes.svg": "PSNR and LPIPS of every model, and the curve of the mixtures",
    "finetunes.png": "crops of photographs by bicubic, L1 and the arms, and the originals",
}


def finetune_tables() -> str:
    """How each arm was trained, what it scores, what it paid, and the dial between two models."""
    if not FOUND.exists():
        return ""
    found = json.loads(FOUND.read_text(encoding="utf-8"))
    start = found["start"]
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}, protocol {found['protocol']}. "
        f"START is {start['architecture']} in {start['color']}, {start['steps']:,} steps of "
        f"`{start['loss']}`"
    )
    made = (
        f"; it was trained by\n\n```\n{start['command']}\n```\n\n"
        if "command" in start
        else ".\n\n"
    )
    return lead + made + "\n".join([_arms(found), _scores(found), _curve(found)])


def _arms(found: Mapping[str, Any]) -> str:
    rows = [(a["name"], f"`{a['loss']}`", a["after"], f"{a['steps']:,}") for a in found["arms"]]
    text = table(("arm", "loss", "after", "steps"), rows)
    if not found["arms"]:
        return text
    return f"{text}\nEach as the first of them:\n\n```\n{found['arms'][0]['command']}\n```\n"


def _scores(found: Mapping[str, Any]) -> str:
    rows = [
        (
            row["set"],
            row["model"],
            *(f"{row['means'][metric]:.{DIGITS[metric]}f}" for metric in COLUMNS),
            _with_interval(row.get("against", {}).get("lpips"), 4),
            _price(row.get("exchange")),
        )
        for row in found["rows"]
    ]
    head = ("set", "model", *COLUMNS.values(), "LPIPS against L1", "LPIPS per dB")
    return table(head, rows)


def _with_interval(found: list[float] | None, digits: int) -> str:
    """A difference and the ends of its interval."""
    if found is None:
        return ""
    mean, low, high = (f"{number:+.{digits}f}" for number in found)
    return f"{mean} ({low} to {high})"


def _price(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    if found["rate"] is None:
        return found["reason"]
    ends = found["interval"]
    return f"{found['rate']:.3f} " + (
        f"({ends[0]:.3f} to {ends[1]:.3f})" if ends else "(unbounded)"
    )


def _curve(found: Mapping[str, Any]) -> str:
    """The mixtures as a table, and the pictures that are there."""
    parts = []
    if found["curve"]:
        rows = [
            (
                f"{point['share']:.0%}",
                *(f"{point['means'][metric]:.{DIGITS[metric]}f}" for metric in COLUMNS),
            )
            for point in found["curve"]
        ]
        parts.append(table((f"share of {found['best']}, {found['set']}", *COLUMNS.values()), rows))
    parts += [
        f"![{text}](images/{name})\n"
        for name, text in PICTURES.items()
        if (ROOT / "docs" / "images" / name).exists()
    ]
    return "\n".join(parts)


FINETUNE_TABLES: dict[str, Callable[[], str]] = {"finetunes": finetune_tables}
