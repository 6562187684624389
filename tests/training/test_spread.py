"""A run with the head "spread": trained by a likelihood, saved with it, and refused without."""

import json
from pathlib import Path

import pytest
import torch

from acutance.errors import InputError
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model
from acutance.study.score import evaluate
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.setup import build_job
from acutance.training.update import update

LOSS = "l1(stop=0.1) + gaussian_nll(start=0.1)"


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 10, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


def test_a_run_learns_where_it_errs(small_recipe, photo_folder, tmp_path):
    """After 300 steps the error bars hold most errors, and are wider where those are larger."""
    recipe = small_recipe(network__head="spread", loss__expression=LOSS, stop__steps=300)
    outcome = train(recipe, tmp_path / "a", Silent())
    for file in ("model.safetensors", "model.onnx"):
        card = read_card(tmp_path / "a" / file)
        assert (card.head, card.loss) == ("spread", LOSS)
    assert set(load_model(outcome.model)(torch.rand(1, 1, 8, 8))) == {"sr", "log_scale"}
    scores = evaluate(outcome.model, photo_folder)
    (name,) = scores.sets()
    assert 0.85 < scores.mean(name, "coverage") < 0.995
    assert 0.3 < scores.mean(name, "squared_z") < 3
    lines = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["event"] == "end"


def test_the_head_learns_from_the_likelihood_alone(job_of):
    """In the first tenth l1 trains the mean, and the head is left as it began."""
    job = job_of(network__head="spread", loss__expression="l1(stop=1) + gaussian_nll(start=1)")
    update(job, job.batch(0))
    assert job.bare.spread.weight.grad is None
    job.progress.step = 1
    update(job, job.batch(1))
    assert job.bare.spread.weight.grad.abs().max() > 0
    assert job.bare.network.body[0].weight.grad.abs().max() > 0


def test_beta_nll_moves_the_mean_like_mse(job_of):
    """At beta 1 half the gradient of mse at sr; the features also learn for the spread."""
    sure = job_of(network__head="spread", loss__expression="beta_nll(beta=1.0)")
    plain = job_of(loss__expression="0.5*mse")
    for job in (sure, plain):
        update(job, job.batch(0))
    mine, other = sure.bare.network.body[-1], plain.bare.body[-1]
    torch.testing.assert_close(mine.weight.grad, other.weight.grad, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("loss", ["gaussian_nll", "l1 + 0.1*laplace_nll", "beta_nll(start=0.5)"])
def test_a_likelihood_without_the_head_is_refused_before_step_1(job_of, loss):
    with pytest.raises(InputError, match=r"needs 'log_scale'.*Train with --head spread"):
        job_of(loss__expression=loss)


def test_a_head_that_no_term_looks_at_is_refused(job_of):
    with pytest.raises(InputError, match="no term of 'l1' looks at it"):
        job_of(network__head="spread")


def test_training_begins_from_a_model_without_the_head(small_recipe, job_of, tmp_path):
    plain = train(small_recipe(stop__steps=5), tmp_path / "a", Silent())
    job = job_of(
        network__head="spread", network__start=str(plain.model), loss__expression="gaussian_nll"
    )
    lr = torch.rand(1, 1, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(job.bare(lr)["sr"], load_model(plain.model)(lr))
