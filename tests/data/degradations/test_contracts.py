"""What every stage owes a chain. A stage joins by its line in DEGRADATIONS; plug-ins too."""

import inspect
import math

import numpy as np
import pytest

from acutance.data.degradations import DEGRADATIONS
from acutance.data.degradations.contract import Aim, Constant, Option
from acutance.data.degradations.expression import stage_of
from acutance.errors import MissingPackageError

FILTERS = ("blur", "sinc", "motion", "defocus", "resize", "reduce")
SIZES = [(17, 23), (8, 8)]


@pytest.fixture(params=DEGRADATIONS.names())
def name(request):
    return request.param


def defaults(name: str) -> dict[str, Constant]:
    return {key: option.default for key, option in stage_of(name).options.items()}


def run(name: str, picture: np.ndarray, options: dict[str, Constant], seed: int = 5) -> np.ndarray:
    aim = Aim((picture.shape[0] // 2, picture.shape[1] // 2), np.random.default_rng(seed))
    try:
        return DEGRADATIONS.load(name)(picture, aim, **options)
    except MissingPackageError as error:
        pytest.skip(str(error))


def noise(size: tuple[int, int], channels: int, dtype: type) -> np.ndarray:
    """float32 goes beyond the range, as after a stage that overshoots."""
    generator = np.random.default_rng(size[0])
    if dtype == np.uint8:
        return generator.integers(0, 256, (*size, channels), dtype=np.uint8)
    return generator.uniform(-20, 280, (*size, channels)).astype(np.float32)


def assert_is_picture(made: np.ndarray, channels: int) -> None:
    assert made.dtype in (np.uint8, np.float32)
    assert made.ndim == 3
    assert made.shape[2] == channels
    assert min(made.shape) >= 1
    assert np.isfinite(made).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_gives_a_picture_again_the_same_and_leaves_its_own_alone(name, size, dtype, channels):
    picture = noise(size, channels, dtype)
    before = picture.copy()
    picture.flags.writeable = False
    made = run(name, picture, defaults(name))
    assert_is_picture(made, channels)
    np.testing.assert_array_equal(run(name, picture, defaults(name)), made)
    np.testing.assert_array_equal(picture, before)


def test_takes_a_window_of_a_larger_picture(name):
    """Rows that do not lie side by side in memory, as crops are."""
    whole = noise((20, 30), 3, np.uint8)
    window = whole[2:19, 4:27]
    made = run(name, window, defaults(name))
    np.testing.assert_array_equal(run(name, window.copy(), defaults(name)), made)


def extremes(option: Option) -> list[Constant]:
    if option.choices:
        return list(option.choices)
    return [int(end) if option.whole else end for end in (option.low, option.high)]


def test_options_at_their_extremes_do_not_fail(name):
    """Each by itself, and all that are numbers at their ends at once."""
    options = stage_of(name).options
    numbers = {key: extremes(option) for key, option in options.items() if not option.choices}
    cases = [{key: end} for key, option in options.items() for end in extremes(option)]
    cases += [{key: ends[place] for key, ends in numbers.items()} for place in (0, -1)]
    for changed in cases:
        made = run(name, noise((8, 8), 3, np.uint8), {**defaults(name), **changed})
        assert_is_picture(made, 3)


def test_any_options_within_the_limits_give_a_picture(name):
    generator = np.random.default_rng(11)
    for _ in range(4):
        drawn: dict[str, Constant] = {}
        for key, option in stage_of(name).options.items():
            if option.choices:
                drawn[key] = option.choices[int(generator.integers(len(option.choices)))]
            elif option.whole:
                drawn[key] = int(generator.integers(int(option.low), int(option.high) + 1))
            else:
                drawn[key] = float(generator.uniform(option.low, option.high))
        assert_is_picture(run(name, noise((8, 8), 3, np.float32), drawn), 3)


def test_says_what_it_does_and_its_function_takes_just_its_options(name):
    stage = stage_of(name)
    assert stage.text
    assert "\n" not in stage.text
    assert stage.source or not DEGRADATIONS.place(name).startswith("acutance.")
    picture, aim, *options = inspect.signature(DEGRADATIONS.load(name)).parameters.values()
    assert all(one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in options)
    assert [one.name for one in options] == list(stage.options)
    assert {picture.kind, aim.kind} == {picture.POSITIONAL_OR_KEYWORD}
    assert "p" not in stage.options  # the chance of any stage


def test_each_default_lies_within_its_limits(name):
    for key, option in stage_of(name).options.items():
        assert option.text, key
        if option.choices:
            assert option.default in option.choices, key
            continue
        assert isinstance(option.default, int | float), key
        assert option.low < option.high, key
        assert math.isfinite(option.low), key
        assert math.isfinite(option.high), key
        assert option.low <= option.default <= option.high, key
        if option.whole:
            assert all(n == int(n) for n in (option.low, option.default, option.high)), key


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_filter_keeps_a_constant_picture(name, dtype):
    """Whatever its options; to 1e-3 levels, as float32 sums go."""
    for size in SIZES:
        picture = np.full((*size, 3), 201, dtype=dtype)
        cases = [
            {key: end} for key, o in stage_of(name).options.items() for end in extremes(o)
        ]  # fmt: skip
        for changed in cases:
            made = run(name, picture, {**defaults(name), **changed})
            np.testing.assert_allclose(made, 201, rtol=0, atol=1e-3)
