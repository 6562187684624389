"""`acutance evaluate`: score a model by a named protocol."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path

import click

# metric -> head of its column: of models that say how sure they are
SURE = {"coverage": "in 1.96 sigma", "squared_z": "e2/sigma2"}


@click.command()
@click.argument("model")
@click.option(
    "--data",
    "folders",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of hr pictures; DIR/HR is used where it exists. Repeat for more.",
)
@click.option("--scale", type=int, help="Needed for 'bicubic'; a model knows its own.")
@click.option(
    "--protocol",
    default="y@1",
    show_default=True,
    help="y@1: as papers score networks; table@1: the classic bicubic table; rgb@1.",
)
@click.option("--engine", default="auto", show_default=True, help="What runs the network.")
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
    engine: str,
    target: Path | None,
) -> None:
    """Score MODEL (a run folder, a model file, or 'bicubic') on folders of pictures.

    \b
    Example:
        acutance evaluate runs/a --data Set5 --data Set14
        acutance evaluate bicubic --scale 2 --data Set5 --protocol table@1
    """
    from acutance.cli.tables import show_table
    from acutance.storage import write_atomically
    from acutance.study.score import evaluate as score
    from acutance.training.display import make_display

    with closing(make_display()) as display:
        show = partial(display.phase, "scoring")
        scores = score(model, folders, scale=scale, protocol=protocol, engine=engine, progress=show)
    text = json.dumps(scores.to_json(), indent=2) + "\n"
    if target is not None and str(target) == "-":
        click.echo(text, nl=False)
        return
    sure = [name for name in SURE if any(row.metric == name for row in scores.rows)]
    rows = [
        (
            name,
            str(len({row.picture for row in scores.rows if row.set == name})),
            f"{scores.mean(name, 'psnr'):.3f}",
            f"{scores.mean(name, 'ssim'):.4f}",
            *(f"{scores.mean(name, metric):.3f}" for metric in sure),
        )
        for name in scores.sets()
    ]
    show_table(("set", "pictures", "PSNR dB", "SSIM", *(SURE[name] for name in sure)), rows)
    click.echo(f"\n{scores.model}, x{scores.scale}, protocol {scores.protocol}")
    if target is not None:
        write_atomically(target, text)
