"""Options that all commands have which train: `train`, `compare` and `tune`."""

import click

from acutance.cli import offers

photos = click.argument("photos", nargs=-1, shell_complete=offers.places)
data = click.option(
    "--data",
    multiple=True,
    shell_complete=offers.places,
    help="More photographs, or 'procedural[:COUNT]'.",
)
val = click.option(
    "--val",
    multiple=True,
    shell_complete=offers.places,
    help="Pictures to judge by [default: 5 % held out].",
)
scale = click.option("--scale", type=int, help="How many times larger [default: 2].")
network = click.option(
    "--network",
    shell_complete=offers.networks,
    help="NAME[:PRESET] of `acutance models` [default: compact:nano].",
)
rate = click.option("--rate", type=float, help="Full learning rate [default: the network's own].")
patch = click.option("--patch", type=int, help="Side of the training crop in hr pixels.")
batch = click.option("--batch", type=int, help="Crops a step [default: 16].")
device = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="[default: cuda if there is one]"
)
