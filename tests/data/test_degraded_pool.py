"""Batches whose lr is made by a chain: for whoever trains for the real world or restores."""

import numpy as np
import pytest

from acutance.data.degradations.chain import degrade
from acutance.data.degradations.crops import Degrading, draw_for, margin_of
from acutance.data.degradations.expression import parse_degradation
from acutance.data.pool import PoolSettings, build_pool
from acutance.data.streams import Stream, generator, uniforms
from acutance.imaging.colour import luma, to_uint8
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture

DRAWN = "reduce(kernel=['bicubic', 'box', 'lanczos3', 'nearest'])"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for k in range(3):
        pixels = generator.integers(64, 192, (60, 72, 3), dtype=np.uint8)
        write_picture(folder / f"{k}.png", Picture(pixels, None))
    return str(folder)


def pool_of(photos, text, *, scale=2, patch=24, grey=False):
    degrading = Degrading(parse_degradation(text), grey)
    settings = PoolSettings(degrading=degrading)
    return build_pool([photos], scale=scale, patch=patch, settings=settings)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_the_plain_reduction_gives_the_lr_of_the_whole_picture(photos, scale):
    """To the bit; with rows and columns exchanged, what is rounded between them differs."""
    chained = pool_of(photos, "reduce", scale=scale, patch=12 * scale)
    plain = build_pool([photos], scale=scale, patch=12 * scale, settings=PoolSettings(lr="fly"))
    exact = 0
    for step in range(4):
        ours, theirs = chained.batch(1, step, size=4), plain.batch(1, step, size=4)
        assert np.array_equal(ours.hr, theirs.hr)
        turns = plain._draw(uniforms(1, Stream.BATCH, step=step, shape=(4, 4))).turns
        for k, turn in enumerate(turns.tolist()):
            if scale > 1 and turn & 4:
                assert np.abs(ours.lr[k].astype(int) - theirs.lr[k]).max() <= 2
            else:
                assert np.array_equal(ours.lr[k], theirs.lr[k])
                exact += 1
    assert exact >= 4


def test_a_batch_is_a_function_of_seed_and_step(photos):
    one, other = pool_of(photos, DRAWN), pool_of(photos, DRAWN)
    assert np.array_equal(one.batch(3, 7, size=8).lr, other.batch(3, 7, size=8).lr)
    assert not np.array_equal(one.batch(3, 7, size=8).lr, one.batch(3, 8, size=8).lr)
    assert not np.array_equal(one.batch(3, 7, size=8).lr, one.batch(4, 7, size=8).lr)


def test_ranks_share_the_batch_of_one(photos):
    pool = pool_of(photos, DRAWN)
    whole = pool.batch(0, 5, size=6)
    parts = [pool.batch(0, 5, size=6, part=(rank, 3)) for rank in range(3)]
    assert np.array_equal(np.concatenate([part.lr for part in parts]), whole.lr)
    assert np.array_equal(np.concatenate([part.hr for part in parts]), whole.hr)


def test_each_crop_has_draws_of_its_own(photos):
    """Crop 2 of step 5 is what the chain makes of its wide crop with the draws (5, 2)."""
    pool = pool_of(photos, DRAWN)
    batch = pool.batch(9, 5, size=4)
    for k in range(4):
        draw = generator(9, Stream.DEGRADE, step=5, part=k)
        chain = pool.degrading.chain
        inside = degrade(batch.hr[k], chain, scale=2, draw=draw)  # without margins: but inside
        assert np.array_equal(inside[4:-4, 4:-4], batch.lr[k][4:-4, 4:-4])


def test_a_luma_network_is_shown_y_as_a_grey_picture(photos):
    pool = pool_of(photos, "none | unrounded", scale=1, grey=True)
    batch = pool.batch(0, 0, size=3)
    assert batch.lr.shape == (3, 24, 24, 1)
    assert batch.lr.dtype == np.float32
    grey = np.stack([to_uint8(luma(hr)) for hr in batch.hr])
    assert np.array_equal(batch.lr[:, :, :, 0], grey)


def test_the_grid_is_degraded_the_same_each_time(photos):
    grid = pool_of(photos, DRAWN).grid(24, seed=2)
    assert np.array_equal(grid.grid_batch(0, 6).lr, grid.grid_batch(0, 6).lr)
    halves = [grid.grid_batch(0, 3).lr, grid.grid_batch(3, 6).lr]
    assert np.array_equal(np.concatenate(halves), grid.grid_batch(0, 6).lr)


def test_draws_of_a_picture_depend_on_its_name_seed_and_number():
    one = draw_for("baby", seed=0).random(4)
    assert np.array_equal(one, draw_for("baby", seed=0).random(4))
    others = [
        draw_for("bird", seed=0),
        draw_for("baby", seed=1),
        draw_for("baby", seed=0, number=1),
    ]
    assert all(not np.array_equal(one, other.random(4)) for other in others)


def test_margins_are_whole_half_blocks_of_the_codecs():
    for scale in (1, 2, 3, 4, 8):
        assert margin_of(scale) % (4 * scale) == 0
        assert margin_of(scale) >= 16
