"""Ranges and pools as they are typed, and the losses that come of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.study.tune.space import Knob, Space, pool_space, weight_space

LOSS = "l1 + w*fft"
FORM = "write it as LOW..HIGH or LOW..HIGH:log, such as 0.01..1:log."
ORDER = (
    "the lower end must be below the upper one, not negative, and above 0 where the range is "
    "logarithmic."
)


@pytest.mark.parametrize(
    ("text", "knob"),
    [
        ("0.01..1", Knob("w", 0.01, 1.0)),
        ("0.01..1:log", Knob("w", 0.01, 1.0, log=True)),
        ("0..2:linear", Knob("w", 0.0, 2.0)),
        (" 1e-4..1e2:log ", Knob("w", 1e-4, 100.0, log=True)),
        (".5..1.5", Knob("w", 0.5, 1.5)),
    ],
)
def test_a_range_is_read(text, knob):
    assert weight_space(LOSS, {"w": text}).knobs == (knob,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((text, FORM) for text in ("", "1", "1..", "..1", "a..b", "0.1-1", "1..2:cube")),
        *((text, FORM) for text in ("1..2:log:log", "nan..1", "0..inf", "1..2..3", "1..2:")),
        *((text, ORDER) for text in ("1..1", "2..1", "-1..1", "0..1:log", "-2..-1:log")),
    ],
)
def test_a_bad_range_is_refused(text, message):
    with pytest.raises(InputError) as caught:
        weight_space(LOSS, {"w": text})
    assert str(caught.value) == f"--range w={text}: {message}"


@pytest.mark.parametrize(
    ("loss", "ranges", "message"),
    [
        (LOSS, {}, "No range for w: give --range w=0.01..1:log."),
        ("a*l1 + b*fft", {}, "No range for a, b: give --range a=0.01..1:log."),
        (
            LOSS,
            {"w": "0..1", "v": "0..1"},
            "--range v: 'l1 + w*fft' has no such name. Known: w.",
        ),
        (
            "l1 + 0.1*fft",
            {"w": "0..1"},
            "'l1 + 0.1*fft' leaves nothing to look for. Put names where weights are sought, as in "
            "'l1 + w*fft', and give --range w=0.01..1:log.",
        ),
    ],
)
def test_names_and_ranges_must_agree(loss, ranges, message):
    with pytest.raises(InputError) as caught:
        weight_space(loss, ranges)
    assert str(caught.value) == message


def test_a_loss_that_cannot_be_read_names_the_option():
    with pytest.raises(InputError, match=r"^--loss 'l1 \+ w\*ffft': Unknown loss 'ffft'"):
        weight_space("l1 + w*ffft", {"w": "0..1"})


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["l1"], "A pool needs two terms or more: --terms l1,fft,ssim."),
        (["l1", "l1 + fft"], "--terms takes single losses, and 'l1 + fft' is a sum."),
        (["l1", "w*fft"], "--terms takes single losses, and 'w*fft' is a sum."),
        (["l1", "mse", "l1"], "--terms names l1 twice."),
        (["l1", "mae"], "--terms names l1 twice."),
    ],
)
def test_a_bad_pool_is_refused(terms, message):
    with pytest.raises(InputError) as caught:
        pool_space(terms)
    assert str(caught.value) == message


def test_an_unknown_term_is_named():
    with pytest.raises(InputError, match="Unknown loss 'sim'"):
        pool_space(["l1", "sim"])


@pytest.mark.parametrize(
    ("parts", "loss"),
    [
        ((1.0, 1.0, 1.0), "34% l1 + 33% mse + 33% ssim"),
        ((0.5, 0.25, 0.25), "50% l1 + 25% mse + 25% ssim"),
        ((1.0, 0.0, 1.0), "50% l1 + 50% ssim"),
        ((1.0, 0.019, 0.0), "l1"),  # less than 2 % is left out
        ((0.0, 0.0, 0.0), "34% l1 + 33% mse + 33% ssim"),
    ],
)
def test_parts_become_shares(parts, loss):
    space = pool_space(["l1", "mse", "ssim"])
    assert space.loss_at({f"share{k}": part for k, part in enumerate(parts)}) == loss


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_shares_sum_to_100_and_are_canonical(parts):
    space = pool_space(["l1", "mse", "fft", "ssim"])
    loss = space.loss_at({f"share{k}": part for k, part in enumerate(parts)})
    assert str(parse_loss(loss)) == loss
    shares = [int(share) for share in re.findall(r"(\d+)%", loss)]
    assert sum(shares) == 100 or shares == []
    assert all(share >= 1 for share in shares)


def test_a_weight_is_rounded_to_four_digits():
    space = weight_space(LOSS, {"w": "0.01..1:log"})
    assert space.loss_at({"w": 0.123456}) == "l1 + 0.1235*fft"
    assert space.loss_at({"w": 1.0}) == "l1 + fft"
    assert space.loss_at({"w": 1.23456e-5}) == str(parse_loss("l1 + 1.235e-5*fft"))


def test_two_names_keep_their_weights():
    space = weight_space("a*l1 + b*fft", {"b": "0..1", "a": "1..2"})
    assert [knob.name for knob in space.knobs] == ["a", "b"]
    assert space.loss_at({"a": 1.5, "b": 0.25}) == "1.5*l1 + 0.25*fft"


def test_a_knob_goes_from_end_to_end_evenly_or_in_its_logarithm():
    """By hand: the middle of 1..3 is 2; of 0.01..1 in the logarithm 0.1."""
    assert [Knob("w", 1.0, 3.0).at(share) for share in (0, 0.5, 1)] == [1.0, 2.0, 3.0]
    found = [Knob("w", 0.01, 1.0, log=True).at(share) for share in (0, 0.5, 1)]
    assert found == pytest.approx([0.01, 0.1, 1.0])


def test_a_space_is_a_value():
    assert weight_space(LOSS, {"w": "0..1"}) == Space((Knob("w", 0.0, 1.0),), loss=LOSS)
