"""The tables of docs/studies/README.md; what was not run has no row."""

from collections.abc import Iterable

import study_found
from acutance.study.compare.wording import p_value
from acutance.study.numbers import digits, interval
from guide_tables import table
from study_found import (
    DATA,
    FIDELITY,
    JUDGED,
    Found,
    against_first,
    exchange,
    figure,
    found_of,
    lead,
    mean_of,
    order_of,
    parts,
    rows_of,
    seeds_of,
    sets_of,
    signed,
    verdict,
)
from study_lines import in_short

BUDGETS = ("budget-nano", "budget-small")


def choice_table() -> str:
    """What was chosen from, on pictures that were held out of the training."""
    names = sorted(
        path.stem.removeprefix("study-") for path in study_found.RESULTS.glob("study-choice-*.json")
    )
    return parts(names, _choice)


def _choice(found: Found) -> str:
    metrics, first = found["question"]["metrics"], found["question"]["losses"][0]
    rows = sorted(rows_of(found, metrics), key=lambda row: (row[0][2], -row[1]["psnr"]))
    shown = [
        (
            f"{steps:,}",
            f"`{arm}`",
            *(digits(means[m], m) for m in metrics),
            against_first(found, arm, group, steps),
        )
        for (arm, group, steps), means in rows
    ]
    return table(("steps", "loss", *metrics, f"- `{first}`, dB"), shown)


def fidelity_table() -> str:
    """Each claim, its sets as one family; then the winner against the other arms."""
    return parts(FIDELITY, _claims)


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
            verdict(claim) if row is claim["rows"][0] else "",
        )
        for claim in found["claims"]
        for row in claim["rows"]
    ]
    unit = f"{found['question']['primary']}, difference"
    head = ("loss", "against", "steps", "set", "seeds", unit, "95 % interval", "p", "p (Holm)", "")
    return table(head, rows)


def budget_table() -> str:
    """How losses stand to the first one at each length of the training."""
    return parts(BUDGETS, _budget) + figure("losses-by-budget", "Losses by budget")


def _budget(found: Found) -> str:
    first, *others = found["question"]["losses"]
    rows = []
    for steps in found["question"]["steps"]:
        for group in sets_of(found):
            shown = (against_first(found, arm, group, steps) for arm in others)
            order = order_of(found, group, steps)
            rows.append((f"{steps:,}", group, seeds_of(found, group, steps), *shown, order))
    named = (f"`{arm}` - `{first}`, dB" for arm in others)
    return table(("steps", "set", "seeds", *named, "order"), rows)


def article_table() -> str:
    """What each of the article's terms does, against L1 under the same seeds."""
    article, likelihood = found_of("article"), found_of("article-likelihood")
    parts = [lead(article) + _terms(article, article["differences"])] if article else []
    if likelihood:
        parts.append(lead(likelihood) + _terms(likelihood, likelihood["beside"]))
    return "\n".join(parts)


def _terms(found: Found, differences: Iterable[Found]) -> str:
    known = {(row["arm"], row["set"], row["metric"]): row for row in differences}
    rows, steps = [], found["question"]["steps"][-1]
    for arm in found["question"]["losses"]:
        if (arm, JUDGED, "psnr") not in known:  # the reference itself
            own = [mean_of(found, arm, steps, group, "psnr") for group in sets_of(found)]
            own += [mean_of(found, arm, steps, JUDGED, metric) for metric in ("ssim", "lpips")]
            metrics = ["psnr"] * len(sets_of(found)) + ["ssim", "lpips"]
            told = ["-" if v is None else digits(v, m) for v, m in zip(own, metrics, strict=True)]
            rows.append((f"`{arm}`", *told))
            continue
        paid = [signed(known.get((arm, group, "psnr"))) for group in sets_of(found)]
        last = [signed(known.get((arm, JUDGED, metric))) for metric in ("ssim", "lpips")]
        rows.append((f"`{arm}`", *paid, *last))
    sets = (f"{group}, dB" for group in sets_of(found))
    return table(("loss", *sets, f"SSIM {JUDGED}", f"LPIPS {JUDGED}"), rows)


def front_table() -> str:
    """Fidelity and looks of each arm, and of models that are not of the study."""
    return parts(("front-x4", "equal-x4"), _front) + figure("pareto", "PSNR and LPIPS at x4")


def _front(found: Found) -> str:
    metrics, steps = found["question"]["metrics"], found["question"]["steps"][-1]
    first = found["question"]["losses"][0]
    rows = {
        f"`{arm}`": {m: mean_of(found, arm, steps, JUDGED, m) for m in metrics}
        for arm in found["question"]["losses"]
    }
    for row in found["fixed"]:
        if row["set"] == JUDGED:
            rows.setdefault(row["model"], {})[row["metric"]] = row["mean"]
    base = rows[f"`{first}`"]
    rows |= _mixtures(found)
    shown = [
        (
            name,
            *("-" if means.get(m) is None else digits(means[m], m) for m in metrics),
            *exchange(means, base),
        )
        for name, means in rows.items()
    ]
    paid = (f"dB paid beside `{first}`", "LPIPS lower by", "LPIPS per dB")
    return f"Means of {JUDGED}.\n\n" + table(("", *metrics, *paid), shown) + _mixed_lines(found)


def _mixtures(found: Found) -> dict[str, dict[str, float]]:
    """The means of the dial's networks between its two arms."""
    means: dict[str, dict[str, float]] = {}
    for row in found["dial"]:
        if row["set"] == JUDGED and 0 < row["share"] < 1:
            means.setdefault(_mixture(row), {})[row["metric"]] = row["mean"]
    return means


def _mixture(row: Found) -> str:
    return f"{row['share']:.0%} of the way"


def _mixed_lines(found: Found) -> str:
    """What each mixture pays and gains, with intervals."""
    if not found["dial"]:
        return ""
    first, last = found["question"]["dial"]
    told = {(_mixture(row), row["set"], row["metric"]): row["difference"] for row in found["dial"]}
    rows = [
        (name, group, *(signed({**told[name, group, m], "metric": m}) for m in ("psnr", "lpips")))
        for name in _mixtures(found)
        for group in sets_of(found)
    ]
    lead = f"\nWeights between those of `{first}` and of `{last}`, beside the former:\n\n"
    return lead + table(("", "set", "PSNR, dB", "LPIPS"), rows)


def lattice_table() -> str:
    """How much of a pattern of the network's own scale each loss draws."""
    found = found_of("lattice", "")
    if found is None:
        return ""
    rows = [
        (_as_code(row["model"]), f"{row['flat']:.2f}", f"{row['textured']:.2f}")
        for row in found["rows"]
    ]
    return lead({**found, "name": "lattice"}) + table(("", "flat blocks", "textured blocks"), rows)


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
        for group in sets_of(one):
            mean = digits(mean_of(one, loss, steps, group, "psnr") or 0.0, "psnr")
            row = known.get((group, "psnr"))
            cells.append(f"{mean} ({signed(row)})" if row else mean)
        rows.append((DATA[name], *cells))
    one = next(iter(found.values()))
    return (
        "\n".join(lead(one).strip() for one in found.values())
        + "\n\n"
        + table(("learned from", *(f"{group}, dB" for group in sets_of(one))), rows)
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
            *(signed(one) for one in (row["kept"], row)),
            "yes" if row["same_sign"] else "no",
            "yes" if row["overlap"] else "no",
        )
        for row in found["rows"]
    ]
    head = ("difference", "steps", "set", "kept", "again", "same sign", "intervals overlap")
    return lead(found) + table(head, rows)


STUDY_TABLES = {
    "study-choice": choice_table,
    "study-fidelity": fidelity_table,
    "study-budget": budget_table,
    "study-article": article_table,
    "study-front": front_table,
    "study-lattice": lattice_table,
    "study-data": data_table,
    "study-repeat": repeat_table,
    "study-in-short": in_short,
}
