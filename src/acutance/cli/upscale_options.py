"""The options of `acutance upscale` as typed values: what a person writes, checked."""

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import click

from acutance.errors import InputError
from acutance.upscaling.settings import Enlargement, Output, Size
from acutance.upscaling.sizes import ratio_of

_UNITS = {"": 1, "b": 1}
_UNITS |= {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)}
_UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)}

SIZES = {
    "scale": "--scale",
    "width": "--width",
    "height": "--height",
    "fit": "--fit",
    "megapixels": "--megapixels",
}
LEAST_TILE = 16  # px: below it nearly all work is overlap


class UpscaleCommand(click.Command):
    """A command whose help is in groups, since it has many options."""

    GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "Files": ("output", "inputs_list", "format", "quality", "compression", "metadata", "tag"),
        "Size": tuple(SIZES),
        "Picture": ("strength", "faithful", "tta", "back_project", "edge", "fix_colour"),
        "Model and machine": ("model", "engine", "fast", "tile", "memory", "jobs", "cluster"),
        "Batches": ("skip_existing", "overwrite", "shard", "report", "uncertainty"),
    }

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = {
            param.name: record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        }
        for title, names in self.GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Output"):
            formatter.write_dl(list(records.values()))


def as_scale(_context: click.Context, _option: click.Parameter, text: str | None):
    """ "2", "1.5", "3/2", "x2" or "2x" as a fraction."""
    if text is None:
        return None
    try:
        scale = ratio_of(text.strip().lower().strip("x"))
    except InputError:
        raise click.BadParameter(f"'{text}' is no scale. Write 2, 1.5 or 3/2.") from None
    if not 1 <= scale <= 64:
        raise click.BadParameter(
            f"{text} is not between 1 and 64. To make pictures smaller use acutance.downscale."
        )
    return scale


def as_box(_context: click.Context, _option: click.Parameter, text: str | None):
    """ "1920x1080" as (1920, 1080)."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,7})[xX](\d{1,7})", text.strip())
    if found is None or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
        raise click.BadParameter(f"'{text}' is no box. Write WIDTHxHEIGHT, such as 1920x1080.")
    return int(found[1]), int(found[2])


def as_positive(_context: click.Context, _option: click.Parameter, value: float | None):
    """A finite number above 0."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number above 0.")
    return value


def as_share(_context: click.Context, _option: click.Parameter, value: float):
    """A number from 0 to 1."""
    if not 0 <= value <= 1:  # nan is not either
        raise click.BadParameter(f"{value} is not between 0 and 1.")
    return value


def as_tile(_context: click.Context, _option: click.Parameter, text: str | None):
    """ "none" as 0, the whole at once; a side in px."""
    if text is None:
        return None
    if text.strip().lower() == "none":
        return 0
    if not text.strip().isdecimal() or int(text) < LEAST_TILE:
        raise click.BadParameter(
            f"'{text}' is no side of a tile. Write a number of pixels from {LEAST_TILE}, or none."
        )
    return int(text)


def as_bytes(_context: click.Context, _option: click.Parameter, text: str | None):
    """ "1GiB", "512 MiB", "1.5gb" or a plain number of bytes."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise click.BadParameter(f"'{text}' is no amount of memory. Write 1GiB, 512MiB or 800MB.")
    count = int(float(found[1]) * _UNITS[found[2]])
    if count < 2**20:
        raise click.BadParameter(f"{text} is less than 1 MiB. Write 1GiB, 512MiB or 800MB.")
    return count


def as_shard(_context: click.Context, _option: click.Parameter, text: str):
    """ "2/5" as (2, 5)."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(
            f"'{text}' is no part of a batch. Write NUMBER/COUNT, such as 1/4 to 4/4."
        )
    return int(found[1]), int(found[2])


def as_format(_context: click.Context, _option: click.Parameter, text: str | None):
    """ "png" or ".PNG" as "png", if it is a format that is known."""
    if text is None:
        return None
    from acutance.upscaling.batch.kinds import PICTURES
    from acutance.upscaling.video.encoders import ENDINGS as VIDEOS

    ending = f".{text.strip().lower().removeprefix('.')}"
    if ending not in PICTURES + VIDEOS:
        known = ", ".join(each[1:] for each in PICTURES + VIDEOS)
        raise click.BadParameter(f"'{text}' is no format that can be written. Known: {known}.")
    return ending[1:]


def as_size(options: Mapping[str, Any]) -> Size:
    """The one option that says how large; two of them are a mistake."""
    given = [name for name in SIZES if options[name] is not None]
    if len(given) > 1:
        words = " and ".join(SIZES[name] for name in given)
        raise click.UsageError(f"{words} both say how large the result is to be. Give one of them.")
    return Size(**{name: options[name] for name in given})


def as_enlargement(options: Mapping[str, Any]) -> Enlargement:
    """What is to be done to the pixels."""
    if options["faithful"] is not None and options["strength"] == 1:
        raise click.UsageError("--faithful is what --strength starts from. Give --strength, too.")
    return Enlargement(
        size=as_size(options),
        tile=options["tile"],
        strength=options["strength"],
        tta=8 if options["tta"] == "8" else 1,
        back_project=options["back_project"],
        edge=options["edge"],
        fix_colour=options["fix_colour"],
        memory=options["memory"],
    )


def as_output(options: Mapping[str, Any]) -> Output:
    """How the files are to be written."""
    if options["overwrite"] and options["skip_existing"]:
        raise click.UsageError("--overwrite and --skip-existing contradict. Give one of them.")
    return Output(
        format=options["format"],
        metadata=options["metadata"],
        quality=options["quality"],
        compression=options["compression"],
        tag=options["tag"],
        overwrite=options["overwrite"],
    )


def picture_endings() -> tuple[str, ...]:
    """By which a name means one file."""
    from acutance.upscaling.batch.kinds import PICTURES, VIDEOS

    return PICTURES + VIDEOS


def as_words(options: Mapping[str, Any]) -> list[str]:
    """The inputs of the command line and of --list."""
    words = list(options["inputs"])
    if options["inputs_list"] is not None:
        words.append(f"@{options['inputs_list']}")
    if not words:
        raise click.UsageError("Missing argument 'INPUTS...'.")
    return words
