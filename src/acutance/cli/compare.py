"""`acutance compare`: which loss is better, with error bars."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from acutance.cli import offers, training_options
from acutance.cli.given import as_cluster, given_settings, listed

if TYPE_CHECKING:
    from acutance.study.compare.study import Outcome

# option of the command -> setting of the study or of its runs
OPTIONS = {
    "losses": "study.losses",
    "steps": "study.steps",
    "seeds": "study.seeds",
    "equal": "study.equal",
    "test": "study.test",
    "metrics": "study.metrics",
    "primary": "study.primary",
    "protocol": "study.protocol",
    "against": "study.against",
    "show": "study.show",
    "blind": "study.blind",
    "dial": "study.dial",
    "dial_points": "study.dial_points",
    "data": "data.photos",
    "val": "data.val",
    "patch": "data.patch",
    "batch": "data.batch",
    "scale": "network.scale",
    "network": "network.name",
    "start": "network.start",
    "rate": "optim.rate",
    "threads": "machine.threads",
    "precision": "machine.precision",
    "device": "machine.device",
}
PLACES = {"test", "show", "blind", "data", "val", "start"}  # folders, files and models


@click.command()
@training_options.photos
@click.option("--run", "folder", type=click.Path(path_type=Path), help="Folder of the study.")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file of the study: [study] with losses, and a run's settings.",
)
@click.option(
    "--recipe",
    default="",
    shell_complete=offers.recipes,
    help="Settings of `acutance recipes` but for its loss and length.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    shell_complete=offers.terms,
    help="An arm; the first is the reference.",
)
@click.option("--steps", help="Budgets, such as 1000,5000 [default: 3000].")
@click.option("--seeds", type=int, help="Runs of each arm and budget [default: 5].")
@click.option(
    "--equal",
    type=click.Choice(["steps", "time"]),
    help="time: a slower loss gets fewer steps [default: steps].",
)
@click.option(
    "--test",
    multiple=True,
    shell_complete=offers.places,
    help="Folder of pictures to judge by. Repeat for more.",
)
@click.option(
    "--metrics",
    shell_complete=offers.metrics,
    help="Such as psnr,ssim,lpips,lr_psnr [default: psnr,ssim].",
)
@click.option(
    "--primary",
    shell_complete=offers.metrics,
    help="Metric that the verdict is about [default: psnr].",
)
@click.option("--protocol", shell_complete=offers.protocols, help="[default: y@1]")
@click.option(
    "--against",
    type=click.Choice(["first", "all"]),
    help="all: every arm against every other [default: first].",
)
@click.option(
    "--show",
    multiple=True,
    shell_complete=offers.places,
    help="Pictures for the report [default: those of --test].",
)
@click.option(
    "--blind",
    multiple=True,
    metavar="FILE",
    shell_complete=offers.places,
    help="What people chose in `acutance view --blind STUDY`, to stand beside the metrics; repeat "
    "for more persons [default: blind*.json* in the folder].",
)
@click.option(
    "--dial",
    nargs=2,
    metavar="LOSS LOSS",
    help="Two arms: score the mixtures of their weights, too, and draw the curve.",
)
@click.option("--dial-points", type=int, help="Mixtures, with both ends [default: 8].")
@training_options.data
@click.option(
    "--val",
    multiple=True,
    shell_complete=offers.places,
    help="Pictures to watch by [default: 5 % held out].",
)
@training_options.scale
@training_options.network
@click.option(
    "--from",
    "start",
    shell_complete=offers.models,
    help="Trained model that every arm begins from.",
)
@training_options.patch
@training_options.batch
@training_options.rate
@click.option("--threads", type=int, help="Of each process [default: timed].")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="[default: timed]")
@training_options.device
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting of a run by its name, such as optim.ema=0.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes side by side.")
@click.option(
    "--cluster",
    metavar="ADDRESS",
    default="",
    callback=as_cluster,
    help="Runs go to a Ray cluster: auto, ray://HOST:PORT.",
)
@click.option("--store", default="", help="URL that its nodes reach, if they do not see --run.")
@click.option("--prior", type=click.Path(path_type=Path), help="Earlier study to plan by.")
@click.option("--plan", "only_plan", is_flag=True, help="Tell what the study can show, and stop.")
@click.option("--json", "as_json", is_flag=True, help="The answers as JSON on stdout.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def compare(
    photos: tuple[str, ...],
    folder: Path | None,
    file: Path | None,
    recipe: str,
    steps: str | None,
    metrics: str | None,
    assignments: tuple[str, ...],
    jobs: int,
    cluster: str,
    store: str,
    prior: Path | None,
    only_plan: bool,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> None:
    """Train under several losses with several seeds, and say which is better on --test.

    Arms of one seed begin with the same weights and see the same batches. The same command
    continues a study that was cut short, and any number of processes may give it at once.

    \b
    Example:
        acutance compare photos/ --loss l1 --loss "90% l1 + 10% fft" --test Set5 --run cmp
        acutance compare --file study.toml
    """
    from acutance.study.compare.question import KIND, RECORD, make_study, read_study
    from acutance.study.settings import home_of
    from acutance.training.package_recipes import recipe_layers

    layers = recipe_layers(recipe, without=KIND.own)
    layers += [] if file is None else [(str(file), read_study(file))]
    options |= {"steps": _budgets(steps), "metrics": listed(metrics)}
    given = given_settings(options, OPTIONS, places=PLACES, photos=photos, assignments=assignments)
    layers.append(("command line", given))
    study = make_study(layers)
    if cluster and jobs > 1:
        raise click.UsageError("--jobs is of this machine, and --cluster of others. Give one.")
    if store and not cluster:
        raise click.UsageError("--store is for the nodes of a --cluster.")
    place = folder or (home_of(file, RECORD) if file is not None else None)
    if place is None:
        raise click.UsageError("Name the study's folder: --run NAME.")
    from acutance.study.compare.study import carry_out, foresee

    if only_plan or not quiet:
        for line in foresee(study, place, prior=prior):
            click.echo(line, err=not only_plan)
    if only_plan:
        return
    outcome = carry_out(study, place, jobs=jobs, quiet=quiet, cluster=cluster, store=store)
    _show(outcome, as_json=as_json)


def _budgets(text: str | None) -> list[int] | None:
    try:
        return None if text is None else [int(part) for part in listed(text) or ()]
    except ValueError as error:
        raise click.BadParameter(f"'{text}'. Write whole numbers: 1000,5000,20000.") from error


def _show(outcome: "Outcome", *, as_json: bool) -> None:
    """The sentences, what failed, and where the rest is."""
    import json

    from acutance.errors import RunError
    from acutance.study.compare.wording import as_json as in_json
    from acutance.study.compare.wording import people_lines, sentences

    answers = outcome.answers
    if as_json:
        click.echo(json.dumps(in_json(answers), indent=2))
    else:
        for sentence in (*sentences(answers), *people_lines(answers)):
            click.echo(sentence)
        click.echo(f"\n{outcome.report}")
    if answers.missing:
        raise RunError(
            f"{len(answers.missing)} runs failed, and the answers are without them: "
            f"{'; '.join(answers.missing[:5])}. failed.txt in a run's folder says why; the same "
            "command tries again."
        )
