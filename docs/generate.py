"""Write the parts of the documents that code knows; `--check` says whether they are up to date.

python docs/generate.py            write
python docs/generate.py --check    exit 1 and name what is stale
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from acutance.cli import COMMANDS, commands
from bundled_table import BUNDLED_TABLE
from cluster_table import CLUSTER_TABLE
from degradation_tables import DEGRADATION_TABLES
from degraded_table import DEGRADED_TABLE
from finetune_tables import FINETUNE_TABLES
from format_table import FORMAT_TABLES
from guide_tables import TABLES, table
from rescaling_tables import RESCALING_TABLES
from restoration_tables import RESTORATION_TABLES
from study_tables import STUDY_TABLES

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SEEN = {
    "compared": "what the protocol compares",
    "picture": "8-bit colours without the border, or luma by table@1, grey@1",
    "colours": "8-bit colours without the border",
    "whole": "8-bit colours with the border",
}
BLOCK = re.compile(r"(<!-- begin (?P<name>[\w-]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)


def command_pages() -> str:
    """The help of every command, as the command itself prints it."""
    parts = []
    for name in COMMANDS:
        context = click.Context(commands, info_name="acutance")
        command = commands.get_command(context, name)
        assert command is not None, name
        parts += _pages(command, name, context)
    return "\n".join(parts)


def _pages(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """The page of a command, and those of the commands within it."""
    context = click.Context(command, info_name=name, parent=parent, max_content_width=96)
    pages = [f"## {context.command_path}\n\n```\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None, inner
            pages += _pages(found, inner, context)
    return pages


def loss_table() -> str:
    """What `acutance losses` knows."""
    from acutance.losses import ALIASES, LOSSES
    from acutance.losses.declarations import declared

    rows = []
    for name in LOSSES.names():
        found = declared(name)
        contract, options = found.contract, found.options or ()
        shown = ", ".join(f"`{o.name}={o.default}`" for o in options)
        source = contract.source if contract is not None else found.reason
        words = [name, *sorted(alias for alias, own in ALIASES.items() if own == name)]
        rows.append((", ".join(f"`{word}`" for word in words), found.line, shown, source))
    return table(("name", "what it is", "options", "source"), rows)


def exception_table() -> str:
    """The points that a loss of ours does not keep, as its contract says."""
    from acutance.losses import LOSSES
    from acutance.losses.declarations import declared

    rows = [
        (f"`{name}`", f"`{point}`", reason)
        for name in LOSSES.names()
        if (contract := declared(name).contract) is not None
        for point, reason in contract.exceptions.items()
    ]
    return table(("loss", "point", "reason"), rows)


def model_table() -> str:
    """What `acutance models` knows."""
    from acutance.models.listing import listed_networks

    rows = [
        (
            f"`{listed.name}`" + (" (default)" if listed.is_default else ""),
            f"{listed.preset.parameters:,}",
            "luma" if listed.preset.channels == 1 else "RGB",
            "whole picture" if listed.preset.reach is None else listed.preset.reach,
            listed.preset.source,
        )
        for listed in listed_networks()
        if listed.preset is not None
    ]
    return table(("network", "parameters at x2", "colour", "reach, lr px", "source"), rows)


def protocol_table() -> str:
    """The protocols, as rows."""
    from acutance.evaluation.protocols import PROTOCOLS

    rows = [
        (f"`{p.name}`", p.channel, p.border, p.rounding, p.resampling, p.source)
        for p in PROTOCOLS.values()
    ]
    return table(("protocol", "channel", "border", "rounding", "resampling", "source"), rows)


def metric_table() -> str:
    """The metrics, as their cards say."""
    from acutance.evaluation.judging import card_of
    from acutance.metrics import METRICS

    beside = {"hr": "the original", "lr": "the small picture", "nothing": "nothing"}
    rows = []
    for name in METRICS.names():
        card = card_of(name)
        low, high = (str(end).replace("inf", "∞") for end in card.range)
        reach = f"{low} to {high} {card.unit}".strip()
        shown = (f"`{name}`", card.judges, card.direction, reach, beside[card.beside])
        rows.append((*shown, SEEN[card.sees], card.source))
    head = ("metric", "judges", "better", "values", "beside the result", "sees", "source")
    return table(head, rows)


def seed_table() -> str:
    """Seeds that a difference needs, by how large it is beside its spread."""
    from acutance.study.power import seeds_needed

    differences = (0.5, 0.8, 1.0, 1.5, 2.0, 3.0)
    head = ("difference / spread", *(f"{d:g}" for d in differences))
    return table(head, [("seeds", *(seeds_needed(d, 1.0) for d in differences))])


def settings_table() -> str:
    """Every setting of a run with its default."""
    from acutance.training.recipe import Recipe, flatten

    shown = [
        (key, list(value) if isinstance(value, tuple) else value)
        for key, value in flatten(Recipe()).items()
    ]
    return table(("setting", "default"), [(f"`{k}`", f"`{json.dumps(v)}`") for k, v in shown])


def benchmark_table() -> str:
    """Ratios of every benchmark that was run, with its command and machine."""
    parts = []
    for path in sorted(RESULTS.glob("bench-*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = [_benchmark_row(row) for row in found["rows"]]
        parts.append(
            f"`{found['command']}`, {found['date']}, {found['machine']}\n\n"
            + table(("work", "against", "ratio", "must", "stretch", ""), rows)
        )
    return "\n".join(parts)


def _benchmark_row(row: dict[str, object]) -> tuple[object, ...]:
    ratio, must, stretch = row.get("ratio"), row.get("must"), row.get("stretch")
    if not isinstance(ratio, int | float):
        return (row["work"], row["baseline"], "-", must or "-", stretch or "-", row.get("note", ""))
    smaller = bool(row.get("smaller_is_better"))

    def reached(level: object) -> bool:
        if not isinstance(level, int | float):
            return False
        return ratio <= level if smaller else ratio >= level

    verdict = "stretch" if reached(stretch) else "must" if reached(must) else "below"
    if not isinstance(must, int | float):
        verdict = ""
    note = row.get("note", "")
    return (
        row["work"],
        row["baseline"],
        f"{ratio:.2f}",
        must or "-",
        stretch or "-",
        f"{verdict}; {note}".strip("; "),
    )


def training_table() -> str:
    """The five-minute training, seed by seed."""
    path = RESULTS / "training.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            r["seed"],
            r["steps"],
            f"{r['seconds']:.0f}",
            *(f"{r['psnr'][s]:.3f}" for s in found["sets"]),
        )
        for r in found["runs"]
    ]
    median = ("median", "", "", *(f"{found['median'][s]:.3f}" for s in found["sets"]))
    head = ("seed", "steps", "seconds", *(f"{s}, dB" for s in found["sets"]))
    lead = f"`{found['command']}`, {found['date']}, {found['machine']}. Trained by\n\n"
    return f"{lead}```\n{found['train']}\n```\n\n" + table(head, [*rows, median])


def bicubic_table() -> str:
    """Bicubic by the two luma protocols, measured, beside the published table."""
    path = RESULTS / "bicubic.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            r["set"],
            f"x{r['scale']}",
            f"{r['table@1'][0]:.4f} / {r['table@1'][1]:.5f}",
            f"{r['published'][0]:.2f} / {r['published'][1]:.4f}",
            f"{r['y@1'][0]:.4f} / {r['y@1'][1]:.5f}",
        )
        for r in found["rows"]
    ]
    head = ("set", "scale", "table@1", "published", "y@1")
    return f"`{found['command']}`, {found['date']}\n\n" + table(head, rows)


def study_verdicts() -> str:
    """What each kept study found, with its command and the page that shows it."""
    parts = []
    for path in sorted((ROOT / "docs" / "studies").glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        question = found["question"]
        parts.append(
            f"[{path.stem}](studies/{path.stem}.html), {question['seeds']} seeds, protocol "
            f"{question['protocol']}, torch {found['versions']['torch']}:\n\n"
            f"```\n{found['command']}\n```\n\n"
            + "".join(f"- {sentence}\n" for sentence in found["verdicts"])
        )
    return "\n".join(parts)


def tuning_table() -> str:
    """A search and random weights against a grid that has four times their steps."""
    path = RESULTS / "tuning.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            row["kind"],
            row["seed"],
            row["trials_at_quarter"],
            f"{row['share_at_quarter']:.3f}",
            f"{row['steps_to_grid']:,}" if row["steps_to_grid"] else f"not in {row['steps']:,}",
        )
        for row in found["rows"]
    ]
    ranges = ", ".join(f"{name} in {text}" for name, text in found["ranges"].items())
    head = ("", "seed", "trials", "share of the grid's hypervolume", "steps to all of it")
    return (
        f"`{found['command']}`, {found['date']}, {found['machine']}; `{found['loss']}`, {ranges}; "
        f"the grid took {found['grid_steps']:,} steps, the first three columns are at a quarter of "
        f"these. Points placed with hindsight on a smooth surface through the grid could have "
        f"{found['most_at_quarter']:.3f} of its hypervolume at a quarter of its steps, and the "
        f"fewest that have all of it are {found['points_to_grid']}: few points are a coarse "
        f"staircase under the front.\n\n" + table(head, rows)
    )


def flicker_table() -> str:
    """How much successive frames differ once the motion is taken out."""
    path = RESULTS / "flicker.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    numbers = ("flicker", "unsteady", "error")
    rows = [
        (row["motion"], row["way"], *(f"{row[name]:.2f}" for name in numbers))
        for row in found["rows"]
    ]
    return f"`{found['command']}`, {found['date']}, {found['machine']}\n\n" + table(
        ("motion", "", *numbers), rows
    )


def recipe_table() -> str:
    """The recipes of the package, by name."""
    from acutance.training.package_recipes import find_recipe, recipe_names

    found = [find_recipe(name)[0] for name in recipe_names()]
    rows = [
        (
            f"`{one.name}`",
            f"`{one.settings['network.name']}`",
            one.about.loss,
            ", ".join(f"`{preset}`" for preset in one.presets),
            one.about.source,
        )
        for one in found
    ]
    return table(("recipe", "network", "loss", "presets", "source"), rows)


def measured_recipes() -> str:
    """What the plain recipes reached, each with its command."""
    from acutance.training.package_recipes import MEASURED

    if not MEASURED.exists():
        return ""
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    rows = [
        (
            f"`{name}`",
            f"`{row['network']}`",
            f"x{row['scale']}",
            f"{row['first_steps']:,} + {row['steps']:,}"
            if "first_steps" in row
            else f"{row['steps']:,}",
            f"{row['first_psnr']:.3f}" if "first_psnr" in row else "",
            f"{row['psnr']:.3f}",
            f"{row['bicubic']:.3f}",
            row["protocol"],
            row["resumed"],
        )
        for name, row in found["recipes"].items()
    ]
    first = next(iter(found["recipes"].values()))
    head = ("recipe", "network", "scale", "steps", "first stage, dB", f"{first['set']}, dB")
    return (
        f"`{found['command']}`, {first['date']}, {first['machine']}; one thread, seed "
        f"{first['seed']}. Each is scored on pictures as its own F makes them: reduced, degraded "
        "by its chain with seed 0, or made by its learned F. At x1 bicubic is the degraded picture "
        f"itself. For example\n\n```\n{first['command']}\n```\n\n"
        + table((*head, "bicubic, dB", "protocol", "taken up again"), rows)
    )


def progressive_table() -> str:
    """One training for all scales beside one training a scale."""
    path = RESULTS / "progressive.json"
    if not path.exists():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            row["arm"],
            row["seed"],
            f"x{row['scale']}",
            f"{row['steps']:,} of {row['of_steps']:,}",
            *(f"{score['psnr']:.3f} / {score['ssim']:.4f}" for score in row["scores"].values()),
        )
        for row in found["rows"]
    ]
    costs = "; ".join(
        f"{scale} {cost['single']:,.0f} and {cost['progressive']:,.0f}"
        for scale, cost in found["costs"].items()
    )
    lead = (
        f"`{found['command']}`, {found['date']}, {found['machine']}; {found['chain']}. PSNR in dB "
        f"and SSIM by `{found['protocol']}`. Multiply-adds for a pixel of the result, single and "
        f"progressive: {costs}.\n\n"
    )
    return lead + table(("", "seed", "scale", "steps for it", *found["sets"]), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "recipes": recipe_table,
    "measured-recipes": measured_recipes,
    "commands": command_pages,
    "losses": loss_table,
    "exceptions": exception_table,
    "models": model_table,
    **BUNDLED_TABLE,
    "protocols": protocol_table,
    "metrics": metric_table,
    "seeds": seed_table,
    "settings": settings_table,
    "benchmarks": benchmark_table,
    "training": training_table,
    "bicubic": bicubic_table,
    "studies": study_verdicts,
    "tuning": tuning_table,
    "flicker": flicker_table,
    "progressive": progressive_table,
    **TABLES,
    **DEGRADATION_TABLES,
    **CLUSTER_TABLE,
    **DEGRADED_TABLE,
    **FORMAT_TABLES,
    **FINETUNE_TABLES,
    **RESCALING_TABLES,
    **RESTORATION_TABLES,
    **STUDY_TABLES,
}


def renewed(text: str) -> str:
    """`text` with every block written anew."""
    return BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m['name']]()}{m[3]}", text)


def main() -> int:
    """Write or check; the exit code."""
    stale = []
    docs = ROOT / "docs"
    for page in [*sorted(docs.glob("*.md")), docs / "studies" / "README.md", ROOT / "README.md"]:
        old = page.read_text(encoding="utf-8")
        new = renewed(old)
        if new != old:
            stale.append(page.relative_to(ROOT))
            if "--check" not in sys.argv:
                page.write_text(new, encoding="utf-8")
    for path in stale:
        print(f"{'stale' if '--check' in sys.argv else 'written'}: {path}")
    if stale and "--check" in sys.argv:
        print("Run: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
