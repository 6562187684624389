"""`acutance tune`: find the weights of a loss, and train with them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from acutance.cli import offers, training_options
from acutance.cli.given import as_cluster, given_settings, listed

if TYPE_CHECKING:
    from acutance.study.tune.found import Found

OPTIONS = {
    "loss": "tune.loss",
    "terms": "tune.terms",
    "objective": "tune.objective",
    "trials": "tune.trials",
    "steps": "tune.steps",
    "rungs": "tune.rungs",
    "keep": "tune.keep",
    "sampler": "tune.sampler",
    "sampler_seed": "tune.seed",
    "protocol": "tune.protocol",
    "storage": "tune.storage",
    "front": "tune.front",
    "again": "tune.again",
    "data": "data.photos",
    "val": "data.val",
    "patch": "data.patch",
    "batch": "data.batch",
    "scale": "network.scale",
    "network": "network.name",
    "start": "network.start",
    "rate": "optim.rate",
    "seed": "seed",
    "threads": "machine.threads",
    "precision": "machine.precision",
    "device": "machine.device",
}
PLACES = {"data", "val", "start"}


class _Search(click.Group):
    """`tune PHOTOS` searches; a first word that names another command is that command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["search", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The other commands, what stands for PHOTOS, and the options of `search`."""
        found = super().shell_complete(ctx, incomplete)
        found += self.commands["search"].shell_complete(ctx, incomplete)
        return [*found, CompletionItem(incomplete, type="file")]


@click.group(cls=_Search)
def tune() -> None:
    """Find the weights of a loss that no others beat, and train with them.

    \b
    Example:
        acutance tune photos/ --loss "l1 + w*fft" --range w=0.01..1:log --run tune
        acutance tune photos/ --terms l1,fft,ssim --objective psnr,lpips --run tune
        acutance tune apply tune balanced --run runs/balanced
    `tune PHOTOS ...` is short for `tune search PHOTOS ...`.
    """


@tune.command()
@training_options.photos
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the search.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of the search."
)
@click.option(
    "--recipe",
    default="",
    shell_complete=offers.recipes,
    help="Settings of `acutance recipes` but for its loss and length.",
)
@click.option(
    "--loss", shell_complete=offers.terms, help="A loss with names for the weights to find."
)
@click.option("--range", "ranges", multiple=True, metavar="NAME=LOW..HIGH[:log]")
@click.option(
    "--terms",
    shell_complete=offers.pool,
    help="Or a pool of losses that share the gradient: l1,fft,ssim.",
)
@click.option(
    "--objective", shell_complete=offers.metrics, help="One to three metrics [default: psnr,lpips]."
)
@click.option("--trials", type=int, help="[default: 40]")
@click.option("--steps", type=int, help="Of a trial that survives [default: 300].")
@click.option("--rungs", type=int, help="Halts, each at twice the steps of the last [default: 3].")
@click.option("--keep", type=float, help="Share of trials that goes on at a halt [default: 0.5].")
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "nsga2", "gp", "qmc", "random"]),
    help="[default: tpe]",
)
@click.option("--sampler-seed", type=int, help="[default: 0]")
@click.option("--protocol", shell_complete=offers.protocols, help="[default: y@1]")
@click.option("--storage", help="URL of a database that workers share [default: a file in --run].")
@click.option("--front", type=int, help="Members of the front to run again [default: 5].")
@click.option("--again", type=int, help="Fresh seeds for each of them [default: 3].")
@training_options.data
@training_options.val
@training_options.scale
@training_options.network
@click.option(
    "--from",
    "start",
    shell_complete=offers.models,
    help="Trained model that every trial begins from.",
)
@training_options.patch
@training_options.batch
@training_options.rate
@click.option("--seed", type=int, help="Of every trial's training [default: 0].")
@click.option("--threads", type=int, help="[default: timed]")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="[default: timed]")
@training_options.device
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE")
@click.option(
    "--cluster",
    metavar="ADDRESS",
    default="",
    callback=as_cluster,
    help="Trials go to a Ray cluster: auto, ray://HOST:PORT.",
)
@click.option("--json", "as_json", is_flag=True, help="The results as JSON on stdout.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def search(
    photos: tuple[str, ...],
    folder: Path | None,
    file: Path | None,
    recipe: str,
    ranges: tuple[str, ...],
    terms: str | None,
    objective: str | None,
    assignments: tuple[str, ...],
    cluster: str,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Try weights in short runs; what no other trial beats is run again with fresh seeds.

    Trials are judged on pictures held out of training, never on test sets. The same command
    continues a search that was cut short, and any number of processes may give it at once.
    """
    import json

    from acutance.study.settings import home_of
    from acutance.study.tune.question import KIND, RECORD, make_tuning, read_tuning
    from acutance.training.package_recipes import recipe_layers

    layers = recipe_layers(recipe, without=KIND.own)
    layers += [] if file is None else [(str(file), read_tuning(file))]
    options |= {"terms": listed(terms), "objective": listed(objective)}
    given = given_settings(options, OPTIONS, places=PLACES, photos=photos, assignments=assignments)
    if ranges:
        given["tune.ranges"] = dict(_named(text) for text in ranges)
    layers.append(("command line", given))
    tuning = make_tuning(layers)
    place = folder or (home_of(file, RECORD) if file is not None else None)
    if place is None:
        raise click.UsageError("Name the search's folder: --run NAME.")
    from acutance.study.tune.outcome import to_json
    from acutance.study.tune.tuning import carry_out

    found = carry_out(tuning, place, quiet=quiet, cluster=cluster)
    if as_json:
        click.echo(json.dumps(to_json(found), indent=2))
    else:
        _show(found, place)


@tune.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("pick")
@click.option("--run", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def apply(source: Path, pick: str, folder: Path, minutes: float, quiet: bool) -> None:
    """Train in full with PICK of the search SOURCE: most-faithful, balanced, sharpest, a trial.

    \b
    Example:
        acutance tune apply tune balanced --run runs/balanced --minutes 30
    """
    from acutance.study.tune.tuning import apply as train

    click.echo(train(source, pick, folder, minutes=minutes, quiet=quiet).model)


def _named(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"'{text}'. Write NAME=LOW..HIGH, such as w=0.01..1:log.")
    return name.strip(), value.strip()


def _show(found: "Found", place: Path) -> None:
    """The front with what fresh seeds say, the picks, and how to train with them."""
    from acutance.cli.tables import show_table
    from acutance.study.tune.wording import front_head, front_rows, summary

    show_table(front_head(found), front_rows(found))
    for line in summary(found, place):
        click.echo(line)
