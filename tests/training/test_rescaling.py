"""F and the network that enlarges learn together: what is compared, kept, scored and left."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import equal

from acutance.errors import InputError
from acutance.imaging.resample import downscale
from acutance.metrics.psnr import psnr_luma_uint8
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model
from acutance.models.rescaling import load_shrinker
from acutance.models.shrinker import PACE
from acutance.training import dry_run
from acutance.training.display import Silent
from acutance.training.loop import stages, train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.record import read_log
from acutance.training.setup import build_job
from acutance.training.step import as_pictures
from acutance.training.update import update
from acutance.training.validation import validate

SMALL = {
    "network__name": "compact:nano",
    "network__color": "luma",
    "network__shrink": "tiny",
    "loss__expression": "l1 + 0.5*mse(on='small')",
    "data__patch": 16,
    "data__batch": 2,
}


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 4, **SMALL, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


def test_the_small_picture_is_compared_with_the_given_lr(job_of):
    """By hand: the mean squared difference of what F makes, rounded, and the batch's lr."""
    job = job_of()
    batch = job.batch(0)
    hr, lr = (as_pictures(torch.from_numpy(side), luma=True) for side in (batch.hr, batch.lr))
    with torch.no_grad():
        small = job.bare(hr)["small"]
        bare = job.bare.shrinker(hr)
    assert equal(small, (bare.clamp(0, 1) * 255).round() / 255)
    values = update(job, batch).values
    wanted = (small.double() - lr.double()).square().mean()
    assert float(values[1]) == pytest.approx(float(wanted), rel=1e-4)


def test_the_network_begins_as_it_would_without(job_of):
    alone, pair = job_of(network__shrink="", loss__expression="l1").bare, job_of().bare.generator
    others = pair.state_dict()
    assert all(equal(tensor, others[name]) for name, tensor in alone.state_dict().items())


def test_both_move_and_both_are_smoothed(job_of):
    job = job_of(optim__ema=0.5)
    before = {name: p.clone() for name, p in job.bare.named_parameters()}
    for step in range(3):  # F's first layers learn from the second step on: its last begins at 0
        job.progress.step = step
        update(job, job.batch(step))
    assert all(not equal(before[name], p) for name, p in job.bare.named_parameters())
    smooth = dict(job.work.smooth.named_parameters())
    last = "shrinker.body.6.weight"
    assert 0 < smooth[last].abs().max() < job.bare.get_parameter(last).abs().max()


@pytest.mark.parametrize(
    "settings",
    [
        {"network__color": "rgb"},
        {"network__scale": 3, "data__patch": 24},
        {"optim__accumulate": 2, "optim__clip": 1.0},
        {"optim__name": "schedule_free"},
        {"loss__expression": "l1 + 0.1*ema_consistency"},
        {"loss__expression": "80% l1 + 20% l1(on='small')"},
        {"loss__expression": "l1 + mse(on='lr')"},
        {"network__name": "lapsrn:tiny"},
        {"data__make_lr": "each"},
    ],
    ids=str,
)
def test_a_learned_f_goes_with(job_of, settings):
    job = job_of(**settings)
    update(job, job.batch(0))
    assert job.look() is None
    assert job.bare.shrinker.body[-1].weight.grad.abs().sum() > 0


REFUSED = [
    ({"data__lr": ["a"]}, r"does not go with data\.lr"),
    ({"data__degrade": "jpeg(quality=50)"}, r"does not go with data\.degrade"),
    ({"data__levels": "joint"}, r"does not go with data\.levels = 'joint'"),
    ({"network__head": "spread"}, "does not go with the head 'spread'"),
    ({"loss__teacher": "nano-x2"}, "does not go with a teacher"),
    ({"network__scale": 1}, r"does not go with network\.scale = 1"),
    ({"network__shrink": "tinny"}, "no learned F 'tinny'"),
    ({"network__shrink": ""}, r"is on 'small'.* Train with network.shrink='tiny'"),
    ({"loss__expression": "l1 + ssim(on='small')"}, "lr of the training patch has 8. Use --patch"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=lambda v: str(v)[:30])
def test_what_does_not_go_with_a_learned_f_is_refused(job_of, settings, message):
    with pytest.raises(InputError, match=message):
        job_of(**settings)


def test_it_is_scored_on_what_files_would_hold(job_of):
    job = job_of()
    job.bare.shrinker.body[-1].bias.data += (
        0.02 / PACE
    )  # F makes all of it lighter, by 5 levels of Y
    found = validate(job.bare.eval(), job.card({}), job.pictures.pairs)
    near = [psnr_luma_uint8(np.clip(p.lr + 6, 0, 255), p.lr) for p in job.pictures.pairs]
    assert found.small_psnr == pytest.approx(np.mean(near), abs=0.7)
    alone = validate(job.bare.generator, job.card({}), job.pictures.pairs)
    assert alone.small_psnr is None
    assert found.psnr < alone.psnr


def test_a_run_leaves_both_halves_and_goes_on_bit_for_bit(small_recipe, tmp_path):
    settings = {**SMALL, "stop__steps": 8, "log__score_every": 4, "log__samples": 0}
    recipe = small_recipe(**settings)
    pictures = gather(recipe, tmp_path, Silent())
    outcome = train(recipe, tmp_path / "whole", Silent(), pictures=pictures)
    halted = stages(recipe, tmp_path / "halted", Silent(), stops=[3], pictures=pictures)
    next(halted)
    halted.close()
    train(recipe, tmp_path / "halted", Silent(), pictures=pictures)
    for file in ("model.safetensors", "shrink.safetensors", "state/step-00000008.safetensors"):
        one, other = (load_file(tmp_path / run / file) for run in ("whole", "halted"))
        assert one.keys() == other.keys()
        assert [key for key in one if not equal(one[key], other[key])] == []

    card = load_shrinker(tmp_path / "whole")[1]
    assert read_card(outcome.model).shrunk_by == card.weights
    assert read_card(tmp_path / "whole" / "model.onnx").shrunk_by == card.weights
    assert (card.steps, card.name) == (8, "shrinker_compact-nano_x2")
    assert load_model(outcome.model).reach == 8
    scores = json.loads((tmp_path / "whole" / "scores.json").read_text())["validation"]
    events = [e for e in read_log(tmp_path / "whole") if e["event"] in ("score", "end")]
    assert [e["step"] for e in events] == [4, 8]
    assert events[-1]["small_psnr"] == pytest.approx(scores["small_psnr"], abs=1e-4)
    assert scores["small_psnr"] > 40  # after eight steps it is still near bicubic


def test_a_second_stage_goes_on_with_the_f_of_the_first(small_recipe, tmp_path):
    recipe = small_recipe(**{**SMALL, "stop__steps": 4, "first__loss": "l1", "log__samples": 0})
    train(recipe, tmp_path / "two", Silent())
    first, second = (
        load_file(p / "shrink.safetensors") for p in (tmp_path / "two/first", tmp_path / "two")
    )
    from_it = small_recipe(**SMALL, stop__steps=1, network__start=str(tmp_path / "two" / "first"))
    pictures = gather(from_it, tmp_path, Silent())
    plan = make_plan(from_it, pictures, began=0.0, display=Silent())
    begun = build_job(from_it, plan, pictures, tmp_path).bare.shrinker.state_dict()
    assert all(equal(first[name], tensor) for name, tensor in begun.items())
    assert not equal(first["body.6.weight"], second["body.6.weight"])
    other = small_recipe(
        **{**SMALL, "network__shrink": "small"}, network__start=str(tmp_path / "two")
    )
    with pytest.raises(InputError, match="has an F of another size"):
        build_job(other, plan, pictures, tmp_path)


def test_a_rehearsal_counts_both(small_recipe):
    both, alone = (
        dict(dry_run.rehearse(small_recipe(**{**SMALL, **more}, stop__steps=2), quiet=True))
        for more in ({}, {"network__shrink": "", "loss__expression": "l1"})
    )
    parameters = [int(told["parameters"].replace(",", "")) for told in (both, alone)]
    assert parameters[0] - parameters[1] == 4 * 24 * 9 + 2 * 24 * 24 * 9 + 24 * 9 + 3 * 24 + 1


def test_pairs_of_the_run_are_bicubic_s(job_of):
    pair = job_of().pictures.pairs[0]
    assert np.array_equal(pair.lr, downscale(pair.hr, 2))
