"""Pieces give the whole: whatever the size, the tile, the scale and what else is asked."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize, resizing
from acutance.imaging.tiles import Part, Span, Window, whole
from acutance.models.card import ModelCard
from acutance.upscaling.choice import open_engine
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.settings import Enlargement, Size
from acutance.upscaling.task import Upscaler
from acutance.upscaling.windows import Needs, NetworkPass

ENGINES = [
    "pytorch",
    "onnx_runtime",
    pytest.param(
        "openvino",
        marks=pytest.mark.skipif(
            find_spec("openvino") is None, reason="the extra openvino is not installed"
        ),
    ),
]
ALLOWED = 1e-5  # of all samples may differ, by one level, where kernels depend on the shape


def picture(height: int, width: int, channels: int, *, dtype=np.uint8, alpha: bool = False):
    generator = np.random.default_rng(height * 1000 + width)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[np.dtype(dtype).name]
    values = generator.random((height, width, channels + 1)) * top
    values[..., -1] = np.clip(3 * values[..., -1] - top, 0, top)  # a third is clear, a third full
    if dtype != np.float32:
        values = np.rint(values)
    pixels = values.astype(dtype)
    return Picture(pixels[..., :-1], pixels[..., -1] if alpha else None)


def assert_same(found: Picture, expected: Picture) -> None:
    for a, b in ((found.pixels, expected.pixels), (found.alpha, expected.alpha)):
        if a is None or b is None:
            assert a is b
            continue
        assert a.dtype == b.dtype
        if a.dtype == np.float32:
            np.testing.assert_allclose(a, b, atol=2e-6)
            continue
        off = np.abs(a.astype(int) - b)
        level = 1 if a.dtype == np.uint8 else 3  # of 65535: float32 has 24 bits
        assert off.max() <= level
        if a.dtype == np.uint8:
            assert (off > 0).sum() <= max(ALLOWED * off.size, 0)


@cache
def engine_of(model, name: str):
    return open_engine(model, engine=name)


ASKED = [
    Enlargement(),
    Enlargement(size=Size(scale=Fraction(3))),
    Enlargement(size=Size(scale=Fraction(3, 2)), strength=0.5),
    Enlargement(size=Size(scale=Fraction(1, 2))),
    Enlargement(tta=8),
    Enlargement(back_project=2),
    Enlargement(edge="wrap"),
    Enlargement(size=Size(scale=Fraction(5, 2)), edge="wrap", back_project=1),
    Enlargement(size=Size(width=41), tta=8, strength=0.25, back_project=1),
    Enlargement(fix_colour=True),
]


@pytest.mark.parametrize("engine", ENGINES)
@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    how=st.sampled_from(ASKED),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(1, 40),
    kind=st.sampled_from([(1, "uint8", False), (3, "uint8", True), (3, "uint16", False),
                          (1, "float32", True)]),
)  # fmt: skip
def test_any_tile_gives_the_whole(model, engine, how, height, width, tile, kind):
    channels, dtype, alpha = kind
    upscaler = Upscaler(engine_of(model, engine))
    small = picture(height, width, channels, dtype=np.dtype(dtype), alpha=alpha)
    tiles = replace(how, tile=max(tile, 5))
    assert_same(
        enlarge_picture(small, upscaler, tiles),
        enlarge_picture(small, upscaler, replace(how, tile=0)),
    )


@settings(deadline=None, max_examples=40)
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    target=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    wrap=st.booleans(),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    data=st.data(),
)
def test_a_part_of_a_resize_is_that_of_the_whole_to_the_bit(size, target, wrap, dtype, data):
    pixels = (np.random.default_rng(0).random((*size, 2)) * 255).astype(dtype)
    spans = [data.draw(spans_within(side)) for side in target]
    window = Window(*spans)
    way = resizing(size, target, wrap=wrap)
    seen = way.needs(window)
    rows = np.arange(seen.rows.start, seen.rows.stop) % size[0]
    columns = np.arange(seen.columns.start, seen.columns.stop) % size[1]
    if not wrap:
        assert seen.rows.within(size[0]) == seen.rows
        full = resize(pixels, size=target)
    else:  # by the middle one of three pictures a side
        tiled = resizing((3 * size[0], 3 * size[1]), (3 * target[0], 3 * target[1]))
        nine = np.tile(pixels, (3, 3, 1))
        full = tiled(Part(nine, whole(nine.shape[:2])), whole((3 * target[0], 3 * target[1])))
        full = full[target[0] :, target[1] :]
    found = way(Part(pixels[np.ix_(rows, columns)], seen), window)
    expected = full[
        window.rows.start : window.rows.stop, window.columns.start : window.columns.stop
    ]
    if wrap:  # the weights are those of other places: equal but for their last digits
        np.testing.assert_allclose(found, expected, atol=1 if dtype == np.uint8 else 1e-4)
    else:
        np.testing.assert_array_equal(found, expected)


@st.composite
def spans_within(draw, length: int) -> Span:
    start = draw(st.integers(0, length - 1))
    return Span(start, draw(st.integers(start + 1, length)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scale", [2, 3, Fraction(3, 2)])
@pytest.mark.parametrize("tile", [0, 7])
def test_a_shifted_texture_gives_the_shifted_result(model, engine, scale, tile):
    """By half its size, to the byte."""
    upscaler = Upscaler(engine_of(model, engine))
    small = picture(24, 32, 3).pixels
    how = Enlargement(size=Size(scale=Fraction(scale)), edge="wrap", tile=tile)
    sr = enlarge_picture(Picture(small), upscaler, how).pixels
    shifted = enlarge_picture(Picture(np.roll(small, (12, 16), (0, 1))), upscaler, how).pixels
    by = (sr.shape[0] // 2, sr.shape[1] // 2)
    np.testing.assert_array_equal(shifted, np.roll(sr, by, (0, 1)))
    plain = enlarge_picture(Picture(small), upscaler, replace(how, edge="normal")).pixels
    assert (plain != sr).any()


class Blocks:
    """An engine that works in blocks of 4 lr pixels: each becomes its mean. Its reach is 3."""

    def __init__(self) -> None:
        self.card = ModelCard("compact", 2, reach=3, multiple=4)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        n, c, h, w = lr.shape
        assert h % 4 == w % 4 == 0
        means = lr.reshape(n, c, h // 4, 4, w // 4, 4).mean(axis=(3, 5))
        means += 0.1 / 255  # or some would lie at a half, where the order of sums decides
        return np.repeat(np.repeat(means, 8, axis=2), 8, axis=3)


@settings(deadline=None, max_examples=12)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(1, 40),
    tta=st.sampled_from([1, 8]),
)
def test_a_network_that_wants_multiples_is_given_them(height, width, tile, tta):
    """At the end of the picture by mirrored pixels; pieces begin where its blocks do."""
    small = picture(height, width, 3)
    upscaler = Upscaler(Blocks())
    found = enlarge_picture(small, upscaler, Enlargement(tile=tile, tta=tta))
    assert found.pixels.shape == (2 * height, 2 * width, 3)
    assert_same(found, enlarge_picture(small, upscaler, Enlargement(tile=0, tta=tta)))


def test_a_piece_is_given_no_more_than_can_matter():
    run = NetworkPass(lambda lr: lr, 2, (100, 50), Needs(reach=7))
    assert run.needs(Window(Span(60, 81), Span(0, 100))) == Window(Span(23, 48), Span(0, 50))
    wrapped = replace(run, wrap=True)
    assert wrapped.needs(Window(Span(0, 2), Span(0, 2))) == Window(Span(-7, 8), Span(-7, 8))
