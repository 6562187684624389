"""An update is the mathematics that it says it is."""

import copy
from pathlib import Path

import pytest
import torch

from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.optimisers import full_rate
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.recipe import OptimChoice
from acutance.training.setup import build_job
from acutance.training.step import as_pictures, parts_of
from acutance.training.update import update


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 100, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


def gradients(job):
    return [p.grad.clone() for p in job.bare.parameters()]


@pytest.mark.parametrize("loss", ["l1", "0.7*l1 + 0.3*mse", "ssim"])
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_accumulation_equals_the_big_batch(job_of, loss, parts):
    """To 1e-6 of the largest entry; SSIM's variances are differences, which cost a digit."""
    tolerance = 1e-5 if loss == "ssim" else 1e-6
    whole = job_of(data__batch=8, loss__expression=loss)
    split = job_of(data__batch=8, loss__expression=loss, optim__accumulate=parts)
    batch = whole.batch(0)
    update(whole, batch)
    update(split, batch)
    for a, b in zip(gradients(whole), gradients(split), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=tolerance * float(a.abs().max()))


def test_the_gradient_is_that_of_the_plain_mean_loss(job_of):
    """By autograd over the whole graph at once, with torch's own losses."""
    job = job_of(loss__expression="0.7*l1 + 0.3*mse")
    twin, batch = copy.deepcopy(job.bare), job.batch(0)
    lr = as_pictures(torch.from_numpy(batch.lr), luma=True)
    hr = as_pictures(torch.from_numpy(batch.hr), luma=True)
    sr = twin(lr)
    loss = 0.7 * torch.nn.functional.l1_loss(sr, hr) + 0.3 * torch.nn.functional.mse_loss(sr, hr)
    loss.backward()
    update(job, batch)
    for mine, plain in zip(gradients(job), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, plain.grad, rtol=1e-4, atol=1e-7)


def test_parts_cover_the_batch_in_order(job_of):
    batch = job_of(data__batch=7).batch(3)
    parts = list(parts_of(batch, 7, pieces=3, part=(0, 1)))
    assert [part.first for part in parts] == [0, 2, 5]
    joined = [number for part in parts for number in part.batch.pictures]
    assert joined == list(batch.pictures)


def test_luma_is_the_studio_range_of_bt601():
    """White is 235/255, black 16/255 (Poynton; MATLAB's rgb2ycbcr)."""
    pixels = torch.tensor([[[[0, 0, 0], [255, 255, 255]]]], dtype=torch.uint8)
    assert as_pictures(pixels, luma=True).flatten().tolist() == pytest.approx([16 / 255, 235 / 255])


def test_plain_gradient_descent_looks_at_every_patch_of_the_whole_set(job_of):
    """One step of gd is the gradient of the mean over the grid, whatever the chunks."""
    job = job_of(optim__name="gd", optim__rate=0.1)
    twin = copy.deepcopy(job.bare)
    update(job, job.batch(0))
    grid = job.grid.grid_batch(0, job.grid.grid_count)
    lr = as_pictures(torch.from_numpy(grid.lr), luma=True)
    hr = as_pictures(torch.from_numpy(grid.hr), luma=True)
    torch.nn.functional.l1_loss(twin(lr), hr).backward()
    for mine, plain in zip(gradients(job), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, plain.grad, rtol=1e-3, atol=1e-6)
    for mine, plain in zip(job.bare.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(
            mine, plain - 0.1 * job_rate(job) * plain.grad, atol=1e-6, rtol=0
        )


def job_rate(job):
    """Warm-up: the first step has a share of the full rate."""
    return job.work.optimiser.param_groups[0]["lr"] / 0.1


def test_a_preset_may_have_a_rate_of_its_own():
    """In 120 steps edsr:tiny came 4.6 dB further at 1e-3 than at 2e-4."""
    names = ["edsr", "edsr:baseline", "edsr:tiny", "compact:tiny", "imdn"]
    rates = [full_rate(OptimChoice(), name) for name in names]
    assert rates == [2e-4, 2e-4, 1e-3, 2e-3, 5e-4]


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "gd", "schedule_free"])
def test_every_optimiser_lowers_the_loss(name, small_recipe, tmp_path):
    from acutance.training.record import read_log

    recipe = small_recipe(stop__steps=60, optim__name=name, optim__warmup=0.0)
    train(recipe, tmp_path / "a", Silent())
    losses = [e["loss"] for e in read_log(tmp_path / "a") if e["event"] == "step"]
    assert losses[-1] < losses[0]


def test_starting_from_a_trained_model_takes_its_weights(small_recipe, tmp_path):
    first = train(small_recipe(stop__steps=20), tmp_path / "a", Silent())
    recipe = small_recipe(stop__steps=1, network__start=str(first.model), optim__rate=1e-12)
    second = train(recipe, tmp_path / "b", Silent())
    assert second.psnr == pytest.approx(first.psnr, abs=1e-4)


def test_starting_from_another_network_is_refused(small_recipe, tmp_path):
    from acutance.errors import InputError

    first = train(small_recipe(stop__steps=1), tmp_path / "a", Silent())
    recipe = small_recipe(stop__steps=1, network__start=str(first.model), network__name="espcn")
    with pytest.raises(InputError, match="Train the same network"):
        train(recipe, tmp_path / "b", Silent())


def test_a_run_stops_when_its_score_stands_still(small_recipe, tmp_path):
    recipe = small_recipe(
        stop__until="converged", stop__steps=2000, log__score_every=5, optim__rate=1e-9
    )
    outcome = train(recipe, tmp_path / "a", Silent())
    assert outcome.reason == "converged"
    assert outcome.steps == 40  # eight scores


def test_without_val_a_seeded_part_is_held_out(small_recipe, tmp_path):
    pictures = gather(small_recipe(), Path(), Silent())
    again = gather(small_recipe(), Path(), Silent())
    assert len(pictures.pairs) == 1
    assert len(pictures.pool.names) == 7
    assert pictures.pairs[0].name == again.pairs[0].name


def test_bf16_does_not_round_the_picture_that_the_network_is_given(job_of):
    """Fabric's own autocast would, by 0.2 of an 8-bit level on average."""
    job = job_of(machine__precision="bf16")
    seen = []
    job.bare.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    batch = job.batch(0)
    update(job, batch)
    given = as_pictures(torch.from_numpy(batch.lr), luma=True)
    assert seen[0].dtype == torch.float32
    assert torch.equal(seen[0], given)
