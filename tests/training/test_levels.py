"""Runs of networks that grow octave by octave: each level sees its own pictures, in turn."""

import copy
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import equal

from acutance.errors import InputError
from acutance.imaging.files import write_picture
from acutance.imaging.operators import resize
from acutance.imaging.picture import Picture
from acutance.imaging.resample import downscale
from acutance.models.card import read_card
from acutance.models.checkpoint import load_model
from acutance.training import dry_run
from acutance.training.display import Silent
from acutance.training.levels import Turns
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.setup import build_job
from acutance.training.snapshots import load_snapshot, newest_snapshot, save_snapshot
from acutance.training.step import as_pictures
from acutance.training.trial import time_steps
from acutance.training.update import update

SMALL = {
    "network__name": "progressive:tiny",
    "network__scale": 4,
    "network__arguments": {"features": 8, "convolutions": 1},
}


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 8, **SMALL, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


def step_at(job, level):
    """The first step for that level, taken."""
    step = next(k for k in range(job.plan.steps) if job.level_at(k) == level)
    job.progress.step = step
    return update(job, job.batch(step))


def without_gradient(job):
    return {n for n, p in job.bare.named_parameters() if p.grad is None}


@pytest.mark.parametrize("scales", [(2, 4), (2, 4, 8)], ids=len)
def test_levels_in_turn_come_equally_often_and_in_no_fixed_order(scales):
    turns, count = Turns(scales), len(scales)
    order = [turns.level_at(step, 0) for step in range(6000)]
    for begin in range(0, len(order), count):
        assert sorted(order[begin : begin + count]) == list(scales)
    for every in (2, 3, 4, 16):  # a term that counts every so often meets all levels alike
        met = Counter(order[::every])
        assert min(met.values()) > 0.95 * 6000 / every / count


def test_a_level_joins_at_each_stage():
    turns = Turns((2, 4, 8), grows=True)
    order = [turns.level_at(step, 360) for step in range(360)]
    stages = [Counter(order[k : k + 120]) for k in (0, 120, 240)]
    assert stages == [{2: 120}, {2: 60, 4: 60}, {2: 40, 4: 40, 8: 40}]
    assert turns.shares() == pytest.approx({2: 220 / 360, 4: 100 / 360, 8: 40 / 360})
    assert Turns((2, 4)).shares() == {2: 0.5, 4: 0.5}


def test_the_time_of_a_step_is_that_of_the_whole_run(monkeypatch):
    """x2 takes 1 s and x4 takes 5; growing, three quarters of all steps are for x2."""
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    order = Turns((2, 4))

    def run_step(step):
        clock[0] += {2: 1.0, 4: 5.0}[order.level_at(step, 0)]

    assert time_steps(run_step, order) == 3.0
    assert time_steps(run_step, Turns((2, 4), grows=True)) == 2.0


def test_each_level_sees_crops_that_were_reduced_by_its_own_scale(job_of):
    job = job_of(data__levels="joint", data__patch=32)
    levels = [job.level_at(step) for step in range(4)]
    assert sorted(levels) == [2, 2, 4, 4]
    for step, level in enumerate(levels):
        batch = job.batch(step)
        assert batch.lr.shape[1:3] == (8, 8)
        assert batch.hr.shape[1:3] == (8 * level, 8 * level)
        again = job.batch(step)
        assert np.array_equal(batch.lr, again.lr)
        assert np.array_equal(batch.hr, again.hr)
        inner = slice(2, -2)  # at the edge a crop does not know what is beside it
        reduced = np.stack([downscale(hr, level) for hr in batch.hr])
        near = np.abs(reduced.astype(int) - batch.lr)[:, inner, inner]
        assert near.max() <= 1  # rounded between rows and columns, before it was turned


def test_what_is_above_the_level_is_left_alone(job_of):
    job = job_of(data__levels="joint")
    before = copy.deepcopy(job.bare.state_dict())
    step_at(job, 2)
    above = {n for n, _ in job.bare.named_parameters() if n.startswith("levels.1.")}
    assert above
    assert without_gradient(job) == above
    after = job.bare.state_dict()
    assert {n for n in before if equal(before[n], after[n])} == above
    step_at(job, 4)
    assert without_gradient(job) == {"levels.0.exit.weight", "levels.0.exit.bias"}


def test_terms_look_at_each_level_and_are_idle_where_there_is_none(job_of):
    """By hand: mean |x2 - F(hr)| with F MATLAB's bicubic, as the loss has it."""
    job = job_of(loss__expression="l1 + l1(on=2)", data__levels="joint")
    assert step_at(job, 2).values[1] == 0
    step = next(k for k in range(8) if job.level_at(k) == 4)
    batch, twin = job.batch(step), copy.deepcopy(job.bare)
    values = step_at(job, 4).values
    lr = as_pictures(torch.from_numpy(batch.lr), luma=True)
    hr = torch.from_numpy(batch.hr).double().permute(0, 3, 1, 2) / 255
    plain = np.array([65.481, 128.553, 24.966]) / 255
    y = (hr * torch.from_numpy(plain)[:, None, None]).sum(dim=1, keepdim=True) + 16 / 255
    wanted = (twin(lr)["x2"].detach() - resize(y, size=(16, 16))).abs().mean()
    assert float(values[1]) == pytest.approx(float(wanted), rel=1e-4)


@pytest.mark.parametrize("name", ["lapsrn:tiny", "progressive:tiny"])
def test_a_loss_at_every_level_reaches_every_weight(job_of, name):
    job = job_of(network__name=name, network__arguments={}, loss__expression="l1 + l1(on=2)")
    update(job, job.batch(0))
    assert without_gradient(job) == set()


@pytest.mark.parametrize(
    "settings",
    [
        {"optim__accumulate": 2, "optim__clip": 1.0},
        {"optim__name": "schedule_free"},
        {"loss__expression": "l1 + 0.1*ema_consistency"},
        {"loss__expression": "80% l1 + 20% l1(on=2)"},
        {"loss__expression": "l1 + 0.01*gan(on=2, width=4)", "data__patch": 64},
    ],
    ids=str,
)
def test_levels_in_turn_go_with(job_of, settings):
    job = job_of(data__levels="joint", **settings)
    for level in (2, 4, 2):
        step_at(job, level)
        assert job.look() is None


REFUSED = [
    ({"network__name": "compact:nano", "network__arguments": {}}, "networks lapsrn, progressive"),
    ({"optim__name": "gd"}, "'gd', which looks at the whole set"),
    ({"network__head": "spread"}, "the head 'spread'"),
    ({"loss__teacher": "nano-x2"}, "a teacher"),
    ({"data__levels": "grow", "stop__until": "converged"}, "stages of a run must know its last"),
    ({"loss__expression": "ssim", "data__patch": 16}, "At the level x2, whose crops have 8 pixels"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=lambda v: str(v)[:30])
def test_what_cannot_take_turns_is_refused(job_of, settings, message):
    with pytest.raises(InputError, match=message):
        job_of(**{"data__levels": "joint", **settings})


def test_a_term_on_a_level_that_is_not_there_says_what_levels_are(job_of):
    with pytest.raises(InputError, match=r"is on 'x2'.* below its own scale; .* leave out on="):
        job_of(loss__expression="l1 + l1(on=2)", network__scale=2)


def test_a_picture_that_is_too_small_is_told_by_the_patch_that_was_asked_for(job_of, tmp_path):
    for name in ("a.png", "b.png"):
        write_picture(tmp_path / name, Picture(np.zeros((20, 20, 3), np.uint8), None))
    with pytest.raises(InputError, match="20x20, smaller than one 64x64 patch"):
        job_of(data__levels="joint", data__patch=64, data__photos=[str(tmp_path)])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("l1 + ssim(on=2)", "x2 of the training patch has 8. Use --patch 24 or more"),
        ("l1 + ssim(on='lr')", "the lr of the training patch has 4. Use --patch 44 or more"),
        ("l1 + 0.01*gan(on=2, width=4)", "x2 of the training patch has 8. Use --patch 32 or more"),
    ],
)
def test_crops_that_are_too_small_at_a_level_are_refused_before_the_run(job_of, loss, message):
    with pytest.raises(InputError, match=message):
        job_of(loss__expression=loss, data__patch=16)


def test_a_run_leaves_a_model_of_each_level_that_it_trained(small_recipe, tmp_path):
    recipe = small_recipe(**SMALL, data__levels="joint", stop__steps=6)
    outcome = train(recipe, tmp_path, Silent())
    top, low = load_model(outcome.model), load_model(tmp_path / "model-x2.safetensors")
    assert (top.card.levels, low.card.levels) == ((2,), ())
    assert (low.card.scale, low.card.name) == (2, "progressive-tiny_x2")
    lr = torch.rand(1, 1, 9, 7)
    with torch.inference_mode():
        assert equal(low(lr), top.train()(lr)["x2"])
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["levels"]["x2"] == low.card.scores["validation"]
    assert scores["levels"]["x2"]["psnr"] > scores["validation"]["psnr"]  # x2 is easier
    assert read_card(tmp_path / "model-x2.onnx") == low.card


def test_a_rehearsal_takes_a_step_at_each_level(small_recipe, monkeypatch):
    """x2 takes 0.1 s and x4 takes 0.5; growing, three quarters of the steps are for x2."""
    seen = []

    def one_step(job, step):
        seen.append(job.level_at(step))
        return {2: 0.1, 4: 0.5}[seen[-1]]

    monkeypatch.setattr(dry_run, "_one_step", one_step)
    recipe = small_recipe(**SMALL, data__levels="grow", stop__steps=6000)
    told = dict(dry_run.rehearse(recipe, quiet=True))
    assert sorted(seen) == [2, 2, 4, 4]
    assert told["time left to train"] == "20.0 min"  # 6000 x 0.2 s


def test_a_level_that_nobody_trained_is_not_left(small_recipe, tmp_path):
    outcome = train(small_recipe(**SMALL, stop__steps=1), tmp_path, Silent())
    assert read_card(outcome.model).levels == ()
    assert not (tmp_path / "model-x2.safetensors").exists()


def test_a_run_that_grows_is_taken_up_before_the_next_level_joins(job_of, tmp_path):
    """The optimiser knows nothing yet of the level above, and neither does the snapshot."""
    whole, first, second = (job_of(data__levels="grow", stop__steps=6) for _ in range(3))
    assert [whole.level_at(step) for step in range(3)] == [2, 2, 2]
    assert {whole.level_at(step) for step in range(3, 6)} == {2, 4}
    walk_to(whole, 6)
    walk_to(first, 3)
    load_snapshot(save_snapshot(tmp_path, first.state), second.state)
    walk_to(second, 6)
    for a, b in ((whole.bare, second.bare), (whole.work.smooth, second.work.smooth)):
        others = b.state_dict()
        assert all(equal(tensor, others[name]) for name, tensor in a.state_dict().items())


def walk_to(job, last):
    while job.progress.step < last:
        update(job, job.batch(job.progress.step))
        job.progress.step += 1


@pytest.mark.slow
def test_a_killed_run_that_grows_ends_as_one_that_was_not(small_recipe, killed_run, tmp_path):
    recipe = small_recipe(**SMALL, data__levels="grow", stop__steps=60)
    train(recipe, tmp_path / "whole", Silent())
    killed = killed_run(recipe, tmp_path / "broken", step=27)  # before x4 has joined
    assert killed.returncode == -9, killed.stderr
    assert newest_snapshot(tmp_path / "broken").name == "step-00000020.safetensors"
    train(recipe, tmp_path / "broken", Silent())
    for name in ("state/step-00000060.safetensors", "model.safetensors", "model-x2.safetensors"):
        whole, broken = load_file(tmp_path / "whole" / name), load_file(tmp_path / "broken" / name)
        assert whole.keys() == broken.keys()
        assert [key for key in whole if not equal(whole[key], broken[key])] == []
