"""The price of perception: LPIPS gained for each dB of PSNR given up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.evaluation.exchange import (
    Exchange,
    Standing,
    exchange_interval,
    exchange_rate,
    standing,
)
from acutance.evaluation.scoring import Score, Scores

DECIBELS = st.floats(15, 50)
DISTANCE = st.floats(0, 1)


def test_by_hand() -> None:
    reference = Standing(32.0, 0.20)
    assert exchange_rate(Standing(30.0, 0.10), reference).rate == pytest.approx(0.05)
    assert exchange_rate(Standing(31.5, 0.20), reference) == Exchange(0.0)


def test_who_loses_both_has_a_rate_below_zero() -> None:
    assert exchange_rate(Standing(30.0, 0.3), Standing(32.0, 0.2)).rate == pytest.approx(-0.05)


@pytest.mark.parametrize(
    ("psnr", "lpips", "reason"),
    [
        (32.0, 0.2, "no dB was paid: PSNR stayed, LPIPS stayed"),
        (32.0, 0.1, "no dB was paid: PSNR stayed, LPIPS fell"),
        (33.0, 0.1, "no dB was paid: PSNR rose, LPIPS fell"),
        (33.0, 0.3, "no dB was paid: PSNR rose, LPIPS rose"),
        (math.inf, 0.1, "a score is not finite"),
        (31.0, math.nan, "a score is not finite"),
    ],
)
def test_without_a_payment_there_is_no_price(psnr: float, lpips: float, reason: str) -> None:
    assert exchange_rate(Standing(psnr, lpips), Standing(32.0, 0.2)) == Exchange(None, reason)


@given(psnr=DECIBELS, paid=st.floats(0.01, 10), lpips=DISTANCE, gained=st.floats(-0.5, 0.5))
def test_what_was_paid_times_the_rate_is_what_was_gained(
    psnr: float, paid: float, lpips: float, gained: float
) -> None:
    found = exchange_rate(Standing(psnr - paid, lpips - gained), Standing(psnr, lpips))
    assert found.rate is not None
    assert found.rate * paid == pytest.approx(gained, abs=1e-9)
    assert found.reason == ""


@given(a=st.tuples(DECIBELS, DISTANCE), b=st.tuples(DECIBELS, DISTANCE))
def test_of_two_models_one_at_most_paid(a: tuple[float, float], b: tuple[float, float]) -> None:
    there, back = (exchange_rate(Standing(*x), Standing(*y)) for x, y in ((a, b), (b, a)))
    assert (there.rate is None) or (back.rate is None)
    assert (there.rate is None) == bool(there.reason)


def test_a_standing_is_read_from_scores() -> None:
    values = (("a", "psnr", 30.0), ("a", "lpips", 0.1), ("b", "psnr", 32.0), ("b", "lpips", 0.3))
    rows = tuple(Score("Set5", picture, metric, value, "y@1") for picture, metric, value in values)
    assert standing(Scores("m", 4, "y@1", rows), "Set5") == Standing(31.0, pytest.approx(0.2))


def scored(psnr, lpips) -> Scores:
    rows = [
        Score("B100", f"p{k}", metric, value, "y@1")
        for metric, values in {"psnr": psnr, "lpips": lpips}.items()
        for k, value in enumerate(values)
    ]
    return Scores("a", 4, "y@1", tuple(rows))


def test_the_interval_of_one_price_is_that_price() -> None:
    """Every picture pays twice as much as it gains, however hard it is."""
    hard = [25.0, 27.0, 31.0]
    reference = scored(hard, [0.3, 0.3, 0.3])
    paid = [0.1, 0.2, 0.4]
    model = scored([h - p for h, p in zip(hard, paid, strict=True)], [0.3 - p / 2 for p in paid])
    assert exchange_interval(model, reference, "B100") == pytest.approx((0.5, 0.5))


def test_the_interval_is_as_wide_as_pictures_differ() -> None:
    """Against the delta method on many pictures: of a ratio of means m / p with equal payments
    the error is that of m alone, sd / sqrt(n) / p."""
    generator = np.random.default_rng(0)
    gained = generator.normal(0.1, 0.02, 400)
    reference, model = scored([30.0] * 400, [0.5] * 400), scored([29.5] * 400, 0.5 - gained)
    found = exchange_interval(model, reference, "B100")
    assert found is not None
    half = 1.96 * gained.std() / 20 / 0.5
    middle = gained.mean() / 0.5
    assert found == pytest.approx((middle - half, middle + half), abs=0.1 * half)


def test_a_payment_that_other_pictures_may_not_make_has_no_interval() -> None:
    reference = scored([30.0, 30.0, 30.0], [0.3, 0.3, 0.3])
    assert exchange_interval(scored([30.2, 29.0, 29.0], [0.2] * 3), reference, "B100") is None


def test_prices_by_different_protocols_are_not_set_off() -> None:
    reference = scored([30.0, 30.0], [0.3, 0.3])
    with pytest.raises(InputError, match="x4 and b at x2"):
        exchange_interval(reference, Scores("b", 2, "y@1", reference.rows), "B100")
