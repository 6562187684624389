"""The tables of a learned F in docs/results.md, from benchmarks/rescaling.py."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from guide_tables import table

ROOT = Path(__file__).parent.parent
FOUND = ROOT / "benchmarks" / "results" / "rescaling.json"
IMAGE = "rescaling.svg"
WAYS = {"full": "the picture itself", "bicubic": "half, bicubic", "learned": "half, learned F"}


def rescaling_tables() -> str:
    """What the pair gains, what it is at equal bits, and who leads where."""
    if not FOUND.exists():
        return ""
    found = json.loads(FOUND.read_text(encoding="utf-8"))
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}, protocol "
        f"{found['protocol']}, x{found['scale']}, {found['minutes']:g} minutes each:\n\n```\n"
        + "\n".join(arm["command"] for arm in found["arms"])
        + "\n```\n\n"
    )
    parts = [lead + _scores(found)]
    if "answers" in found:
        parts += [_at_equal_bits(found), _leads(found), _lossless(found)]
        if (ROOT / "docs" / "images" / IMAGE).exists():
            parts.append(f"![PSNR over bits per pixel for each codec](images/{IMAGE})\n")
    return "\n".join(parts)


def _scores(found: Mapping[str, Any]) -> str:
    rows = [
        (
            row["set"],
            *(f"{row[arm]['psnr']:.3f} / {row[arm]['ssim']:.4f}" for arm in ("bicubic", "learned")),
            f"{row['learned']['psnr'] - row['bicubic']['psnr']:+.3f}",
            f"{row['small_psnr']:.2f}",
        )
        for row in found["rows"]
    ]
    steps = {arm["name"]: f"{arm['steps']:,} steps" for arm in found["arms"]}
    head = ("set", f"lr by bicubic, {steps['bicubic']}", f"lr by F, {steps['learned']}")
    return table((*head, "gain, dB", "lr of F against bicubic's, dB"), rows)


def _at_equal_bits(found: Mapping[str, Any]) -> str:
    rows = [
        (name, codec, f"{point['bits']:g}", *(_number(point[way]) for way in WAYS))
        for name, codecs in found["answers"].items()
        for codec, told in codecs.items()
        for point in told["at"]
        if any(point[way] is not None for way in WAYS)
    ]
    head = ("set", "codec", "bits per pixel of the original", *(f"{w}, dB" for w in WAYS.values()))
    return table(head, rows)


def _leads(found: Mapping[str, Any]) -> str:
    """One sentence for each codec and comparison."""
    lines = []
    for name, codecs in found["answers"].items():
        for codec, told in codecs.items():
            pairs = [(WAYS[w], WAYS["full"], c) for w, c in told["crossing"].items()]
            pairs.append((WAYS["learned"], WAYS["bicubic"], told["against_bicubic"]))
            lines += [f"- {name}, {codec}: {_sentence(*pair)}" for pair in pairs]
    return "\n".join(lines) + "\n"


def _sentence(one: str, other: str, told: Mapping[str, Any]) -> str:
    low, high = told["range"]
    within = f"from {low:g} to {high:g} bits per pixel"
    names = {"one": (one, other), "other": (other, one)}
    if told["leads"] in names:
        ahead, behind = names[told["leads"]]
        return f"{ahead} is ahead of {behind} {within}."
    if told["leads"] == "both":
        at = ", ".join(f"{bits:g}" for bits in told["bits"])
        return f"{one} and {other} take turns {within}: they cross at {at}."
    ahead, behind = names[told["leads"].partition(" ")[0]]
    return f"{ahead} is ahead of {behind} up to {told['bits'][0]:g} bits per pixel, then behind."


def _lossless(found: Mapping[str, Any]) -> str:
    rows = []
    for name, codecs in found["rates"].items():
        for codec, ways in codecs.items():
            points = {way: points[-1] for way, points in ways.items()}
            format_name = "PNG" if codec == "jpeg" else "WebP lossless"
            rows.append((name, format_name, *(_bits_and_psnr(points[way]) for way in WAYS)))
    head = ("set", "the file", *(f"{way}: bits per pixel, dB" for way in WAYS.values()))
    return table(head, rows)


def _bits_and_psnr(point: Mapping[str, Any]) -> str:
    return f"{point['bits']:.2f}, {_number(point['psnr']) if point['psnr'] else 'exact'}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


RESCALING_TABLES: dict[str, Callable[[], str]] = {"rescaling": rescaling_tables}
