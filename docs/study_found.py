"""What the kept studies found, read for the tables and the lines of the documents."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from acutance.study.numbers import digits, interval

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
JUDGED = "B100"  # where one set stands for all: the one with the most pictures
FIDELITY = ("fidelity-x2", "fidelity-x3", "fidelity-x4")
DATA = {
    "data-photos": "photographs",
    "data-drawn": "drawn pictures",
    "data-mixed": "both",
    "data-free": "free pictures",
}
Found = Mapping[str, Any]


def found_of(name: str, kind: str = "study-") -> Found | None:
    """What a study found; None where it was not run."""
    path = RESULTS / f"{kind}{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def figure(name: str, words: str) -> str:
    """A figure of studies_drawing.py, where it was drawn."""
    path = Path(__file__).parent / "images" / f"{name}.svg"
    return f"\n![{words}](../images/{name}.svg)\n" if path.exists() else ""


def parts(names: Iterable[str], written: Callable[[Found], str]) -> str:
    """Each study that was run: its lead, and what `written` makes of it."""
    return "\n".join(lead(one) + written(one) for name in names if (one := found_of(name)))


def lead(found: Found) -> str:
    """What carries a study out, when and where it was, and what is missing of it."""
    page = f"{found['name']}.html"
    kept = (Path(__file__).parent / "studies" / page).exists()
    shown = f" ([page]({page}))" if kept and "question" in found else ""
    missing = found.get("missing") or []
    lack = f" Not carried out: {len(missing)} runs." if missing else ""
    return f"`{found['command']}`, {found['date']}, {found['machine']}{shown}.{lack}\n\n"


def rows_of(found: Found, metrics: Iterable[str]) -> list[tuple[tuple[str, str, int], dict]]:
    """(arm, set, steps) and the means there, of arms that were run."""
    question = found["question"]
    return [
        ((arm, group, steps), means)
        for steps in question["steps"]
        for group in sets_of(found)
        for arm in question["losses"]
        if None
        not in (means := {m: mean_of(found, arm, steps, group, m) for m in metrics}).values()
    ]


def sets_of(found: Found) -> list[str]:
    """The sets that it was judged on, in order."""
    return list(dict.fromkeys(mean["set"] for mean in found["means"]))


def mean_of(found: Found, arm: str, steps: int, group: str, metric: str) -> float | None:
    """An arm's mean over seeds and pictures; None where it was not run."""
    place = (arm, steps, group, metric)
    for row in found["means"]:
        if (row["arm"], row["budget"], row["set"], row["metric"]) == place:
            return row["mean"]
    return None


def seeds_of(found: Found, group: str, steps: int) -> int:
    """Under how many seeds every arm was run."""
    at = (row for row in found["differences"] if (row["set"], row["budget"]) == (group, steps))
    return min((row["seeds"] for row in at), default=0)


def order_of(found: Found, group: str, steps: int) -> str:
    """The arms by PSNR, the highest first."""
    means = {a: mean_of(found, a, steps, group, "psnr") for a in found["question"]["losses"]}
    return " > ".join(f"`{arm}`" for arm in sorted(means, key=lambda arm: -(means[arm] or 0)))


def against_first(found: Found, arm: str, group: str, steps: int, metric: str = "psnr") -> str:
    """The difference to the first arm with its interval."""
    place = (arm, group, steps, metric)
    for row in found["differences"]:
        if (row["arm"], row["set"], row["budget"], row["metric"]) == place:
            return signed(row)
    return ""


def signed(row: Found | None) -> str:
    """A difference with its 95 % interval."""
    if row is None:
        return ""
    metric = row["metric"]
    if row["low"] is None:
        return digits(row["mean"], metric, signed=True)
    ends = interval(row["low"], row["high"], metric)
    return f"{digits(row['mean'], metric, signed=True)} ({ends})"


def exchange(means: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[str, str, str]:
    """What was paid in dB, what came of it, and the rate, where both went that way."""
    if means is base or None in (means.get("psnr"), means.get("lpips"), base.get("lpips")):
        return ("", "", "")
    paid, gained = base["psnr"] - means["psnr"], base["lpips"] - means["lpips"]
    rate = f"{gained / paid:.3f}" if paid > 0 and gained > 0 else "-"
    return (f"{paid:.3f}", f"{gained / base['lpips']:.1%}", rate)


def verdict(claim: Found) -> str:
    """What a claim comes to, for people."""
    if claim["holds"]:
        return f"better on every set (p < {claim['level']:g})"
    worse = ", ".join(claim["worse_on"])
    return f"not shown; worse on {worse}" if worse else "not shown on every set"
