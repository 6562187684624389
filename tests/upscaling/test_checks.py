"""A wrong picture is never handed back: tried again, then in halves, then refused by place."""

import numpy as np
import pytest

from acutance.errors import InputError, RunError
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models.card import ModelCard
from acutance.upscaling.checks import fault_in
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.scoring import as_rgb_function
from acutance.upscaling.settings import Enlargement
from acutance.upscaling.task import Upscaler

HOW = Enlargement(tile=32)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


class Bicubic:
    """An engine whose right answer is known; `spoil` is what goes wrong with the sr of a call."""

    def __init__(self, spoil=lambda sr, _: sr, *, reach: int | None = 2) -> None:
        self.card = ModelCard("compact", 2, reach=reach)
        self.spoil = spoil
        self.sides: list[tuple[int, int]] = []

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        self.sides.append(lr.shape[2:])
        sr = resize(lr[0].transpose(1, 2, 0), scale=2).transpose(2, 0, 1)[None]
        return self.spoil(sr, lr)


def enlarged(engine, pixels=None, how=HOW) -> np.ndarray:
    pixels = noise(70, 40, 3) if pixels is None else pixels
    return enlarge_picture(Picture(pixels), Upscaler(engine), how).pixels


def nan_at_a_place(sr, _):
    sr[0, 1, 5, 5] = np.nan
    return sr


WRONG = {
    "not a number": nan_at_a_place,
    "infinite": lambda sr, _: sr + np.float32("inf"),
    "black": lambda sr, _: sr * 0,
    "below black": lambda sr, _: -np.abs(sr),
    "constant": lambda sr, lr: np.full_like(sr, lr.mean()),
    "far off": lambda sr, _: sr + 0.6,
}


@pytest.fixture(params=WRONG.values(), ids=WRONG.keys())
def spoil(request):
    return request.param


def only_call(number, spoil):
    calls = iter(range(1, 10**6))
    return lambda sr, lr: spoil(sr, lr) if next(calls) == number else sr


def test_a_fault_that_does_not_come_again_costs_one_more_run(spoil):
    engine = Bicubic(only_call(2, spoil))
    np.testing.assert_array_equal(enlarged(engine), enlarged(Bicubic()))
    assert engine.sides[1] == engine.sides[2]


def test_a_fault_that_comes_again_is_tried_in_halves(spoil):
    """Here of every piece with more than 1000 pixels."""
    engine = Bicubic(lambda sr, lr: spoil(sr, lr) if lr[0, 0].size > 1000 else sr)
    np.testing.assert_array_equal(enlarged(engine), enlarged(Bicubic()))
    assert min(height * width for height, width in engine.sides) <= 1000


def test_a_fault_that_stays_is_refused_by_its_place(spoil):
    with pytest.raises(RunError) as error:
        enlarged(Bicubic(lambda sr, lr: spoil(sr, lr) if lr.shape[3] < 30 else sr))
    told = str(error.value)
    assert told.startswith("Rows 0 to 18, columns 30 to 40 of the picture came out of the network ")
    assert told.endswith(
        "; so nothing is written. Repeating it did not help: take another model or engine, or "
        "smaller tiles."
    )


class Precise(Bicubic):
    def precise(self):
        return Bicubic()


def test_the_second_try_is_as_precise_as_the_engine_can(spoil):
    np.testing.assert_array_equal(enlarged(Precise(spoil)), enlarged(Bicubic()))


@pytest.mark.parametrize("error", [MemoryError(), RunError("it cannot"), ValueError("no memory")])
def test_an_engine_that_fails_is_given_less_at_once(error):
    def too_large(sr, lr):
        if lr[0, 0].size > 300:
            raise error
        return sr

    np.testing.assert_array_equal(enlarged(Bicubic(too_large)), enlarged(Bicubic()))
    with pytest.raises(RunError, match="of the picture came out of the network not at all"):
        enlarged(Bicubic(lambda sr, _: too_large(sr, np.zeros((1, 1, 30, 30)))))


def test_a_network_that_looks_at_the_whole_is_not_given_halves():
    engine = Bicubic(nan_at_a_place, reach=None)
    with pytest.raises(RunError, match=r"Rows 0 to 70, columns 0 to 40 .* not finite"):
        enlarged(engine, how=Enlargement())
    assert engine.sides == [(70, 40)] * 2


def test_wrong_input_is_not_tried_again():
    def refuse(sr, lr):
        raise InputError("no")

    engine = Bicubic(refuse)
    with pytest.raises(InputError, match="no"):
        enlarged(engine)
    assert len(engine.sides) == 1


def test_an_engine_that_gives_another_size_is_refused():
    with pytest.raises(RunError, match=r"gave an array of \(1, 3, 34, 34\) instead of"):
        enlarged(Bicubic(lambda _, lr: lr))


@pytest.mark.parametrize("value", [0, 7, 128, 255])
def test_a_picture_of_one_colour_may_become_one(value):
    assert (enlarged(Bicubic(), np.full((9, 9, 3), value, dtype=np.uint8)) == value).all()


def test_a_dark_picture_with_one_spot_is_no_fault():
    pixels = np.zeros((40, 40, 3), dtype=np.uint8)
    pixels[3, 3] = 255
    assert enlarged(Bicubic(), pixels).max() > 150


def test_bad_networks_have_scores_too_but_not_what_is_not_finite():
    pixels = noise(9, 9, 3)
    black = as_rgb_function(Bicubic(WRONG["black"]))
    assert not black(pixels).any()
    with pytest.raises(RunError, match="numbers that are not finite"):
        as_rgb_function(Bicubic(nan_at_a_place))(pixels)


def test_faults_by_hand():
    lr = np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 3, 4, 4)
    sr = np.repeat(np.repeat(lr, 2, axis=2), 2, axis=3)
    assert fault_in(lr, sr) is None
    assert fault_in(lr, sr / 2) is None
    assert fault_in(lr * 0 + 0.5, sr * 0) is not None
    assert fault_in(lr * 0, sr * 0) is None
