"""`acutance evaluate`: score a model by a named protocol."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import click

from acutance.cli import offers

if TYPE_CHECKING:
    from acutance.evaluation.scoring import Scores

LONGEST_SHOWN = 200  # characters of a chain: those of real-world trainings have thousands

# metric -> head of its column: of models that say how sure they are
SURE = {"coverage": "in 1.96 sigma", "squared_z": "e2/sigma2"}


def named_metrics(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


@click.command()
@click.argument("model", shell_complete=offers.judged)
@click.option(
    "--data",
    "folders",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of hr pictures; DIR/HR is used where it exists. Repeat for more.",
)
@click.option(
    "--scale",
    type=int,
    help="Needed for 'bicubic', which at 1 gives its input; a model knows its own.",
)
@click.option(
    "--protocol",
    shell_complete=offers.protocols,
    default="y@1",
    show_default=True,
    help="y@1: as papers score networks; table@1: the classic bicubic table; rgb@1; grey@1: "
    "restoration of Y, the whole picture.",
)
@click.option(
    "--degrade",
    shell_complete=offers.stages,
    default="",
    help="What makes the pictures that are shown, as in 'jpeg(quality=10)', the name of "
    "a recipe, or a TOML file [default: MATLAB's bicubic].",
)
@click.option(
    "--degrade-seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of what --degrade draws; with the picture's name it decides everything.",
)
@click.option(
    "--metrics",
    shell_complete=offers.metrics,
    default="psnr,ssim",
    show_default=True,
    callback=named_metrics,
    help="Names with commas between: psnr, ssim, lpips, dists, niqe, lr_psnr (docs/protocols.md).",
)
@click.option(
    "--shrink",
    shell_complete=offers.places,
    metavar="RUN",
    default="",
    help="Run whose learned F makes the small pictures  [default: bicubic]",
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    shell_complete=offers.engines,
    help="What runs the network.",
)
@click.option(
    "--json",
    "target",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write the scores with every picture to this file; '-' for stdout.",
)
def evaluate(
    model: str,
    folders: tuple[Path, ...],
    scale: int | None,
    protocol: str,
    degrade: str,
    degrade_seed: int,
    metrics: tuple[str, ...],
    shrink: str,
    engine: str,
    target: Path | None,
) -> None:
    """Score MODEL (a run folder, a model file, a:0.7,b:0.3, or 'bicubic') on pictures.

    \b
    Example:
        acutance evaluate runs/a --data Set5 --data Set14
        acutance evaluate bicubic --scale 2 --data Set5 --protocol table@1
        acutance evaluate runs/a --data Set5 --metrics psnr,lpips,niqe
        acutance evaluate runs/jpeg --data Set14 --protocol grey@1 --degrade "jpeg(quality=10)"
        acutance evaluate runs/b --data Set5 --shrink runs/b
    """
    from acutance.storage import write_atomically
    from acutance.study.score import evaluate as score
    from acutance.training.display import make_display

    with closing(make_display()) as display:
        scores = score(
            model,
            folders,
            scale=scale,
            protocol=protocol,
            metrics=metrics,
            engine=engine,
            degrade=degrade,
            degrade_seed=degrade_seed,
            shrink=shrink,
            progress=partial(display.phase, "scoring"),
        )
    text = json.dumps(scores.to_json(), indent=2) + "\n"
    if target is not None and str(target) == "-":
        click.echo(text, nl=False)
        return
    _show(scores)
    if (hint := _hint(model, degrade=degrade, shrink=shrink)) is not None:
        click.echo(hint)
    if target is not None:
        write_atomically(target, text)


def _hint(model: str, *, degrade: str, shrink: str) -> str | None:
    """What to say where a model was shown bicubic's lr and knows another."""
    from acutance.errors import InputError
    from acutance.models.card import read_card

    try:
        card = read_card(Path(model))
    except InputError:  # bicubic, a mixture, or a file without a card
        return None
    if card.shrunk_by and not shrink:
        return f"It enlarges what its own F makes small: --shrink {model} scores both together."
    if card.degradation and not degrade:
        return "It was trained on degraded pictures, and these are not: --degrade makes them so."
    return None


def _show(scores: "Scores") -> None:
    """A row for each set, a column for each metric; below, how to read them."""
    from acutance.cli.tables import show_table
    from acutance.evaluation.judging import card_of

    found = dict.fromkeys(row.metric for row in scores.rows)
    cards = {name: card_of(name) for name in found if name not in SURE}
    heads = {name: _shown_name(name) for name in cards}
    digits = {name: 3 if card.unit == "dB" else 4 for name, card in cards.items()}
    sure = {name: head for name, head in SURE.items() if name in found}
    rows = [
        (
            name,
            str(len({row.picture for row in scores.rows if row.set == name})),
            *(f"{scores.mean(name, metric):.{digits[metric]}f}" for metric in cards),
            *(f"{scores.mean(name, metric):.3f}" for metric in sure),
        )
        for name in scores.sets()
    ]
    units = [f"{heads[name]} {card.unit}".strip() for name, card in cards.items()]
    show_table(("set", "pictures", *units, *sure.values()), rows)
    click.echo(f"\n{scores.model}, x{scores.scale}, protocol {scores.protocol}")
    if scores.degradation:
        chain = shorten(scores.degradation, LONGEST_SHOWN, placeholder=" ... (whole in --json)")
        click.echo(f"degraded by {chain}, seed {scores.degradation_seed}")
    if lower := [heads[name] for name, card in cards.items() if card.direction == "lower"]:
        click.echo(f"Lower is better: {', '.join(lower)}")


def _shown_name(metric: str) -> str:
    return metric.upper().replace("_", "-")
