"""Gather what a recipe trains on: the pool of training pictures and the validation pairs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

import psutil

from acutance.data.degradations.crops import Degrading
from acutance.data.degradations.expression import parse_degradation
from acutance.data.folders import photo_paths, split_validation
from acutance.data.pool import Pool, PoolSettings, build_pool
from acutance.errors import InputError
from acutance.training.display import Display
from acutance.training.levels import patch_at, turns_of
from acutance.training.networks import blank_card
from acutance.training.recipe import DataChoice, Recipe
from acutance.training.record import Plan
from acutance.training.taught import taught_pictures
from acutance.training.validation import Pair, read_pairs

LR_PATCH = 32  # lr pixels of a side where `patch` is "auto": docs/results.md, "Training"
MEMORY_SHARE = 0.25  # of the free memory may hold the pool; above it, a memory-mapped file


@dataclass(frozen=True)
class Pictures:
    """What there is to learn from and to be judged by."""

    pool: Pool  # of the network's own scale
    pairs: list[Pair]
    lower: Mapping[int, Pool] = field(default_factory=dict)  # of lower levels that take turns

    def pool_at(self, level: int) -> Pool:
        """The pool whose batches are for `level`."""
        return self.lower.get(level, self.pool)

    def fingerprint(self) -> str:
        """A hash of all that is learned from: of the one pool, or of those of all levels."""
        if not self.lower:
            return self.pool.fingerprint()
        mark = blake2b(digest_size=16)
        for scale, pool in sorted({**self.lower, self.pool.scale: self.pool}.items()):
            mark.update(f"{scale} {pool.fingerprint()}\n".encode())
        return mark.hexdigest()


def patch_side(recipe: Recipe) -> int:
    """Side of the training crop in hr pixels."""
    chosen = recipe.data.patch
    return LR_PATCH * recipe.network.scale if chosen == "auto" else chosen


def gather(recipe: Recipe, folder: Path, display: Display, *, sharers: int = 1) -> Pictures:
    """Read every picture once. Raises InputError that names all the bad ones.

    `sharers` processes of this machine do so, each with a part of the memory.
    """
    data, scale = recipe.data, recipe.network.scale
    if not data.photos:
        raise InputError(
            "No photographs given. Name a folder (acutance train PHOTOS --run runs/a), "
            "or 'procedural' for drawn pictures."
        )
    levels = turns_of(recipe).scales
    seed = recipe.seed if data.hold_out_seed == "auto" else data.hold_out_seed
    photos, held_out = _hold_out(data, seed)
    degrading = degrading_of(recipe)
    settings = replace(_pool_settings(data, folder), degrading=degrading)
    # all levels in all processes have the memory together
    settings = replace(settings, limit_mib=settings.limit_mib / len(levels) / sharers)
    pools = {}
    for level in reversed(levels):  # the highest first: what fits its crops fits smaller ones
        pools[level] = build_pool(
            photos,
            scale=level,
            patch=patch_at(level, patch_side(recipe), scale),
            settings=settings,
            progress=lambda done, total: display.phase("reading pictures", done, total),
        )
    pool = pools.pop(scale)
    for fault in pool.skipped:
        display.note(f"left out: {fault}")
    if recipe.loss.teach == "once":
        pool = replace(pool, taught=taught_pictures(pool, recipe.loss.teacher, display))
    return Pictures(pool, read_pairs(held_out, scale, degrading), pools)


def own_pictures(shared: Pictures | None, recipe: Recipe) -> Pictures | None:
    """Pictures that several runs share, as this one needs them: a teacher's where it is asked."""
    if shared is None or not shared.pool.taught or recipe.loss.teach == "once":
        return shared
    return replace(shared, pool=replace(shared.pool, taught=()))


def degrading_of(recipe: Recipe) -> Degrading | None:
    """What makes lr in place of the bicubic reduction; luma networks see it on Y."""
    if not recipe.data.degrade:
        return None
    grey = blank_card(recipe.network).color == "luma"
    return Degrading(parse_degradation(recipe.data.degrade), grey)


def _hold_out(data: DataChoice, seed: int) -> tuple[list[str], list[Path]]:
    """Training sources and validation files; without `val` a seeded part of the photographs."""
    drawn = [s for s in data.photos if s.partition(":")[0] == "procedural"]
    if data.val:
        return list(data.photos), photo_paths(data.val)
    if len(drawn) == len(data.photos):
        raise InputError("Drawn pictures alone give nothing to be judged by: name --val FOLDER.")
    files = photo_paths(data.photos)
    train, held_out = split_validation(files, share=data.hold_out, seed=seed)
    return [*map(str, train), *drawn], held_out


def _pool_settings(data: DataChoice, folder: Path) -> PoolSettings:
    limit = data.memory_mib
    if limit == "auto":
        limit = max(256.0, MEMORY_SHARE * psutil.virtual_memory().available / 2**20)
    return PoolSettings(
        lr_sources=data.lr,
        lr="ready" if data.make_lr == "once" else "fly",
        chance=data.draw,
        limit_mib=limit,
        cache=folder / "pool",
        skip_bad=data.skip_bad,
    )


def check_same_pictures(plan: Plan, pictures: Pictures, folder: Path) -> None:
    """Raise InputError if a run would go on with other pictures than it began with."""
    if pictures.fingerprint() != plan.fingerprint:
        raise InputError(
            f"The training pictures of {folder} have changed since it began. Put them back to "
            "continue it, or give another --run to begin anew with the pictures of today."
        )
