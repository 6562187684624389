"""What a shell offers where an option or argument takes a name; read from tables, without torch.

Each of them is the `shell_complete` of a parameter: it is given what stands there so far and gives
whole values that begin with it.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

import acutance

RECIPES = Path(acutance.__file__).parent / "recipes"
Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_LAST_NAME = re.compile(r"(.*?)(\w*)", re.DOTALL)


def _offer(find: Callable[[str], list[CompletionItem]]) -> Offer:
    """As click calls it, with the context and the parameter before what stands there."""
    return lambda _context, _parameter, begun: find(begun)


@_offer
def places(begun: str) -> list[CompletionItem]:
    """Files and folders, which the shell itself knows."""
    return [CompletionItem(begun, type="file")]


@_offer
def terms(begun: str) -> list[CompletionItem]:
    """The losses, for the last name of an expression: "80% l1 + 20% ss" -> "80% l1 + 20% ssim"."""
    from acutance.losses import names

    return _last_name(begun, names())


@_offer
def tried(begun: str) -> list[CompletionItem]:
    """A loss by its name, or the file of one."""
    from acutance.losses import names

    return [*_beginning(names(), begun), CompletionItem(begun, type="file")]


@_offer
def stages(begun: str) -> list[CompletionItem]:
    """Recipes by whose chain a picture may be degraded, the stages of a chain, and files."""
    from acutance.data.degradations import DEGRADATIONS

    found = [*_beginning(_recipes(begun), begun), *_last_name(begun, DEGRADATIONS.names())]
    return [*found, CompletionItem(begun, type="file")]


@_offer
def recipes(begun: str) -> list[CompletionItem]:
    """NAME, and NAME:PRESET where the name stands there."""
    return _beginning(_recipes(begun), begun)


@_offer
def networks(begun: str) -> list[CompletionItem]:
    """NAME:PRESET of what can be trained."""
    return _beginning(_networks(), begun)


@_offer
def known_models(begun: str) -> list[CompletionItem]:
    """Networks, bundled models, and files, of which `acutance models` shows the card."""
    return [*_beginning([*_networks(), *_bundled()], begun), CompletionItem(begun, type="file")]


@_offer
def models(begun: str) -> list[CompletionItem]:
    """Bundled models by family and by file; else files and run folders."""
    return [*_beginning(_bundled(), begun), CompletionItem(begun, type="file")]


@_offer
def judged(begun: str) -> list[CompletionItem]:
    """What is scored or looked at: a bundled model, bicubic, or a file."""
    names = [*_bundled(), "bicubic"]
    return [*_beginning(names, begun), CompletionItem(begun, type="file")]


@_offer
def engines(begun: str) -> list[CompletionItem]:
    """What executes a network."""
    from acutance.upscaling import ENGINES

    return _beginning(["auto", *ENGINES.names()], begun)


@_offer
def protocols(begun: str) -> list[CompletionItem]:
    """What a score means, with its source beside it."""
    from acutance.evaluation.protocols import PROTOCOLS

    return [
        CompletionItem(name, help=protocol.source)
        for name, protocol in PROTOCOLS.items()
        if name.startswith(begun)
    ]


@_offer
def metrics(begun: str) -> list[CompletionItem]:
    """Names with commas between, each once."""
    from acutance.metrics import METRICS

    return _listed(begun, METRICS.names())


@_offer
def pool(begun: str) -> list[CompletionItem]:
    """Losses with commas between, each once."""
    from acutance.losses import names

    return _listed(begun, names())


def _beginning(names: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def _last_name(begun: str, names: Iterable[str]) -> list[CompletionItem]:
    """What stands before the last name stays, whatever it is."""
    parts = _LAST_NAME.fullmatch(begun)
    before, name = parts.groups() if parts else ("", begun)
    return [CompletionItem(before + found) for found in names if found.startswith(name)]


def _listed(begun: str, names: Iterable[str]) -> list[CompletionItem]:
    before, comma, name = begun.rpartition(",")
    used = set(before.split(","))
    return [
        CompletionItem(f"{before}{comma}{found}")
        for found in names
        if found.startswith(name) and found not in used
    ]


def _recipes(begun: str) -> list[str]:
    """Recipes by name; with presets, which stand in the files, where the name is written out."""
    stems = sorted(path.stem for path in RECIPES.glob("*.toml"))
    stem = begun.partition(":")[0]
    if stem not in stems:
        return stems
    tables = tomllib.loads((RECIPES / f"{stem}.toml").read_text(encoding="utf-8"))
    return [*stems, *(f"{stem}:{preset}" for preset in tables.get("presets", {}))]


def _networks() -> list[str]:
    from acutance.models.listing import listed_networks

    return [listed.name for listed in listed_networks()]


def _bundled() -> list[str]:
    from acutance.models.bundled import families, model_files

    return sorted({*families(), *model_files()})
