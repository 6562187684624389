"""The command line: text in, text out. One file per command, imported when it is asked for."""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from acutance.catalog import nearest
from acutance.errors import InputError, RunError

# name -> (place, what `acutance --help` says); the texts stand here so that help imports nothing
COMMANDS = {
    "board": ("acutance.cli.board:board", "Follow trainings on a live page, in a browser."),
    "check-loss": ("acutance.cli.check_loss:check_loss", "Prove a loss, your own too."),
    "compare": ("acutance.cli.compare:compare", "Which loss is better, with error bars."),
    "completion": ("acutance.cli.completion:completion", "Let the shell complete what you type."),
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
            if ctx.resilient_parsing:  # a shell asks, and has no use for messages
                return None
            ctx.fail(f"Unknown command '{cmd_name}'. {nearest(cmd_name, COMMANDS)}")
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return getattr(import_module(module), attribute)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        options = click.Command.shell_complete(self, ctx, incomplete)
        offered = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return offered + options

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("acutance"), prog_name="acutance")
def commands() -> None:
    """Make small pictures large, and make the networks that do it better by their loss."""


def main() -> None:
    """Run the command line; turn errors into a line and an exit code (docs/cli.md)."""
    if "_ACUTANCE_COMPLETE" in os.environ:  # a shell asks: click answers and ends
        from acutance.cli.completion import make_ready

        make_ready()
    try:
        # click swallows the Exit of a command here and gives its code back
        code = commands.main(prog_name="acutance", standalone_mode=False)
        if isinstance(code, int):
            sys.exit(code)
    except click.ClickException as error:
        if _is_to_tell():
            error.show()
        sys.exit(error.exit_code)
    except (InputError, RunError) as error:
        _end(str(error), 2 if isinstance(error, InputError) else 1)
    except (KeyboardInterrupt, click.Abort):
        _end("interrupted.", 130)
    except BrokenPipeError:  # the reader of our pipe went away: not our error
        sys.stderr.close()
        sys.exit(0)


def _end(message: str, code: int) -> NoReturn:
    if _is_to_tell():
        click.echo(f"acutance: {message}", err=True)
    sys.exit(code)


def _is_to_tell() -> bool:
    """Whether this process says why it ends: of several that torchrun started the first does."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "TORCHELASTIC_RUN_ID" not in os.environ:
        return True
    from acutance.training.processes import is_first_to_tell

    return is_first_to_tell()
