"""All pictures to learn from, decoded, and the batches that any step of a run gets from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np

from acutance.data.batches import TURNS, Batch, Crops, cut, cut_wide, slices, turn_all
from acutance.data.degradations.crops import Degrading, degrade_crops, margin_of
from acutance.data.folders import Fault, find_originals
from acutance.data.loading import Plan, Progress, Row, load_pictures
from acutance.data.reduction import reduction
from acutance.data.streams import Stream, below, generator, uniforms
from acutance.errors import InputError

NO_STEP = 2**64 - 1
"""Stands for the step where patches are drawn once for a whole run."""


@dataclass(frozen=True)
class PoolSettings:
    """How a pool is made. The defaults suit a folder of photographs that fits into memory."""

    lr_sources: tuple[str, ...] = ()
    """Folders of lr files that belong to the sources; without any, lr is made from hr."""
    lr: Literal["ready", "fly"] = "ready"
    """Make lr once for whole pictures, or for each crop, which may then begin at any pixel."""
    degrading: Degrading | None = None
    """Makes lr of each crop in place of the bicubic reduction."""
    chance: Literal["picture", "area"] = "picture"
    """Every picture is drawn equally often, or in proportion to the places a patch has in it."""
    limit_mib: float = math.inf
    """Beyond this the decoded pictures go into a memory-mapped file in `cache`."""
    cache: Path | None = None
    skip_bad: bool = False
    """Leave out pictures that cannot be used, and say so in `Pool.skipped`."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Decoded pictures, RGB bytes: grey ones replicated, transparency dropped.

    hr is cropped at the top left to a multiple of the scale. Nothing here changes after it is
    made: a batch is a function of (seed, step), so there is no state to save with a run.
    """

    flat: np.ndarray
    rows: tuple[Row, ...]
    scale: int
    patch: int
    is_fly: bool
    by_area: bool
    skipped: tuple[Fault, ...]
    degrading: Degrading | None = None
    taught: tuple[np.ndarray, ...] = ()
    """A teacher's result for every lr, uint8 (H, W, 3), where there is one."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Set and file name of every picture."""
        return tuple(row.name for row in self.rows)

    @cached_property
    def hr(self) -> tuple[np.ndarray, ...]:
        """Every picture, uint8 (H, W, 3); views of the one array."""
        return tuple(self._view(row.hr_at, (row.height, row.width)) for row in self.rows)

    @cached_property
    def lr(self) -> tuple[np.ndarray, ...]:
        """Every small picture, uint8 (H / scale, W / scale, 3); empty when made for each crop."""
        if self.is_fly:
            return ()
        s = self.scale
        return tuple(self._view(row.lr_at, (row.height // s, row.width // s)) for row in self.rows)

    def batch(
        self, seed: int, step: int, *, size: int, part: tuple[int, int] = (0, 1), pieces: int = 1
    ) -> Batch:
        """`size` random crops for one step: a function of (seed, step), the same in any process.

        `part` is (rank, ranks): that rank's slice of the same batch, or of each of its `pieces`.
        """
        rank, ranks = part
        if not (size >= ranks > rank >= 0):
            raise InputError(
                f"A batch of {size} has no part {rank} of {ranks}. "
                "Use a batch of at least one patch for each rank."
            )
        crops = self._draw(uniforms(seed, Stream.BATCH, step=step, shape=(size, 4)))
        places = [place for mine in slices(size, pieces=pieces, part=part) for place in mine]
        return self.cut(crops[places], self.patch, draws=self.draws(seed, step, places))

    def grid(self, patch: int, *, seed: int) -> "Grid":
        """Patches side by side over all pictures, each once, in an order given by the seed."""
        return _grid(self, patch, seed=seed)

    def draws(self, seed: int, step: int, places: Sequence[int]) -> list[np.random.Generator]:
        """What degrades the crops at `places` of a step's batch; none where nothing is drawn."""
        if self.degrading is None:
            return []
        return [generator(seed, Stream.DEGRADE, step=step, part=place) for place in places]

    def cut(self, crops: Crops, patch: int, *, draws: Sequence[np.random.Generator] = ()) -> Batch:
        """The crops of side `patch` (hr pixels) with their lr; `draws`, one a crop, degrade it."""
        if self.degrading is not None:
            return self._cut_degraded(crops, patch, self.degrading, draws)
        if not self.is_fly:
            hr = cut(self.hr, crops, side=patch, divide=1)
            lr = cut(self.lr, crops, side=patch // self.scale, divide=self.scale)
            taught = cut(self.taught, crops, side=patch, divide=1) if self.taught else None
            return Batch(lr, hr, crops.pictures, taught)
        reduce = reduction(patch, self.scale)
        edge = reduce.margin
        wide = cut_wide(self.hr, crops, side=patch, margin=edge)
        # Turned after it is reduced: the rule rounds between rows and columns, so that a
        # picture with the two exchanged would not have quite the same lr.
        lr = turn_all(reduce(wide), crops.turns)
        hr = turn_all(wide[:, edge : edge + patch, edge : edge + patch], crops.turns)
        return Batch(lr, hr, crops.pictures)

    def _cut_degraded(
        self, crops: Crops, patch: int, by: Degrading, draws: Sequence[np.random.Generator]
    ) -> Batch:
        edge = margin_of(self.scale)
        wide = cut_wide(self.hr, crops, side=patch, margin=edge)
        wide = turn_all(wide, crops.turns)  # first: noise and blocks are of the picture as seen
        lr = degrade_crops(wide, by, scale=self.scale, draws=draws)
        return Batch(lr, wide[:, edge : edge + patch, edge : edge + patch], crops.pictures)

    def fingerprint(self) -> str:
        """A hash of the pictures' names and pixels: the same data on any machine, whatever path."""
        mark = blake2b(digest_size=16)
        for row in self.rows:
            mark.update(f"{Path(row.name).stem} {row.height} {row.width} {row.digest}\n".encode())
        return mark.hexdigest()

    @cached_property
    def _places(self) -> np.ndarray:
        """How many crops fit in each picture, down and across (n, 2)."""
        step = 1 if self.is_fly else self.scale
        sides = np.array([(row.height, row.width) for row in self.rows])
        return (sides - self.patch) // step + 1

    def _draw(self, uniform: np.ndarray) -> Crops:
        """Crops from numbers in [0, 1) of shape (n, 4)."""
        if self.by_area:
            upto = np.cumsum(self._places.prod(axis=1))
            pictures = np.searchsorted(upto, below(uniform[:, 0], upto[-1]), side="right")
        else:
            pictures = below(uniform[:, 0], len(self.rows))
        places = self._places[pictures]
        step = 1 if self.is_fly else self.scale
        return Crops(
            pictures=pictures,
            tops=below(uniform[:, 1], places[:, 0]) * step,
            lefts=below(uniform[:, 2], places[:, 1]) * step,
            turns=below(uniform[:, 3], TURNS),
        )

    def _view(self, at: int, size: tuple[int, int]) -> np.ndarray:
        height, width = size
        return self.flat[at : at + height * width * 3].reshape(height, width, 3)


@dataclass(frozen=True, eq=False)
class Grid:
    """A fixed set of patches that do not overlap, for gradients of the whole data."""

    pool: Pool
    patch: int
    crops: Crops
    seed: int

    @property
    def grid_count(self) -> int:
        """How many patches there are."""
        return len(self.crops)

    def grid_batch(self, start: int, stop: int) -> Batch:
        """Patches number `start` .. `stop` - 1, not turned, degraded the same each time."""
        draws = self.pool.draws(self.seed, NO_STEP, range(start, stop))
        return self.pool.cut(self.crops[start:stop], self.patch, draws=draws)


def build_pool(
    sources: Sequence[str],
    *,
    scale: int,
    patch: int,
    settings: PoolSettings = PoolSettings(),
    progress: Progress | None = None,
) -> Pool:
    """Decode the pictures of `sources`: folders, files, "procedural" or "procedural:COUNT".

    `patch` is the side of a crop in hr pixels, a multiple of the scale. `progress` is told
    (pictures done, pictures in all). Pictures that are damaged, smaller than a patch or wrongly
    paired are all named in one InputError, unless `settings.skip_bad`.
    """
    _check_patch(patch, scale)
    found = find_originals(sources, settings.lr_sources, scale=scale)
    lr = "paired" if settings.lr_sources else "fly" if settings.degrading else settings.lr
    plan = Plan(scale=scale, patch=patch, lr=lr, skip_bad=settings.skip_bad)
    loaded = load_pictures(
        found, plan, limit_mib=settings.limit_mib, cache=settings.cache, progress=progress
    )
    if not loaded.rows:
        lines = "\n".join(f"  {fault}" for fault in loaded.faults)
        raise InputError(f"No picture is left to learn from. Name other sources.\n{lines}")
    return Pool(
        flat=loaded.flat,
        rows=loaded.rows,
        scale=scale,
        patch=patch,
        is_fly=lr == "fly",
        by_area=settings.chance == "area",
        skipped=loaded.faults,
        degrading=settings.degrading,
    )


def _check_patch(patch: int, scale: int) -> None:
    if scale < 1 or patch < scale or patch % scale:
        better = max(1, round(patch / max(scale, 1))) * max(scale, 1)
        raise InputError(
            f"A patch of {patch} hr pixels is not a multiple of the scale {scale}. Use {better}."
        )


def _grid(pool: Pool, patch: int, *, seed: int) -> Grid:
    """The grid of every picture lies at a random place in it, a multiple of the scale."""
    _check_patch(patch, pool.scale)
    sides = np.array([(row.height, row.width) for row in pool.rows])
    slack = below(
        uniforms(seed, Stream.GRID, step=0, shape=(len(sides), 2)),
        (sides % patch) // pool.scale + 1,
    )
    parts = []
    for picture, (rows, columns) in enumerate(sides // patch):
        down, across = np.divmod(np.arange(rows * columns), max(columns, 1))
        top, left = slack[picture] * pool.scale
        number = np.full(rows * columns, picture)
        parts.append(np.stack([number, top + down * patch, left + across * patch]))
    every = np.concatenate(parts, axis=1)
    if every.shape[1] == 0:
        raise InputError(f"No picture holds a patch of {patch}x{patch}. Use a smaller patch.")
    order = np.argsort(uniforms(seed, Stream.GRID, step=1, shape=(every.shape[1],)), kind="stable")
    pictures, tops, lefts = every[:, order]
    return Grid(pool, patch, Crops(pictures, tops, lefts, np.zeros_like(pictures)), seed)
