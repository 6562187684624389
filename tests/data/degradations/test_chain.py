"""A chain carried out: what is drawn, in which order, and what comes of it."""

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.degradations.chains import CHAINS

from acutance.data.degradations.chain import Drawn, degrade, drawn, passes
from acutance.data.degradations.expression import parse_degradation
from acutance.data.procedural import procedural_picture
from acutance.errors import InputError
from acutance.imaging.files import read_picture
from acutance.imaging.resample import downscale

HR = procedural_picture(3, 0, height=48, width=72)


def degraded(text: str, hr: np.ndarray = HR, scale: int = 2, seed: int = 0) -> np.ndarray:
    return degrade(hr, parse_degradation(text), scale=scale, draw=np.random.default_rng(seed))


def draws(text: str, times: int) -> list[list[Drawn]]:
    generator = np.random.default_rng(7)
    chain = parse_degradation(text)
    return [drawn(chain, generator) for _ in range(times)]


def assert_frequency(count: int, times: int, chance: float) -> None:
    """Within 4 standard deviations of the binomial: one in 16,000 seeds would fail."""
    assert abs(count - times * chance) < 4 * math.sqrt(times * chance * (1 - chance))


@settings(max_examples=15, deadline=None)
@given(CHAINS, st.sampled_from([(1, 8, 12), (2, 16, 12), (3, 12, 18)]), st.booleans())
def test_any_chain_gives_lr_of_its_size_and_again_the_same(chain, sizes, grey):
    scale, height, width = sizes
    hr = HR[:height, :width, : 1 if grey else 3]
    one, two = (degrade(hr, chain, scale=scale, draw=np.random.default_rng(5)) for _ in range(2))
    assert one.shape == (height // scale, width // scale, hr.shape[2])
    assert one.dtype == (np.uint8 if chain.rounded else np.float32)
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("text", ["reduce", "none"])
def test_plain_reduction_is_matlabs_to_the_bit(text, scale):
    np.testing.assert_array_equal(degraded(text, scale=scale), downscale(HR, scale))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_plain_reduction_remakes_a_published_small_picture(acutance_data: Path, scale):
    hr = read_picture(acutance_data / "Set5" / "HR" / "bird.png").pixels
    published = acutance_data / "Set5" / "LR_bicubic" / f"X{scale}" / f"birdx{scale}.png"
    made = degraded("reduce", hr[: hr.shape[0] // scale * scale, : hr.shape[1] // scale * scale],
                    scale)  # fmt: skip
    np.testing.assert_array_equal(made, read_picture(published).pixels)


def test_unrounded_keeps_what_rounding_would_clip_and_round():
    exact = degraded("sinc(cutoff=1) | unrounded")
    assert exact.dtype == np.float32
    assert exact.min() < 0
    assert (exact % 1 != 0).any()
    rounded = np.floor(np.clip(exact, 0, 255) + np.float32(0.5)).astype(np.uint8)
    np.testing.assert_array_equal(degraded("sinc(cutoff=1)"), rounded)
    np.testing.assert_array_equal(degraded("reduce | unrounded"), downscale(HR, 2))  # bytes stay


def test_at_scale_one_nothing_is_reduced():
    np.testing.assert_array_equal(degraded("none", scale=1), HR)
    assert degraded("blur(sigma=2) | resize(factor=0.5)", scale=1).shape == HR.shape


def test_stages_are_carried_out_in_their_order():
    text = "resize(factor=0.5, kernel='nearest')", "blur(sigma=2)"
    first, second = degraded(" | ".join(text)), degraded(" | ".join(text[::-1]))
    assert np.abs(first.astype(int) - second).max() > 5
    seen = passes(HR, parse_degradation(" | ".join(text)), scale=2, draw=np.random.default_rng(0))
    steps, pictures = zip(*seen, strict=True)
    assert [step and step.name for step in steps] == ["resize", "blur", None]
    np.testing.assert_array_equal(pictures[0], HR[1::2, 1::2])
    np.testing.assert_array_equal(pictures[2], first)


def test_a_stage_happens_as_often_as_p_says():
    counts = [len(found) for found in draws("reduce(p=0.3)", 2000)]
    assert_frequency(sum(counts), 2000, 0.3)
    assert not any(draws("blur(p=0) | shuffle(sinc, reduce, p=0)", 200))
    assert all(len(found) == 3 for found in draws("blur | shuffle(sinc, reduce, p=1)", 200))
    both = [len(found) for found in draws("shuffle(blur, sinc, p=0.3)", 2000)]
    assert set(both) == {0, 2}
    assert_frequency(both.count(2), 2000, 0.3)


def test_either_is_drawn_by_its_odds():
    found = draws("either(0.7*blur, 0.2*sinc | reduce, 0.1*none)", 3000)
    counts = Counter(tuple(one.name for one in steps) for steps in found)
    assert set(counts) == {("blur",), ("sinc", "reduce"), ()}
    for names, chance in ((("blur",), 0.7), (("sinc", "reduce"), 0.2), ((), 0.1)):
        assert_frequency(counts[names], 3000, chance)
    assert {steps[0].name for steps in draws("either(0*blur, 1*sinc, 0*reduce)", 300)} == {"sinc"}


def test_shuffle_gives_every_order_alike():
    found = draws("shuffle(blur, sinc | motion, reduce)", 1200)
    counts = Counter(tuple(one.name for one in steps) for steps in found)
    parts = (("blur",), ("sinc", "motion"), ("reduce",))
    orders = {tuple(itertools.chain(*order)) for order in itertools.permutations(parts)}
    assert set(counts) == orders
    for count in counts.values():
        assert_frequency(count, 1200, 1 / 6)


def drawn_values(text: str, option: str, times: int) -> list[float]:
    return [float(steps[0].options[option]) for steps in draws(text, times)]


def test_a_range_is_drawn_evenly():
    found = drawn_values("blur(sigma=(1, 5))", "sigma", 2000)
    assert 1 <= min(found) < 1.02
    assert 4.98 < max(found) <= 5
    assert_frequency(sum(value < 2 for value in found), 2000, 0.25)


def test_a_log_range_is_drawn_evenly_in_the_logarithm():
    found = drawn_values("blur(sigma=log(0.1, 10))", "sigma", 2000)
    assert 0.1 <= min(found) < max(found) <= 10
    assert_frequency(sum(value < 1 for value in found), 2000, 0.5)
    assert_frequency(sum(value < 10**-0.5 for value in found), 2000, 0.25)


def test_a_range_of_whole_numbers_has_both_its_ends():
    counts = Counter(drawn_values("blur(size=(7, 9))", "size", 1200))
    assert set(counts) == {7, 8, 9}
    for count in counts.values():
        assert_frequency(count, 1200, 1 / 3)
    assert set(drawn_values("blur(size=log(1, 4))", "size", 300)) == {1, 2, 3, 4}
    assert all(isinstance(steps[0].options["size"], int) for steps in draws("blur(size=(7, 9))", 9))


def test_a_logarithm_does_not_leave_its_range():
    """exp(log(3)) is 3.0000000000000004."""
    assert set(drawn_values("blur(sigma=log(3, 3))", "sigma", 5)) == {3.0}


@pytest.mark.parametrize("law", ["log", "square", "inverse"])
def test_a_range_from_next_to_nothing_stays_within_itself(law):
    found = drawn_values(f"blur(sigma={law}(1e-310, 1))", "sigma", 50)
    assert all(1e-310 <= value <= 1 for value in found)


def test_a_list_is_drawn_evenly():
    counts = Counter(drawn_values("blur(sigma=[1, 2, 4])", "sigma", 1200))
    assert set(counts) == {1, 2, 4}
    for count in counts.values():
        assert_frequency(count, 1200, 1 / 3)


def test_what_is_not_written_has_its_default():
    ((step,),) = draws("blur(sigma=2)", 1)
    defaults = {"across": 0.0, "angle": 0.0, "beta": 1.0, "form": "gaussian", "size": 21}
    assert step.options == {"sigma": 2, **defaults}


def test_a_stage_left_out_changes_no_other_number():
    text = "blur(sigma=(1, 5), p={}) | shuffle(sinc(cutoff=(1, 2)), motion(angle=(0, 90)), p={})"
    text += " | defocus(radius=(1, 9))"
    all_of_it = draws(text.format(1, 1), 40)
    for some, every in zip(draws(text.format(0.5, 0.5), 40), all_of_it, strict=True):
        assert [step for step in every if step in some] == some
    assert draws(text.format(0, 0), 40) == [steps[-1:] for steps in all_of_it]


def test_a_drawn_stage_is_shown_as_it_would_be_written():
    ((blur, reduce),) = draws("blur(sigma=1.23456, size=101) | reduce", 1)
    assert str(blur) == "blur(sigma=1.23, across=0, angle=0, beta=1, form=gaussian, size=101)"
    assert str(reduce) == "reduce(kernel=bicubic)"


@pytest.mark.parametrize(
    ("hr", "scale", "said"),
    [
        (HR.astype(np.float32), 2, "uint8 (H, W, 1 or 3), not float32 (48, 72, 3)."),
        (HR[:, :, 0], 2, "uint8 (H, W, 1 or 3), not uint8 (48, 72)."),
        (HR[:, :, :2], 2, "uint8 (H, W, 1 or 3), not uint8 (48, 72, 2)."),
        (HR, 5, "A picture of 72x48 is not a multiple of 5."),
        (HR[:0], 2, "A picture of 72x0 is not a multiple of 2."),
    ],
)
def test_a_picture_that_cannot_be_degraded_is_refused(hr, scale, said):
    with pytest.raises(InputError) as caught:
        degraded("reduce", hr, scale)
    assert str(caught.value).endswith(said)
