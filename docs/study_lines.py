"""The study in a line a question, for the README."""

from study_found import (
    DATA,
    FIDELITY,
    JUDGED,
    Found,
    against_first,
    exchange,
    found_of,
    mean_of,
    seeds_of,
    signed,
    verdict,
)

MOST_PAID, LEAST_PAID = 1.0, 0.05  # dB, for looks, of what the lines name


def in_short() -> str:
    """The study in a line a question, each with the section that has its command."""
    made = (_line_of_fidelity, _line_of_budget, _line_of_article, _line_of_front, _line_of_equal)
    lines = [line for make in (*made, _line_of_data) if (line := make())]
    if not lines:
        return ""
    return "## The study in short\n\n" + "".join(f"- {line}\n" for line in lines)


def _line_of_fidelity() -> str:
    told = []
    for name in FIDELITY:
        found = found_of(name)
        claim = next((c for c in found["claims"] if c["claimed"]), None) if found else None
        if found and claim:
            gains = ", ".join(f"{r['set']} {signed(r)} dB" for r in claim["rows"])
            seeds = claim["rows"][0]["seeds"]
            told.append(f"x{found['scale']} {gains} ({seeds} seeds; {verdict(claim)})")
            arms = f"`{claim['rows'][0]['arm']}` against `{claim['rows'][0]['against']}`"
    return _linked("fidelity", f"{arms}: {'; '.join(told)}") if told else ""


def _line_of_budget() -> str:
    found = found_of("budget-nano")
    if found is None:
        return ""
    first, *others = found["question"]["losses"]
    told = [
        f"at {steps:,} steps ({seeds} seeds) "
        + ", ".join(f"`{arm}` {against_first(found, arm, JUDGED, steps)}" for arm in others)
        for steps in found["question"]["steps"]
        if (seeds := seeds_of(found, JUDGED, steps)) > 1
    ]
    lead = f"PSNR beside `{first}`, dB on {JUDGED}"
    return _linked("budgets", f"{lead}: {'; '.join(told)}") if told else ""


def _line_of_article() -> str:
    found = found_of("article")
    if found is None:
        return ""
    rows = [r for r in found["differences"] if (r["set"], r["metric"]) == (JUDGED, "lpips")]
    best = min(rows, key=lambda row: row["mean"])
    paid = against_first(found, best["arm"], JUDGED, best["budget"])
    told = f"{signed(best)} beside `{best['against']}`, for {paid} dB on {JUDGED}"
    return _linked(
        "article", f"of the article's terms `{best['arm']}` has the lowest LPIPS, {told}"
    )


def _line_of_front() -> str:
    found = found_of("front-x4")
    if found is None:
        return ""
    steps, (first, *others) = found["question"]["steps"][-1], found["question"]["losses"]
    of = {
        arm: {m: mean_of(found, arm, steps, JUDGED, m) for m in ("psnr", "lpips")}
        for arm in (first, *others)
    }
    if None in of[first].values():
        return ""
    known = [arm for arm in others if None not in of[arm].values()]
    able = [arm for arm in known if of[first]["psnr"] - of[arm]["psnr"] <= MOST_PAID]
    if not able:
        return ""
    best = min(able, key=lambda arm: of[arm]["lpips"])
    paid, gained = (against_first(found, best, JUDGED, steps, m) for m in ("psnr", "lpips"))
    _, lower, _ = exchange(of[best], of[first])
    told = f"LPIPS lower by {lower}, {gained}, for {paid} dB on {JUDGED}"
    return _linked("front", f"at x4 `{best}` has {told}")


def _line_of_equal() -> str:
    """The mixture of the lowest LPIPS that pays next to nothing."""
    found = found_of("equal-x4")
    told: dict[float, dict[str, Found]] = {}
    for row in found["dial"] if found else []:
        if row["set"] == JUDGED and 0 < row["share"] < 1:
            told.setdefault(row["share"], {})[row["metric"]] = row
    able = [of for of in told.values() if -of["psnr"]["difference"]["mean"] <= LEAST_PAID]
    if not found or not able:
        return ""
    best = min(able, key=lambda of: of["lpips"]["mean"])
    first, last = found["question"]["dial"]
    paid, gained = (best[metric]["difference"] for metric in ("psnr", "lpips"))
    base = best["lpips"]["mean"] - gained["mean"]
    place = f"{best['psnr']['share']:.0%} of the way from `{first}` to `{last}`"
    apart, price = (
        signed({**row, "metric": metric}) for row, metric in ((gained, "lpips"), (paid, "psnr"))
    )
    told = f"LPIPS lower by {-gained['mean'] / base:.1%}, {apart}, for {price} dB on {JUDGED}"
    return _linked("front", f"at x4 weights {place} have {told}")


def _line_of_data() -> str:
    told = []
    for name, words in DATA.items():
        found = found_of(name)
        rows = found["beside"] if found else []
        told += [
            f"{words} {signed(row)} dB"
            for row in rows
            if (row["set"], row["metric"]) == (JUDGED, "psnr")
        ]
    return _linked("data", f"beside photographs, {', '.join(told)} on {JUDGED}") if told else ""


def _linked(place: str, text: str) -> str:
    return f"{text[0].upper()}{text[1:]} ([command](docs/studies/README.md#{place}))."
