"""The chains of Real-ESRGAN and BSRGAN: what is drawn, and how often, as their authors have it."""

from collections import Counter

import numpy as np
import pytest

from acutance.data.degradations.chain import degrade, drawn
from acutance.data.degradations.expression import Chain, parse_degradation
from acutance.errors import InputError
from acutance.training.package_recipes import named_degradation

DRAWS = 1000
SIZES = tuple(range(7, 22, 2))


def chain_of(recipe: str) -> Chain:
    return parse_degradation(str(named_degradation(recipe)))


@pytest.fixture(scope="module")
def real_esrgan():
    chain = chain_of("real-esrgan")
    return [drawn(chain, np.random.default_rng(k)) for k in range(DRAWS)]


@pytest.fixture(scope="module")
def bsrgan():
    chain = chain_of("bsrgan")
    return [drawn(chain, np.random.default_rng(k)) for k in range(DRAWS)]


def near(count: int, share: float, of: int = DRAWS) -> bool:
    """Within four standard deviations of a binomial count: one false alarm in 16,000."""
    return abs(count - share * of) <= 4 * np.sqrt(of * share * (1 - share))


def test_first_blur_has_the_shares_of_real_esrgan(real_esrgan):
    first = [stages[0] for stages in real_esrgan]
    assert near(sum(stage.name == "sinc" for stage in first), 0.1)
    kinds = Counter(
        (stage.options["form"], stage.options["beta"] != 1, stage.options["across"] != 0)
        for stage in first
        if stage.name == "blur"
    )
    # kernel_prob of the training files, times 0.9; half of all plateaus have beta 1
    shares = {
        ("gaussian", False, False): 0.45,
        ("gaussian", False, True): 0.25,
        ("gaussian", True, False): 0.12,
        ("gaussian", True, True): 0.03,
        ("plateau", False, False): 0.06,
        ("plateau", True, False): 0.06,
        ("plateau", False, True): 0.015,
        ("plateau", True, True): 0.015,
    }
    assert set(kinds) == set(shares)
    assert all(near(kinds[kind], 0.9 * share) for kind, share in shares.items()), kinds
    sigmas = [stage.options["sigma"] for stage in first if stage.name == "blur"]
    assert 0.2 <= min(sigmas) < 0.25
    assert 2.95 < max(sigmas) <= 3
    assert {stage.options["size"] for stage in first} == set(SIZES)
    low = {size: [] for size in SIZES}
    for stage in first:
        if stage.name == "sinc":
            low[stage.options["size"]].append(stage.options["cutoff"])
    assert min(min(low[size]) for size in (7, 9, 11)) >= 1.0472  # pi / 3
    assert 0.6283 <= min(min(low[size]) for size in (13, 15, 17, 19, 21)) < 1  # pi / 5


def test_both_orders_of_the_last_jpeg_are_as_likely(real_esrgan):
    assert near(sum(stages[-1].name == "jpeg" for stages in real_esrgan), 0.5)
    for stages in real_esrgan[:200]:
        names = [stage.name for stage in stages]
        last = len(names) - 1 - names[::-1].index("resize")
        assert stages[last].options["of"] == "lr"
        assert stages[last].options["factor"] == 1
        assert names.count("jpeg") == 2
        assert names.count("noise") + names.count("poisson") == 2


def test_resizes_of_real_esrgan_go_up_and_down_as_often(real_esrgan):
    factors = [
        next((s.options["factor"] for s in stages if s.name == "resize"), 1.0)
        for stages in real_esrgan
        if stages[1].name == "resize"
    ]
    assert near(len(factors), 0.9)
    assert near(sum(factor > 1 for factor in factors), 0.2)
    assert min(factors) >= 0.15
    assert max(factors) <= 1.5
    assert all(
        stage.options["antialias"] == "no"
        for stages in real_esrgan[:50]
        for stage in stages
        if stage.name == "resize"
    )


def test_bsrgan_reduces_to_lr_after_the_other_reduction(bsrgan):
    places = Counter()
    for stages in bsrgan:
        marks = [
            k
            for k, stage in enumerate(stages)
            if stage.name == "reduce" or (stage.name == "resize" and stage.options["factor"] != 0.5)
        ]
        earlier, later = (stages[k] for k in marks)
        assert later.options["of"] == "lr"
        assert earlier.options.get("of", "picture") == "picture"
        places[marks[1] - marks[0]] += 1
    assert len(places) > 4  # others come between them, or not
    assert near(sum(s[0].name == "resize" and s[0].options["factor"] == 0.5 for s in bsrgan), 0.25)
    assert near(sum(any(x.name == "reduce" for x in s) for s in bsrgan), 0.25)
    assert near(sum(any(x.name == "sensor" for x in s) for s in bsrgan), 0.25)
    assert near(sum(sum(x.name == "jpeg" for x in s) == 2 for s in bsrgan), 0.9)
    assert all(s[-1].name == "jpeg" for s in bsrgan)


def test_variances_of_bsrgan_are_even(bsrgan):
    """Of anisotropic kernels at x4 they are from 0 to 8, so that the mean is 4."""
    found = [
        s.options["sigma"] ** 2
        for stages in bsrgan
        if stages[0].name != "resize" or stages[0].options["factor"] != 0.5
        for s in stages
        if s.name == "blur" and s.options["across"] != 0
    ]
    assert len(found) > 500
    assert abs(np.mean(found) - 4) < 4 * 8 / np.sqrt(12 * len(found))
    assert max(found) <= 8.0001


@pytest.mark.parametrize("recipe", ["real-esrgan", "bsrgan"])
def test_a_chain_gives_lr_of_its_size_whatever_is_drawn(recipe):
    chain = chain_of(recipe)
    assert parse_degradation(str(chain)) == chain
    hr = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)
    for k in range(40):
        lr = degrade(hr, chain, scale=4, draw=np.random.default_rng(k))
        assert (lr.shape, lr.dtype) == ((9, 11, 3), np.uint8)


@pytest.mark.parametrize(
    ("law", "even"), [("log", np.log), ("square", np.square), ("inverse", np.reciprocal)]
)
def test_a_law_draws_evenly_what_it_names(law, even):
    chain = parse_degradation(f"blur(sigma={law}(0.5, 4))")
    values = [drawn(chain, np.random.default_rng(k))[0].options["sigma"] for k in range(400)]
    low, high = sorted((float(even(0.5)), float(even(4.0))))
    shares = (even(np.array(values)) - low) / (high - low)
    assert 0 <= shares.min() < 0.02
    assert 0.98 < shares.max() <= 1
    assert abs(shares.mean() - 0.5) < 4 / np.sqrt(12 * 400)


def test_an_order_within_a_shuffle_is_kept_and_all_others_occur():
    chain = parse_degradation(
        "shuffle(blur, jpeg(quality=1) > jpeg(quality=2) > jpeg(quality=3), none)"
    )
    assert str(chain) == (
        "shuffle(blur, jpeg(quality=1) > jpeg(quality=2) > jpeg(quality=3), none)"
    )
    orders = Counter()
    for k in range(200):
        stages = drawn(chain, np.random.default_rng(k))
        qualities = [s.options["quality"] for s in stages if s.name == "jpeg"]
        assert qualities == [1, 2, 3]
        orders[[s.name for s in stages].index("blur")] += 1
    assert set(orders) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blur(sigma=cube(1, 2))", "log(low, high), square(low, high), inverse(low, high)"),
        ("blur(sigma=inverse(0, 2))", "upward, from above 0, not 0 to 2"),
        ("blur(sigma=square(2, 1))", "upward, not 2 to 1"),
        ("blur(angle=square(-2, 1))", "upward"),
        ("blur > jpeg", "This is not a stage"),
        ("shuffle(blur < jpeg, noise)", "This is not a stage"),
        ("either(blur > jpeg, noise)", "This is not a stage"),
    ],
)
def test_what_no_chain_can_mean_is_refused(text, said):
    with pytest.raises(InputError) as caught:
        parse_degradation(text)
    assert said in str(caught.value)
