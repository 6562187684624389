"""Batch norm in a run: its statistics are kept with the weights, and a run resumes with them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import InputError
from acutance.models.checkpoint import load_model
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.setup import build_job
from acutance.training.snapshots import load_snapshot, save_snapshot
from acutance.training.update import update

NORMED = {
    "network__name": "srresnet:tiny",
    "network__color": "rgb",
    "network__arguments": {"norm": "batch", "blocks": 1},
    "optim__rate": 1e-2,
}


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 100, **NORMED, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


def go_on(job, count: int) -> None:
    for _ in range(count):
        update(job, job.batch(job.progress.step))
        job.progress.step += 1


def state_of(job) -> dict[str, torch.Tensor]:
    parts = {"network": job.bare, "smooth": job.work.smooth}
    return {f"{p}.{name}": t for p, m in parts.items() for name, t in m.state_dict().items()}


def test_the_smooth_weights_have_the_statistics_of_the_network(job_of):
    job = job_of()
    go_on(job, 3)
    network, smooth = job.bare.state_dict(), job.work.smooth.state_dict()
    learned = [name for name in network if name.rpartition(".")[2].startswith(("running", "num_"))]
    assert len(learned) == 9  # mean, variance and counter of three norms
    assert all(torch.equal(network[name], smooth[name]) for name in learned)
    assert int(smooth["body.0.body.1.num_batches_tracked"]) == 3
    assert smooth["body.0.body.1.running_mean"].abs().max() > 0
    kernels = [n for n in network if n not in learned and network[n].ndim == 4]
    assert not any(torch.equal(network[name], smooth[name]) for name in kernels)


def test_a_snapshot_brings_everything_back_to_the_bit(job_of, tmp_path):
    """Six steps at once, and three, a snapshot, a new job, three more."""
    whole, broken = job_of(), job_of()
    go_on(whole, 6)
    go_on(broken, 3)
    path = save_snapshot(tmp_path, broken.state)
    resumed = job_of()
    load_snapshot(path, resumed.state)
    assert resumed.progress.step == 3
    go_on(resumed, 3)
    expected, found = state_of(whole), state_of(resumed)
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_the_model_file_has_the_statistics_of_the_last_step(small_recipe, tmp_path):
    outcome = train(small_recipe(stop__steps=10, **NORMED), tmp_path / "a", Silent())
    last = load_file(tmp_path / "a" / "state" / "step-00000010.safetensors")
    saved = load_model(outcome.model).state_dict()
    learned = [name for name in saved if name.rpartition(".")[2].startswith(("running", "num_"))]
    assert len(learned) == 9
    assert all(torch.equal(saved[name], last[f"network.{name}"]) for name in learned)
    assert int(saved["body.0.body.1.num_batches_tracked"]) == 10


def test_an_average_that_the_statistics_do_not_belong_to_is_refused(job_of):
    with pytest.raises(InputError) as error:
        job_of(optim__name="schedule_free")
    assert str(error.value) == (
        "optim.name = 'schedule_free' does not fit a network with batch norm, whose statistics are "
        "not those of the weights that it saves. Choose 'adam', or the constant norm = 'none'."
    )
