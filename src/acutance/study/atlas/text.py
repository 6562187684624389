"""A loss's card as text: for the terminal, and in Markdown for the pages."""

from collections.abc import Mapping, Sequence
from typing import Any

HEAD = ("error", "value", "slope", "slope / l1", "cosine with l1")


def card_text(card: Mapping[str, Any]) -> str:
    """For the terminal: aligned, nothing but text."""
    aliases = f" (also {', '.join(card['aliases'])})" if card["aliases"] else ""
    parts = [f"{card['name']}{aliases}: {card['about']}", ""]
    parts += [card["text"], ""] * bool(card["text"])
    rows = [("source", card["source"]), *card["claims"]]
    rows += [("options", ", ".join(f"{n}={d}" if d else n for n, d in card["options"]) or "none")]
    rows += [("blind to", spot) for spot in card["blind_to"]]
    rows += [(f"exception, {point}", reason) for point, reason in card["exceptions"]]
    rows += [("largest value seen", f"{card['largest']:.4g}"), ("cost here", _cost(card))]
    width = max(len(name) for name, _ in rows)
    parts += [f"{name:<{width}}  {value}" for name, value in rows]
    parts += ["", f"measured as {card['expression']}", ""]
    return "\n".join([*parts, *_aligned([HEAD, *_readings(card)])])


def card_page(result: Mapping[str, Any], sources: str) -> str:
    """The page of a loss in docs/losses; its strip lies beside it."""
    card = result["card"]
    name = card["name"]
    aliases = f", also {', '.join(f'`{a}`' for a in card['aliases'])}" if card["aliases"] else ""
    rows = [("source", card["source"]), *card["claims"]]
    rows += [("options", ", ".join(f"`{n}={d}`" if d else f"`{n}`" for n, d in card["options"]))]
    rows += [("largest value seen", f"{card['largest']:.4g}"), ("cost", _relative_cost(card))]
    parts = [f"# {name}", "", f"{card['about'].capitalize()} Family: {card['family']}{aliases}."]
    parts += ["", "```text", card["text"], "```", ""]
    parts += _table(("", ""), [(n, v or "none") for n, v in rows])
    parts += _listed("It does not see", card["blind_to"])
    parts += _listed("Exceptions", [f"{point}: {reason}" for point, reason in card["exceptions"]])
    parts += ["## At standard errors", "", f"Measured as `{card['expression']}`.", ""]
    parts += _table(HEAD, _readings(card))
    parts += ["## What it sees", "", _seen(result["sights"]), "", f"Counted on {sources}.", ""]
    parts += ["## Where it leads", "", _leads(result["stages"], finite=result["finite"]), ""]
    parts += [f"![Pixels driven down {name}]({name}.webp)", "", _journey(result["stages"]), ""]
    return "\n".join(parts)


def _seen(sights: Mapping[str, Sequence[float]]) -> str:
    """The distortions that it minds most and least, at medium strength."""
    order = sorted(sights, key=lambda name: -sights[name][1])
    most = ", ".join(f"{name} ({sights[name][1]:.2g})" for name in order[:4])
    least = ", ".join(f"{name} ({sights[name][1]:.2g})" for name in reversed(order[-4:]))
    return (
        "As noise of the same cost, over the root mean square error (1 is what a squared error "
        f"sees). Most: {most}. Least: {least}."
    )


def _leads(stages: Sequence[Mapping[str, Any]], *, finite: bool) -> str:
    first, last = stages[0], stages[-1]
    text = f"PSNR {last['psnr'] - first['psnr']:+.2f} dB"
    if last["lpips"] is not None:
        text += f", LPIPS {last['lpips'] - first['lpips']:+.4f}"
    ending = "" if finite else " Some gradients on the way were not finite."
    return (
        f"Free pixels from a bicubic enlargement, Adam on this loss alone: {text} after "
        f"{last['step']} steps.{ending} From left: "
        + ", ".join(f"step {s['step']}" for s in stages)
        + ", the target."
    )


def _journey(stages: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (str(s["step"]), f"{s['psnr']:.2f}", "" if s["lpips"] is None else f"{s['lpips']:.4f}")
        for s in stages
    ]
    return "\n".join(_table(("step", "PSNR, dB", "LPIPS (AlexNet)"), rows))


def _readings(card: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            r["error"],
            f"{r['value']:.4g}",
            f"{r['slope']:.3g}",
            f"{r['relative']:.3g}",
            f"{r['cosine']:+.2f}",
        )
        for r in card["readings"]
    ]


def _cost(card: Mapping[str, Any]) -> str:
    return f"{card['cost_ms']:.1f} ms and {card['peak_mib']:.0f} MiB, {_relative_cost(card)}"


def _relative_cost(card: Mapping[str, Any]) -> str:
    return (
        f"{card['cost_relative']:.1f} times l1, forth and back, 8 pictures of 192 px or its least"
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
        "",
    ]


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", "", *(f"- {line}" for line in lines), ""] if lines else [""]
