"""Runs that their scores alone stop: nothing of them may hang on a length that nobody knows."""

import time
from pathlib import Path

import pytest

from acutance.errors import InputError
from acutance.training.display import Silent
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.setup import build_job
from acutance.training.step import set_rate

ENDLESS = {"stop__until": "settled", "stop__steps": 0, "stop__minutes": 0.0}


@pytest.fixture
def planned(small_recipe, monkeypatch):
    """A recipe and its plan, without the trial of its pace and of the perceptual metric."""
    monkeypatch.setattr("acutance.training.trial.time_steps", lambda *_: 0.01)
    monkeypatch.setattr("acutance.training.plan.choose_perceptual", lambda *_: "")

    def make(**settings):
        recipe = small_recipe(**{**ENDLESS, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=time.monotonic(), display=Silent())
        return recipe, plan, build_job(recipe, plan, pictures, Path())

    return make


def rate_at(planned, step):
    recipe, plan, job = planned
    return set_rate(job.work, recipe.optim, plan, step, 1.0) / plan.rate


@pytest.mark.parametrize(("warmup", "steps"), [(0.03, 300), (0.1, 1000), (0.0, 1)])
def test_the_rate_has_risen_before_the_first_scores_are_judged(planned, warmup, steps):
    """The share is one of 10,000 steps, by hand, and not of the million that it may take."""
    found = planned(optim__warmup=warmup)
    assert rate_at(found, steps - 1) == 1.0
    assert rate_at(found, (steps - 1) // 2) == pytest.approx(max(1, steps // 2) / steps)
    assert rate_at(found, 900_000) == 1.0


def test_the_warm_up_of_a_run_with_a_length_is_a_share_of_it(planned):
    found = planned(stop__steps=200, optim__warmup=0.1)
    assert found[1].warmup_steps == 0
    assert (rate_at(found, 9), rate_at(found, 19)) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("mse(start=0.25)", "start=0.25"),
        ("mse(stop=0.5)", "stop=0.5"),
        ("mse(start=20, ramp=0.1)", "ramp=0.1"),
        ("0.01*gan(ahead=0.1, width=4, start=20)", "ahead=0.1"),
    ],
)
def test_a_moment_that_would_never_come_is_refused(planned, term, name):
    with pytest.raises(InputError) as error:
        planned(loss__expression=f"l1 + {term}")
    assert str(error.value) == (
        f"'{name}' of the term '{term}' is a share of the run, and with --until settled alone that "
        f"has no length. Write steps, as in {name.partition('=')[0]}=2000, or give the most that "
        "it may take: --steps or --minutes."
    )
    planned(loss__expression=f"l1 + {term}", stop__steps=200)


def test_moments_in_steps_need_no_length(planned):
    planned(loss__expression="l1(stop=500) + mse(start=500, ramp=20)")
