"""Batches: a function of (seed, step), in step with their originals, turned in every way."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acutance.data.batches import TURNS, Crops
from acutance.data.pool import Batch, PoolSettings, build_pool
from acutance.errors import InputError
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import downscale

ELSEWHERE = """
import hashlib, sys
from acutance.data.pool import PoolSettings, build_pool
pool = build_pool([sys.argv[1]], scale=2, patch=32, settings=PoolSettings(lr=sys.argv[2]))
for step in (7, 3, 5):
    batch = pool.batch(11, step, size=6)
    print(step, hashlib.sha256(batch.lr.tobytes() + batch.hr.tobytes()).hexdigest())
"""


def turned(picture: np.ndarray, turn: int) -> np.ndarray:
    """The orientations once more, in numpy's words."""
    if turn & 4:
        picture = np.swapaxes(picture, 0, 1)
    if turn & 1:
        picture = np.flip(picture, 0)
    return np.flip(picture, 1) if turn & 2 else picture


def assert_equal(a: Batch, b: Batch) -> None:
    assert np.array_equal(a.pictures, b.pictures)
    assert np.array_equal(a.hr, b.hr)
    assert np.array_equal(a.lr, b.lr)


def part(batch: Batch, which: slice) -> Batch:
    return Batch(batch.lr[which], batch.hr[which], batch.pictures[which])


@pytest.mark.parametrize("kind", ["ready", "fly"])
def test_another_process_and_order_give_the_same_batches(kind, photos, request):
    pool = request.getfixturevalue(kind)
    command = [sys.executable, "-c", ELSEWHERE, str(photos), kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    there = dict(line.split() for line in done.stdout.splitlines())
    assert len(there) == 3, done.stderr
    for step in (3, 5, 7):
        batch = pool.batch(11, step, size=6)
        here = hashlib.sha256(batch.lr.tobytes() + batch.hr.tobytes()).hexdigest()
        assert here == there[str(step)]


def test_other_steps_and_seeds_give_other_batches(ready):
    first = ready.batch(0, 0, size=8).hr
    assert not np.array_equal(first, ready.batch(0, 1, size=8).hr)
    assert not np.array_equal(first, ready.batch(1, 0, size=8).hr)


def test_a_batch_has_the_shapes_that_were_asked_for(ready):
    batch = ready.batch(0, 0, size=5)
    assert batch.lr.shape == (5, 16, 16, 3)
    assert batch.hr.shape == (5, 32, 32, 3)
    assert batch.pictures.shape == (5,)
    assert batch.lr.dtype == batch.hr.dtype == np.uint8
    assert batch.lr.flags.c_contiguous
    assert batch.hr.flags.c_contiguous


@pytest.mark.parametrize("kind", ["ready", "fly"])
@given(size=st.integers(1, 9), ranks=st.integers(1, 4), step=st.integers(0, 2**40))
@settings(max_examples=15, deadline=None)
def test_the_slices_of_all_ranks_join_to_the_whole_batch(kind, size, ranks, step, request):
    pool = request.getfixturevalue(kind)
    ranks = min(ranks, size)
    slices = [pool.batch(2, step, size=size, part=(rank, ranks)) for rank in range(ranks)]
    joined = Batch(
        *(np.concatenate([getattr(s, f) for s in slices]) for f in ("lr", "hr", "pictures"))
    )
    assert_equal(joined, pool.batch(2, step, size=size))


def test_a_smaller_batch_is_the_beginning_of_a_larger_one(ready):
    assert_equal(ready.batch(0, 4, size=3), part(ready.batch(0, 4, size=8), slice(3)))


@pytest.mark.parametrize("slice_of", [(2, 2), (-1, 2), (0, 5)])
def test_an_impossible_slice_is_refused(ready, slice_of):
    with pytest.raises(InputError, match="A batch of 4 has no part"):
        ready.batch(0, 0, size=4, part=slice_of)


def find(picture: np.ndarray, crop: np.ndarray) -> tuple[int, int, int] | None:
    """Where and how turned the crop lies in the picture, by looking everywhere."""
    for turn in range(TURNS):
        # the turns are undone by their inverses: exchange last instead of first
        back = np.flip(crop, 1) if turn & 2 else crop
        back = np.flip(back, 0) if turn & 1 else back
        back = np.swapaxes(back, 0, 1) if turn & 4 else back
        begins = (picture[:-31, :-31] == back[0, 0]).all(axis=2)
        for top, left in np.argwhere(begins).tolist():
            if np.array_equal(picture[top : top + 32, left : left + 32], back):
                return top, left, turn
    return None


def test_every_crop_is_a_turned_part_of_its_picture_and_all_turns_occur(ready):
    seen = set()
    for step in range(6):
        batch = ready.batch(0, step, size=8)
        for hr, lr, number in zip(batch.hr, batch.lr, batch.pictures, strict=True):
            place = find(ready.hr[number], hr)
            assert place is not None
            top, left, turn = place
            assert (top % 2, left % 2) == (0, 0)
            small = ready.lr[number][top // 2 : top // 2 + 16, left // 2 : left // 2 + 16]
            assert np.array_equal(lr, turned(small, turn))
            seen.add(turn)
    assert seen == set(range(8))


@pytest.mark.parametrize("kind", ["ready", "fly"])
def test_lr_is_the_reduction_of_hr_away_from_the_borders_of_the_crop(kind, request):
    """By the plain uint8 rule on the crop itself; for the turns that exchange no rows with
    columns, since the rule rounds between the two."""
    pool = request.getfixturevalue(kind)
    checked = 0
    for step in range(4):
        batch = pool.batch(3, step, size=8)
        for hr, lr in zip(batch.hr, batch.lr, strict=True):
            small = downscale(hr, 2)
            other = np.swapaxes(downscale(np.ascontiguousarray(np.swapaxes(hr, 0, 1)), 2), 0, 1)
            inner = slice(2, -2)  # x2: a row of lr sees 1.75 rows of lr on each side
            straight = np.array_equal(lr[inner, inner], small[inner, inner])
            exchanged = np.array_equal(lr[inner, inner], other[inner, inner])
            assert straight or exchanged
            checked += 1
    assert checked == 32


def test_ready_lr_is_that_of_the_whole_picture(photos, ready):
    for path, hr, lr in zip(sorted(photos.iterdir()), ready.hr, ready.lr, strict=True):
        whole = read_rgb(path)
        assert np.array_equal(lr, downscale(whole, 2))
        assert np.array_equal(hr, whole[: hr.shape[0], : hr.shape[1]])
        assert hr.shape[:2] == (whole.shape[0] // 2 * 2, whole.shape[1] // 2 * 2)


def test_crops_reach_every_corner(ready):
    crops = [ready._draw(np.full((1, 4), u)) for u in (0.0, 1 - 2**-53)]
    assert (crops[0].tops[0], crops[0].lefts[0], crops[0].turns[0]) == (0, 0, 0)
    last = ready.hr[crops[1].pictures[0]].shape
    assert (crops[1].tops[0], crops[1].lefts[0]) == (last[0] - 32, last[1] - 32)
    assert crops[1].turns[0] == 7


@pytest.mark.parametrize(
    ("chance", "shares"),
    # places of a 32-px patch, in steps of 2: 33*45, 33*50, 25*17, 57*35 for the four sizes
    [("picture", [1, 1, 1, 1]), ("area", [33 * 45, 33 * 50, 25 * 17, 57 * 35])],
)
def test_pictures_are_drawn_as_often_as_said(photos, chance, shares):
    pool = build_pool([str(photos)], scale=2, patch=32, settings=PoolSettings(chance=chance))
    drawn = np.concatenate([pool.batch(0, step, size=100).pictures for step in range(30)])
    counts = np.bincount(drawn, minlength=4)
    expected = 3000 * np.array(shares) / sum(shares)
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected.max())


def test_the_first_place_of_a_picture_is_its_own(photos):
    """Place number 33*45, counted from 0, is the first of the second picture."""
    pool = build_pool([str(photos)], scale=2, patch=32, settings=PoolSettings(chance="area"))
    places = 33 * 45 + 33 * 50 + 25 * 17 + 57 * 35
    numbers = np.array([33 * 45 - 1, 33 * 45, places - 1])
    uniform = np.repeat((numbers[:, None] + 0.5) / places, 4, axis=1)
    assert pool._draw(uniform).pictures.tolist() == [0, 1, 3]


def test_names_say_set_and_file(ready, photos):
    assert ready.names[0] == f"{photos.name}/0001.png"
    assert len(ready) == 4


def test_a_patch_that_is_no_multiple_of_the_scale_is_refused(photos):
    with pytest.raises(InputError) as caught:
        build_pool([str(photos)], scale=3, patch=32)
    assert str(caught.value) == (
        "A patch of 32 hr pixels is not a multiple of the scale 3. Use 33."
    )


def test_the_grid_covers_every_patch_once(ready):
    grid = ready.grid(32, seed=5)
    assert grid.grid_count == 3 * 3 + 3 * 4 + 2 * 2 + 4 * 3  # whole patches of the four sizes
    seen = [np.zeros(hr.shape[:2], dtype=int) for hr in ready.hr]
    crops = grid.crops
    for number, top, left in zip(crops.pictures, crops.tops, crops.lefts, strict=True):
        seen[number][top : top + 32, left : left + 32] += 1
    assert max(cover.max() for cover in seen) == 1
    assert sum(cover.sum() for cover in seen) == grid.grid_count * 32**2


def test_the_grid_comes_in_any_pieces(ready):
    grid = ready.grid(32, seed=5)
    whole = grid.grid_batch(0, grid.grid_count)
    cuts = [(0, 7), (7, 8), (8, grid.grid_count)]
    pieces = [grid.grid_batch(start, stop) for start, stop in cuts]
    assert np.array_equal(np.concatenate([piece.hr for piece in pieces]), whole.hr)
    for i, number in enumerate(whole.pictures):
        top, left = grid.crops.tops[i], grid.crops.lefts[i]
        assert np.array_equal(whole.hr[i], ready.hr[number][top : top + 32, left : left + 32])
        small = ready.lr[number][top // 2 : top // 2 + 16, left // 2 : left // 2 + 16]
        assert np.array_equal(whole.lr[i], small)


def test_the_grid_is_a_function_of_the_seed(ready):
    first = ready.grid(32, seed=5).grid_batch(0, 9).hr
    assert np.array_equal(first, ready.grid(32, seed=5).grid_batch(0, 9).hr)
    assert not np.array_equal(first, ready.grid(32, seed=6).grid_batch(0, 9).hr)


def test_a_grid_of_patches_larger_than_all_pictures_is_refused(ready):
    with pytest.raises(InputError, match="No picture holds a patch of 160x160"):
        ready.grid(160, seed=0)


@pytest.mark.parametrize(("scale", "patch"), [(2, 32), (3, 48), (4, 64), (2, 94), (5, 35), (1, 16)])
def test_lr_made_for_each_crop_equals_ready_lr_on_aligned_crops(photos, scale, patch):
    """Also at the borders of pictures. 94: 47 rows of lr, a prime, so that no blocks fit."""
    files = [str(path) for path in sorted(photos.iterdir()) if path.stem != "0003"]
    made = [
        build_pool(files, scale=scale, patch=patch, settings=PoolSettings(lr=lr))
        for lr in ("ready", "fly")
    ]
    corners = [
        (i, top, left)
        for i, hr in enumerate(made[0].hr)
        for top in (0, hr.shape[0] - patch)
        for left in (0, hr.shape[1] - patch)
    ]
    pictures, tops, lefts = np.array(corners).T
    at_corners = Crops(pictures, tops, lefts, np.arange(len(corners)) % TURNS)
    anywhere = made[0]._draw(np.random.default_rng(0).random((40, 4)))
    for crops in (at_corners, anywhere):
        assert_equal(made[0].cut(crops, patch), made[1].cut(crops, patch))


def test_lr_made_for_each_crop_begins_at_any_pixel(fly):
    crops = fly._draw(np.random.default_rng(0).random((200, 4)))
    assert set((crops.tops % 2).tolist()) == {0, 1}
    assert set((crops.lefts % 2).tolist()) == {0, 1}


def test_making_batches_needs_no_torch():
    code = "import sys, acutance.data.pool, acutance.data.prefetch; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


def test_drawn_pictures_are_a_source_of_their_own():
    pool = build_pool(["procedural:3"], scale=4, patch=128)
    assert pool.names == ("procedural/00000", "procedural/00001", "procedural/00002")
    assert pool.batch(0, 0, size=2).lr.shape == (2, 32, 32, 3)


def test_drawn_pictures_are_large_enough_for_any_patch():
    assert build_pool(["procedural:1"], scale=2, patch=300).hr[0].shape == (300, 300, 3)
