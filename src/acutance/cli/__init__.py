"""The command line: text in, text out. One file per command, imported when it is asked for."""

import sys
from importlib import import_module
from importlib.metadata import version

import click

from acutance.catalog import nearest
from acutance.errors import InputError, RunError

# name -> (place, what `acutance --help` says); the texts stand here so that help imports nothing
COMMANDS = {
    "board": ("acutance.cli.board:board", "Follow trainings on a live page, in a browser."),
    "check-loss": ("acutance.cli.check_loss:check_loss", "Prove a loss, your own too."),
    "compare": ("acutance.cli.compare:compare", "Which loss is better, with error bars."),
    "degrade": ("acutance.cli.degrade:degrade", "Make pictures worse, as training does."),
    "doctor": ("acutance.cli.doctor:doctor", "Look at this machine and say what is missing."),
    "evaluate": ("acutance.cli.evaluate:evaluate", "Score a model by a named protocol."),
    "export": ("acutance.cli.export:export", "Convert a model, or write its ONNX twin."),
    "import-config": (
        "acutance.cli.import_config:import_config",
        "Read the losses of another trainer's file.",
    ),
    "losses": ("acutance.cli.losses:losses", "List the losses."),
    "models": ("acutance.cli.models:models", "Networks to train, bundled models, and cards."),
    "quickstart": ("acutance.cli.quickstart:quickstart", "The whole way in miniature."),
    "recipes": ("acutance.cli.recipes:recipes", "Trainings by name, such as esrgan."),
    "shrink": ("acutance.cli.shrink:shrink", "Make pictures small by an F that a run learned."),
    "train": ("acutance.cli.train:train", "Train a network on photographs."),
    "tune": ("acutance.cli.tune:tune", "Find the weights of a loss that no others beat."),
    "upscale": ("acutance.cli.upscale:upscale", "Make pictures larger."),
    "view": ("acutance.cli.view:view", "Look at pictures beside each other, in a browser."),
    "weights": ("acutance.cli.weights:weights", "Trained networks that some losses use."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is run, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            ctx.fail(f"Unknown command '{cmd_name}'. {nearest(cmd_name, COMMANDS)}")
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("acutance"), prog_name="acutance")
def commands() -> None:
    """Make small pictures large, and make the networks that do it better by their loss."""


def main() -> None:
    """Run the command line; turn errors into a line and an exit code (docs/commands.md)."""
    try:
        # click swallows the Exit of a command here and gives its code back
        code = commands.main(prog_name="acutance", standalone_mode=False)
        if isinstance(code, int):
            sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InputError as error:
        click.echo(f"acutance: {error}", err=True)
        sys.exit(2)
    except RunError as error:
        click.echo(f"acutance: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo("acutance: interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our pipe went away: not our error
        sys.stderr.close()
        sys.exit(0)
