"""`acutance train`: train a network on photographs, with or without a config file."""

from pathlib import Path

import click

from acutance.cli import offers, training_options
from acutance.cli.given import given_settings

# option of the command -> setting of the recipe
OPTIONS = {
    "data": "data.photos",
    "lr": "data.lr",
    "degrade": "data.degrade",
    "val": "data.val",
    "patch": "data.patch",
    "batch": "data.batch",
    "scale": "network.scale",
    "network": "network.name",
    "color": "network.color",
    "head": "network.head",
    "start": "network.start",
    "loss": "loss.expression",
    "balance": "loss.balance",
    "teacher": "loss.teacher",
    "optim": "optim.name",
    "rate": "optim.rate",
    "steps": "stop.steps",
    "minutes": "stop.minutes",
    "until": "stop.until",
    "seed": "seed",
    "threads": "machine.threads",
    "precision": "machine.precision",
    "device": "machine.device",
    "devices": "machine.devices",
    "nodes": "machine.nodes",
}
PLACES = {"data", "lr", "val", "start", "teacher"}  # folders, files and models


@click.command()
@training_options.photos
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the run.")
@click.option(
    "--recipe",
    default="",
    shell_complete=offers.recipes,
    help="NAME[:PRESET] of `acutance recipes` [default: none].",
)
@click.option(
    "--config",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file of settings; a run's run.toml is one.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting by its name, such as optim.rate=2e-4.",
)
@training_options.data
@click.option(
    "--lr",
    multiple=True,
    shell_complete=offers.places,
    help="Folder of given lr pictures, paired by name.",
)
@click.option(
    "--degrade",
    shell_complete=offers.stages,
    help="What makes lr: stages as in 'reduce | jpeg(quality=(30, 95))', the name of a recipe, or "
    "a TOML file [default: MATLAB's bicubic].",
)
@training_options.val
@training_options.scale
@training_options.network
@click.option("--color", type=click.Choice(["rgb", "luma"]), help="[default: the network's own]")
@click.option(
    "--head", type=click.Choice(["spread"]), help="Also predict how sure it is, for a likelihood."
)
@click.option(
    "--from",
    "start",
    shell_complete=offers.models,
    help="Trained model to begin from, of this scale or another.",
)
@click.option(
    "--loss", shell_complete=offers.terms, help="Expression over `acutance losses` [default: l1]."
)
@click.option(
    "--balance",
    help="Rule that weighs the terms, such as dwa or pcgrad [default: none].",
)
@click.option(
    "--teacher",
    shell_complete=offers.models,
    help="Trained model to learn from, by the loss output_distillation.",
)
@click.option("--optim", help="adam, adamw, sgd, gd or schedule_free [default: adam].")
@training_options.rate
@training_options.patch
@training_options.batch
@click.option("--steps", type=int, help="Stop after so many updates.")
@click.option("--minutes", type=float, help="Stop after so many minutes [default: 5].")
@click.option(
    "--until",
    type=click.Choice(["converged", "settled"]),
    help="Stop when PSNR stands still; or PSNR and a perceptual score, or that one gets worse.",
)
@click.option("--seed", type=int, help="[default: 0]")
@click.option("--threads", type=int, help="[default: timed]")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), help="[default: timed]")
@training_options.device
@click.option("--devices", type=int, help="Devices that share each batch [default: 1].")
@click.option("--nodes", type=int, help="Hosts with as many each, by torchrun [default: 1].")
@click.option("--dry-run", is_flag=True, help="Build all, run two steps, tell what it would take.")
@click.option("--print-config", is_flag=True, help="Show every setting and where it comes from.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def train(
    photos: tuple[str, ...],
    folder: Path | None,
    recipe: str,
    files: tuple[Path, ...],
    assignments: tuple[str, ...],
    dry_run: bool,
    print_config: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Train a network on PHOTOS: folders, files, or 'procedural' for drawn pictures.

    The same command continues a run that was cut short. The last line on stdout is the path of
    the model.

    \b
    Example:
        acutance train photos/ --scale 2 --network compact:nano --loss l1 --minutes 5 --run runs/a
        acutance train --config my.toml --set optim.rate=2e-4 --run runs/b
        acutance train photos/ --recipe esrgan --run runs/c
    """
    from acutance.training.package_recipes import recipe_layers
    from acutance.training.recipe import make_recipe, read_settings

    layers = recipe_layers(recipe) + [(str(path), read_settings(path)) for path in files]
    given = given_settings(options, OPTIONS, places=PLACES, photos=photos, assignments=assignments)
    layers.append(("command line", given))
    settled, origin = make_recipe(layers)
    from acutance.training.start import carry_out, is_leader, require_training

    if print_config:
        if is_leader():
            _print_config(settled, origin)
        return
    if folder is None and not dry_run:
        raise click.UsageError("Name the run's folder: --run runs/NAME.")

    require_training()
    if dry_run:
        if not is_leader():
            return
        from acutance.training.dry_run import rehearse

        for name, value in rehearse(settled, quiet=quiet):
            click.echo(f"{name:<22} {value}")
        return
    model = carry_out(settled, Path(folder or ""), quiet=quiet).model
    if is_leader():
        click.echo(model)


def _print_config(recipe: object, origin: dict[str, str]) -> None:
    from acutance.training.recipe import Recipe, flatten

    assert isinstance(recipe, Recipe)
    flat = flatten(recipe)
    width = max(len(key) for key in flat)
    for key, value in flat.items():
        shown = list(value) if isinstance(value, tuple) else value
        click.echo(f"{key:<{width}} = {shown!r:<24} # {origin[key]}")
