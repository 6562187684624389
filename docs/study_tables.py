"""The tables of docs/studies/README.md; what was not run has no row."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from acutance.study.compare.wording import p_value
from acutance.study.numbers import digits, interval
from guide_tables import table

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
MOST_PAID = 1.0  # dB, for looks, of what the five lines name
JUDGED = "B100"  # where one set stands for all: the one with the most pictures
FIDELITY = ("fidelity-x2", "fidelity-x3", "fidelity-x4")
BUDGETS = ("budget-nano", "budget-small")
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


def choice_table() -> str:
    """What was chosen from, on pictures that were held out of the training."""
    names = sorted(path.stem.removeprefix("study-") for path in RESULTS.glob("study-choice-*.json"))
    return _parts(names, _choice)


def _choice(found: Found) -> str:
    metrics, first = found["question"]["metrics"], found["question"]["losses"][0]
    rows = sorted(_rows(found, metrics), key=lambda row: (row[0][2], -row[1]["psnr"]))
    shown = [
        (
            f"{steps:,}",
            f"`{arm}`",
            *(digits(means[m], m) for m in metrics),
            _against(found, arm, group, steps),
        )
        for (arm, group, steps), means in rows
    ]
    return table(("steps", "loss", *metrics, f"- `{first}`, dB"), shown)


def fidelity_table() -> str:
    """Each claim, its sets as one family; then the winner against the other arms."""
    return _parts(FIDELITY, _claims)


def _claims(found: Found) -> str:
    rows = [
        (
            f"`{row['arm']}`",
            f"`{row['against']}`",
            f"{row['budget']:,}",
            row["set"],
            row["seeds"],
            digits(row["mean"], row["metric"], signed=True),
            interval(row["low"], row["high"], row["metric"]),
            p_value(row["p"]),
            p_value(row["p_holm"]),
            _verdict(claim) if row is claim["rows"][0] else "",
        )
        for claim in found["claims"]
        for row in claim["rows"]
    ]
    unit = f"{found['question']['primary']}, difference"
    head = ("loss", "against", "steps", "set", "seeds", unit, "95 % interval", "p", "p (Holm)", "")
    return table(head, rows)


def _verdict(claim: Found) -> str:
    if claim["holds"]:
        return f"better on every set (p < {claim['level']:g})"
    worse = ", ".join(claim["worse_on"])
    return f"not shown; worse on {worse}" if worse else "not shown on every set"


def budget_table() -> str:
    """How losses stand to the first one at each length of the training."""
    return _parts(BUDGETS, _budget) + _figure("losses-by-budget", "Losses by budget")


def _budget(found: Found) -> str:
    first, *others = found["question"]["losses"]
    rows = []
    for steps in found["question"]["steps"]:
        for group in _sets(found):
            means = {arm: _mean(found, arm, steps, group, "psnr") for arm in (first, *others)}
            ranked = sorted(means, key=lambda arm: -(means[arm] or 0))
            shown = (_against(found, arm, group, steps) for arm in others)
            order = " > ".join(f"`{arm}`" for arm in ranked)
            rows.append((f"{steps:,}", group, _seeds(found, group, steps), *shown, order))
    named = (f"`{arm}` - `{first}`, dB" for arm in others)
    return table(("steps", "set", "seeds", *named, "order"), rows)


def _seeds(found: Found, group: str, steps: int) -> int:
    """Under how many seeds every arm was run."""
    at = (row for row in found["differences"] if (row["set"], row["budget"]) == (group, steps))
    return min((row["seeds"] for row in at), default=0)


def article_table() -> str:
    """What each of the article's terms does, against L1 under the same seeds."""
    article, likelihood = found_of("article"), found_of("article-likelihood")
    parts = [_lead(article) + _terms(article, article["differences"])] if article else []
    if likelihood:
        parts.append(_lead(likelihood) + _terms(likelihood, likelihood["beside"]))
    return "\n".join(parts)


def _terms(found: Found, differences: Iterable[Found]) -> str:
    known = {(row["arm"], row["set"], row["metric"]): row for row in differences}
    rows, steps = [], found["question"]["steps"][-1]
    for arm in found["question"]["losses"]:
        if (arm, JUDGED, "psnr") not in known:  # the reference itself
            own = [_mean(found, arm, steps, group, "psnr") for group in _sets(found)]
            own += [_mean(found, arm, steps, JUDGED, metric) for metric in ("ssim", "lpips")]
            metrics = ["psnr"] * len(_sets(found)) + ["ssim", "lpips"]
            told = ["-" if v is None else digits(v, m) for v, m in zip(own, metrics, strict=True)]
            rows.append((f"`{arm}`", *told))
            continue
        paid = [_signed(known.get((arm, group, "psnr"))) for group in _sets(found)]
        last = [_signed(known.get((arm, JUDGED, metric))) for metric in ("ssim", "lpips")]
        rows.append((f"`{arm}`", *paid, *last))
    sets = (f"{group}, dB" for group in _sets(found))
    return table(("loss", *sets, f"SSIM {JUDGED}", f"LPIPS {JUDGED}"), rows)


def front_table() -> str:
    """Fidelity and looks of each arm, and of models that are not of the study."""
    return _parts(("front-x4", "equal-x4"), _front) + _figure("pareto", "PSNR and LPIPS at x4")


def _front(found: Found) -> str:
    metrics, steps = found["question"]["metrics"], found["question"]["steps"][-1]
    first = found["question"]["losses"][0]
    rows = {
        f"`{arm}`": {m: _mean(found, arm, steps, JUDGED, m) for m in metrics}
        for arm in found["question"]["losses"]
    }
    for row in found["fixed"]:
        if row["set"] == JUDGED:
            rows.setdefault(row["model"], {})[row["metric"]] = row["mean"]
    base = rows[f"`{first}`"]
    shown = [
        (
            name,
            *("-" if means.get(m) is None else digits(means[m], m) for m in metrics),
            *_exchange(means, base),
        )
        for name, means in rows.items()
    ]
    paid = (f"dB paid beside `{first}`", "LPIPS lower by", "LPIPS per dB")
    return f"Means of {JUDGED}.\n\n" + table(("", *metrics, *paid), shown)


def _exchange(means: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[str, str, str]:
    """What was paid in dB, what came of it, and the rate, where both went that way."""
    if means is base or None in (means.get("psnr"), means.get("lpips"), base.get("lpips")):
        return ("", "", "")
    paid, gained = base["psnr"] - means["psnr"], base["lpips"] - means["lpips"]
    rate = f"{gained / paid:.3f}" if paid > 0 and gained > 0 else "-"
    return (f"{paid:.3f}", f"{gained / base['lpips']:.1%}", rate)


def lattice_table() -> str:
    """How much of a pattern of the network's own scale each loss draws."""
    found = found_of("lattice", "")
    if found is None:
        return ""
    rows = [
        (_as_code(row["model"]), f"{row['flat']:.2f}", f"{row['textured']:.2f}")
        for row in found["rows"]
    ]
    return _lead({**found, "name": "lattice"}) + table(("", "flat blocks", "textured blocks"), rows)


def _as_code(name: str) -> str:
    return name if name.replace("-", "").isalpha() else f"`{name}`"


def data_table() -> str:
    """L1 on photographs, on drawn pictures, and on both, paired by seed."""
    found = {name: one for name in DATA if (one := found_of(name))}
    if not found:
        return ""
    rows = []
    for name, one in found.items():
        known = {(row["set"], row["metric"]): row for row in one["beside"]}
        steps, loss = one["question"]["steps"][-1], one["question"]["losses"][0]
        cells = []
        for group in _sets(one):
            mean = digits(_mean(one, loss, steps, group, "psnr") or 0.0, "psnr")
            row = known.get((group, "psnr"))
            cells.append(f"{mean} ({_signed(row)})" if row else mean)
        rows.append((DATA[name], *cells))
    one = next(iter(found.values()))
    return (
        "\n".join(_lead(one).strip() for one in found.values())
        + "\n\n"
        + table(("learned from", *(f"{group}, dB" for group in _sets(one))), rows)
    )


def repeat_table() -> str:
    """The claim once more, under seeds that the study did not have."""
    found = found_of("repeat")
    if found is None:
        return ""
    rows = [
        (
            f"`{row['arm']}` - `{row['against']}`",
            f"{row['budget']:,}",
            row["set"],
            *(_signed(one) for one in (row["kept"], row)),
            "yes" if row["same_sign"] else "no",
            "yes" if row["overlap"] else "no",
        )
        for row in found["rows"]
    ]
    head = ("difference", "steps", "set", "kept", "again", "same sign", "intervals overlap")
    return _lead(found) + table(head, rows)


def five_lines() -> str:
    """The study in a line a question, each with the section that has its command."""
    made = (_line_of_fidelity, _line_of_budget, _line_of_article, _line_of_front, _line_of_data)
    lines = [line for make in made if (line := make())]
    if not lines:
        return ""
    return "## The study in five lines\n\n" + "".join(f"- {line}\n" for line in lines)


def _line_of_fidelity() -> str:
    told = []
    for name in FIDELITY:
        found = found_of(name)
        claim = next((c for c in found["claims"] if c["claimed"]), None) if found else None
        if found and claim:
            gains = ", ".join(f"{r['set']} {r['mean']:+.3f} dB" for r in claim["rows"])
            seeds = claim["rows"][0]["seeds"]
            told.append(f"x{found['scale']} {gains} ({seeds} seeds; {_verdict(claim)})")
            arms = f"`{claim['rows'][0]['arm']}` against `{claim['rows'][0]['against']}`"
    return _linked("fidelity", f"{arms}: {'; '.join(told)}") if told else ""


def _line_of_budget() -> str:
    found = found_of("budget-nano")
    if found is None:
        return ""
    told = []
    for steps in found["question"]["steps"]:
        means = {a: _mean(found, a, steps, JUDGED, "psnr") for a in found["question"]["losses"]}
        known = {arm: mean for arm, mean in means.items() if mean is not None}
        if known:
            told.append(f"`{max(known, key=lambda arm: known[arm])}` at {steps:,}")
    return _linked("budgets", f"the highest PSNR on {JUDGED} by steps: {', '.join(told)}")


def _line_of_article() -> str:
    found = found_of("article")
    if found is None:
        return ""
    rows = [r for r in found["differences"] if (r["set"], r["metric"]) == (JUDGED, "lpips")]
    best = min(rows, key=lambda row: row["mean"])
    paid = next(
        row["mean"]
        for row in found["differences"]
        if (row["arm"], row["set"], row["metric"]) == (best["arm"], JUDGED, "psnr")
    )
    told = f"{best['mean']:+.4f} beside `{best['against']}` ({paid:+.2f} dB on {JUDGED})"
    return _linked(
        "article", f"of the article's terms `{best['arm']}` has the lowest LPIPS, {told}"
    )


def _line_of_front() -> str:
    found = found_of("front-x4")
    if found is None:
        return ""
    steps, (first, *others) = found["question"]["steps"][-1], found["question"]["losses"]
    of = {
        arm: {m: _mean(found, arm, steps, JUDGED, m) for m in ("psnr", "lpips")}
        for arm in (first, *others)
    }
    if None in of[first].values():
        return ""
    known = [arm for arm in others if None not in of[arm].values()]
    able = [arm for arm in known if of[first]["psnr"] - of[arm]["psnr"] <= MOST_PAID]
    if not able:
        return ""
    best = min(able, key=lambda arm: of[arm]["lpips"])
    paid, lower, _ = _exchange(of[best], of[first])
    return _linked("front", f"at x4 `{best}` has LPIPS lower by {lower} for {paid} dB on {JUDGED}")


def _line_of_data() -> str:
    told = []
    for name, words in DATA.items():
        found = found_of(name)
        rows = found["beside"] if found else []
        told += [
            f"{words} {row['mean']:+.3f} dB"
            for row in rows
            if (row["set"], row["metric"]) == (JUDGED, "psnr")
        ]
    return _linked("data", f"beside photographs, {', '.join(told)} on {JUDGED}") if told else ""


def _linked(place: str, text: str) -> str:
    return f"{text[0].upper()}{text[1:]} ([command](docs/studies/README.md#{place}))."


def _figure(name: str, words: str) -> str:
    """A figure of studies_drawing.py, where it was drawn."""
    path = Path(__file__).parent / "images" / f"{name}.svg"
    return f"\n![{words}](../images/{name}.svg)\n" if path.exists() else ""


def _parts(names: Iterable[str], written: Callable[[Found], str]) -> str:
    """Each study that was run: its lead, and what `written` makes of it."""
    return "\n".join(_lead(one) + written(one) for name in names if (one := found_of(name)))


def _lead(found: Found) -> str:
    page = f"{found['name']}.html"
    kept = (Path(__file__).parent / "studies" / page).exists()
    shown = f" ([page]({page}))" if kept and "question" in found else ""
    missing = found.get("missing") or []
    lack = f" Not carried out: {len(missing)} runs." if missing else ""
    return f"`{found['command']}`, {found['date']}, {found['machine']}{shown}.{lack}\n\n"


def _rows(found: Found, metrics: Iterable[str]) -> list[tuple[tuple[str, str, int], dict]]:
    """(arm, set, steps) and the means there, of arms that were run."""
    question = found["question"]
    return [
        ((arm, group, steps), means)
        for steps in question["steps"]
        for group in _sets(found)
        for arm in question["losses"]
        if None not in (means := {m: _mean(found, arm, steps, group, m) for m in metrics}).values()
    ]


def _sets(found: Found) -> list[str]:
    return list(dict.fromkeys(mean["set"] for mean in found["means"]))


def _mean(found: Found, arm: str, steps: int, group: str, metric: str) -> float | None:
    place = (arm, steps, group, metric)
    for row in found["means"]:
        if (row["arm"], row["budget"], row["set"], row["metric"]) == place:
            return row["mean"]
    return None


def _against(found: Found, arm: str, group: str, steps: int, metric: str = "psnr") -> str:
    """The difference to the first arm with its interval."""
    place = (arm, group, steps, metric)
    for row in found["differences"]:
        if (row["arm"], row["set"], row["budget"], row["metric"]) == place:
            return _signed(row)
    return ""


def _signed(row: Found | None) -> str:
    """A difference with its 95 % interval."""
    if row is None:
        return ""
    metric = row["metric"]
    if row["low"] is None:
        return digits(row["mean"], metric, signed=True)
    ends = interval(row["low"], row["high"], metric)
    return f"{digits(row['mean'], metric, signed=True)} ({ends})"


STUDY_TABLES = {
    "study-choice": choice_table,
    "study-fidelity": fidelity_table,
    "study-budget": budget_table,
    "study-article": article_table,
    "study-front": front_table,
    "study-lattice": lattice_table,
    "study-data": data_table,
    "study-repeat": repeat_table,
    "study-five-lines": five_lines,
}
