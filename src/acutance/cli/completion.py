"""`acutance completion`: what a shell needs to complete commands, options and names."""

import os
import re
from functools import cache
from importlib.metadata import version
from typing import ClassVar

import click
from click.shell_completion import (
    CompletionItem,
    FishComplete,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

VARIABLE = "_ACUTANCE_COMPLETE"  # set by the scripts; click answers it before anything else
SHELLS = ("bash", "zsh", "fish", "powershell")
_CURSOR = "\0"  # which no command line holds
_BARE = re.compile(r"[\w./:@=,+-]+")


class BashWords(ShellComplete):
    """As click's, for values that bash cuts into words: NAME:PRESET, KEY=VALUE, and sums in quotes.

    The whole line is split here; what stands before the last of bash's words is not given back,
    for bash keeps it. Names and files may be offered together.
    """

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local word="${COMP_WORDS[COMP_CWORD]}" kind= type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        if [[ $type == plain ]]; then COMPREPLY+=("$value"); else kind=$type; fi
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$word" \\
        %(complete_var)s=bash_complete "$1")
    if [[ $kind == dir ]]; then
        compopt -o dirnames 2>/dev/null
    elif [[ $kind == file && ${#COMPREPLY[@]} -eq 0 ]]; then
        compopt -o default 2>/dev/null
    elif [[ $kind == file ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$word")
    fi
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words before the cursor, and what stands of the one under it."""
        words = split_arg_string(os.environ["COMP_LINE"] + _CURSOR)
        return words[1:-1], words[-1].removesuffix(_CURSOR)

    def format_completion(self, item: CompletionItem) -> str:
        """The kind and the value, of which bash has the beginning already."""
        begun = self.get_completion_args()[1]
        if begun.startswith("--"):  # of --recipe=esrgan:pa the value is what is completed
            begun = begun.partition("=")[2]
        word = os.environ.get("COMP_WORD", "").lstrip("'\"")
        last = "" if word in (":", "=") else word  # which are words of their own
        kept = begun.removesuffix(last) if begun.endswith(last) else ""
        return f"{item.type},{str(item.value).removeprefix(kept)}"


class FishWords(FishComplete):
    """As click's, for values with commas, which its script would cut."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split ","', 'string split -m 1 ","'
    )


@cache
def make_ready() -> None:
    """Put our classes in the place of click's, once, and quotes where PowerShell needs them."""
    add_completion_class(BashWords)
    add_completion_class(FishWords)
    theirs = get_completion_class("powershell")
    if theirs is not None:
        add_completion_class(_quoting(theirs))


def _quoting(theirs: type[ShellComplete]) -> type[ShellComplete]:
    """The class for PowerShell, which puts a value into the line as it is."""

    class Quoted(theirs):
        def format_completion(self, item: CompletionItem) -> str:
            value = str(item.value)
            if item.type == "plain" and not _BARE.fullmatch(value):
                value = "'" + value.replace("'", "''") + "'"
            return super().format_completion(CompletionItem(value, item.type, item.help))

    return Quoted


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script by which SHELL completes commands, options, and names such as losses.

    \b
    Example:
        acutance completion bash > ~/.local/share/bash-completion/completions/acutance
        acutance completion zsh > "${fpath[1]}/_acutance"
        acutance completion fish > ~/.config/fish/completions/acutance.fish
        acutance completion powershell >> $PROFILE
    """
    from acutance.cli import commands
    from acutance.errors import InputError

    make_ready()
    found = get_completion_class(shell)
    if found is None:
        raise InputError(
            f"The installed click {version('click')} knows no {shell}. Install a newer one: "
            "pip install --upgrade click"
        )
    click.echo(found(commands, {}, "acutance", VARIABLE).source(), nl=False)
