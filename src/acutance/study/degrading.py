"""Degrade pictures as training does: an array at hand, or files and folders of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.data.degradations.chain import Drawn, passes
from acutance.data.degradations.contract import as_bytes
from acutance.data.degradations.crops import draw_for
from acutance.data.degradations.expression import Chain, read_degradation
from acutance.errors import InputError
from acutance.imaging.depth import as_depth
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.formats import U8
from acutance.imaging.picture import Metadata, Picture
from acutance.imaging.resample import crop_to_multiple
from acutance.storage import check_free
from acutance.training.package_recipes import find_recipe, named_degradation, recipe_names
from acutance.upscaling.batch.planning import Found, find_sources

SCALES = range(1, 17)


@dataclass(frozen=True)
class Degradation:
    """A chain with the scale it is carried out at, and what files of it are called."""

    chain: Chain
    scale: int
    label: str


@dataclass(frozen=True)
class Job:
    """One picture and the files that are made of it, one a draw."""

    source: Path
    targets: tuple[Path, ...]


@dataclass(frozen=True)
class Made:
    """One lr picture that was written: which draw of its source, and what was done, in order."""

    source: Path
    target: Path
    number: int
    size: tuple[int, int]  # (height, width)
    stages: tuple[Drawn, ...]


def degrade(
    picture: np.ndarray,
    degradation: str,
    *,
    scale: int | None = None,
    seed: int = 0,
    name: str = "",
    number: int = 0,
) -> np.ndarray:
    """lr of `picture`, uint8 (H, W) or (H, W, 1 or 3), by a chain of stages.

    `degradation` is the chain as text, "blur(sigma=2) | reduce | jpeg(quality=50)", the name of a
    recipe that has one, or a TOML file. `scale` may be left out for a recipe, which has its own.
    Rows and columns beyond a multiple of it, at the bottom and at the right, are left out.

    What is drawn depends on `seed`, `name` and `number` alone: with the name of a file without its
    ending the result is that of `acutance degrade` for the file, and `number` counts its draws.
    Gives uint8 of as many dimensions, or float32 (0..1, beyond it where a stage leaves it) where
    the chain ends with `unrounded`. Raises InputError for what cannot be read or degraded.
    """
    if picture.ndim not in (2, 3):
        raise InputError(f"A picture to degrade is (H, W) or (H, W, 1 or 3), not {picture.shape}.")
    by = settle(degradation, scale)
    cube = picture[:, :, None] if picture.ndim == 2 else picture
    lr = _lr(cube, by, draw_for(name, seed=seed, number=number))[0]
    lr = lr if lr.dtype == np.uint8 else lr / np.float32(255)
    return lr[:, :, 0] if picture.ndim == 2 else lr


def settle(text: str, scale: int | None) -> Degradation:
    """The chain of a text, a recipe's name or a TOML file, and its scale: a recipe has its own."""
    label, own = "degraded", None
    if text.partition(":")[0] in recipe_names():
        recipe, preset = find_recipe(text)
        label = text.replace(":", "-")
        own = int(str(recipe.resolved(preset).get("network.scale", 2)))
        text = str(named_degradation(text))
    elif text.endswith(".toml"):
        label = Path(text).stem
    chain = read_degradation(text)
    found = own if scale is None else scale
    if found is None:
        raise InputError(
            "A chain has no scale of its own. Give --scale: 4 makes pictures a quarter as wide, "
            "1 keeps their size."
        )
    if found not in SCALES:
        raise InputError(f"The scale is from {SCALES[0]} to {SCALES[-1]}, not {found}.")
    return Degradation(chain, found, label)


def read_levels(path: Path) -> Picture:
    """A picture as uint8 without alpha; of its metadata, the colour profile."""
    picture = read_picture(path)
    return Picture(as_depth(picture.pixels, U8), None, Metadata(icc=picture.metadata.icc))


def plan(
    inputs: Sequence[str], output: Path, *, count: int = 1, ending: str = "", overwrite: bool
) -> list[Job]:
    """A job for each picture that `inputs` name, files and folders; nothing is written.

    One picture with an `output` that ends in .png gives that file. Else `output` is a folder with
    NAME`ending`.png for NAME.jpg, in the same subfolders; with a `count` above 1, NAME-1.png and
    on. What lies in the output folder is no input. Raises InputError where a file is in the way,
    or two pictures would become one.
    """
    found = _sources(inputs, output)
    is_file = output.suffix.lower() == ".png" and not output.is_dir()
    if is_file and len(found) > 1:
        raise InputError(f"{output} is one file, and there are {len(found)} pictures. Give -o DIR.")
    if not is_file and output.suffix and not output.is_dir():
        raise InputError(f"Only PNG files are written. Name {output.with_suffix('.png')}.")
    jobs: list[Job] = []
    taken = {each.path.resolve(): each.path for each in found}
    for each in found:
        inside = each.path.relative_to(each.root)
        target = output if is_file else output / inside.with_name(f"{inside.stem}{ending}.png")
        targets = _numbered(target, count)
        for path in targets:
            owner = taken.get(path.resolve())
            if owner is not None:
                raise InputError(
                    f"{each.path} would become {path}, which {owner} is or becomes. "
                    "Give another folder with -o."
                )
            taken[path.resolve()] = each.path
            check_free(path, overwrite=overwrite)
        jobs.append(Job(each.path, targets))
    return jobs


def _sources(inputs: Sequence[str], output: Path) -> list[Found]:
    """Each picture once, without those of a folder that lie in the output folder within it."""
    results = output.resolve()
    kept: dict[Path, Found] = {}
    for each in find_sources(inputs):
        real, root = each.path.resolve(), each.root.resolve()
        is_result = not each.named and results != root and real.is_relative_to(results)
        if not is_result:
            kept.setdefault(real, each)
    if not kept:
        raise InputError(f"All pictures of the input lie in {output}. Give another folder with -o.")
    return list(kept.values())


def _numbered(target: Path, count: int) -> tuple[Path, ...]:
    if count == 1:
        return (target,)
    return tuple(target.with_stem(f"{target.stem}-{k + 1}") for k in range(count))


def carry_out(
    jobs: Sequence[Job], by: Degradation, *, seed: int, overwrite: bool = False
) -> Iterator[Made]:
    """Write the files of the jobs, one after the other, and say what was drawn for each."""
    for job in jobs:
        picture = read_levels(job.source)
        for number, target in enumerate(job.targets):
            draw = draw_for(job.source.stem, seed=seed, number=number)
            lr, stages = _lr(picture.pixels, by, draw, said=str(job.source))
            small = Picture(as_bytes(lr), None, picture.metadata)
            write_picture(target, small, overwrite=overwrite)
            yield Made(job.source, target, number, lr.shape[:2], stages)


def _lr(
    pixels: np.ndarray, by: Degradation, draw: np.random.Generator, *, said: str = "The picture"
) -> tuple[np.ndarray, tuple[Drawn, ...]]:
    stages: list[Drawn] = []
    lr = fitting(pixels, by, said=said)
    for stage, picture in passes(lr, by.chain, scale=by.scale, draw=draw):
        lr = picture
        stages += [] if stage is None else [stage]
    return lr, tuple(stages)


def fitting(pixels: np.ndarray, by: Degradation, *, said: str) -> np.ndarray:
    """The picture without what is over a multiple of the scale."""
    height, width = pixels.shape[:2]
    if min(height, width) < by.scale:
        raise InputError(f"{said} is {width}x{height}, too small for x{by.scale}.")
    return crop_to_multiple(pixels, by.scale)
