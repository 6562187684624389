"""Losses that look at other networks: the running average of the weights, and a teacher."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acutance import upscale
from acutance.errors import InputError
from acutance.imaging import operators
from acutance.models.checkpoint import load_model
from acutance.study.compare.question import make_study
from acutance.study.settings import run_recipe
from acutance.training.display import Silent
from acutance.training.guides import guided
from acutance.training.loop import prepare, train
from acutance.training.pictures import gather
from acutance.training.recipe import read_settings
from acutance.training.record import read_log
from acutance.training.update import update

AVERAGE = {"optim.ema": 0.9, "stop.steps": 6, "log.every": 1}


@pytest.fixture
def teacher(small_recipe, tmp_path):
    train(small_recipe(stop__steps=3), tmp_path / "teacher", Silent())
    return str(tmp_path / "teacher")


@pytest.fixture
def taught_recipe(teacher, small_recipe, tmp_path, monkeypatch):
    """The teacher is asked once, and its results are kept below tmp_path."""
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path / "cache"))
    loss = {"loss__expression": "output_distillation", "loss__teacher": teacher}
    return small_recipe(stop__steps=4, **loss, loss__teach="once")


@pytest.mark.parametrize("loss", ["l1 + 100*ldl_ema", "l1 + 0.1*ema_consistency"])
def test_the_running_average_is_looked_at(loss, small_recipe, tmp_path):
    run = tmp_path / "run"
    train(small_recipe(**AVERAGE, loss__expression=loss), run, Silent())
    steps = [e["terms"] for e in read_log(run) if e["event"] == "step"]
    values = [terms[loss.rpartition(" + ")[2]]["value"] for terms in steps]
    assert min(values[1:]) > 0
    # the average begins as the network itself; what is as good as it ldl holds for an artifact
    assert (values[0] == 0) == ("ema_consistency" in loss)


def test_the_average_is_that_of_the_weights_before_the_step(small_recipe, tmp_path):
    recipe = small_recipe(**AVERAGE, loss__expression="l1 + 0.1*ema_consistency")
    job = prepare(recipe, tmp_path / "run", Silent(), spent_s=0)
    for step in range(3):
        update(job, job.batch(step))
        job.progress.step += 1
    lr = torch.rand(2, 1, 16, 16)
    moment = _moment(job)
    found = guided(job.work.guides, job.work.objective, moment, lr)["sr_ema"]
    assert not found.requires_grad
    assert job.work.smooth is not None
    torch.testing.assert_close(found, job.work.smooth(lr), rtol=0, atol=0)
    assert not torch.equal(found, job.bare(lr))


def test_a_term_that_is_idle_asks_nobody(small_recipe, tmp_path):
    recipe = small_recipe(**AVERAGE, loss__expression="l1 + 0.1*ema_consistency(start=4)")
    job = prepare(recipe, tmp_path / "run", Silent(), spent_s=0)
    asked = guided(job.work.guides, job.work.objective, _moment(job), torch.rand(1, 1, 8, 8))
    assert asked == {}
    job.progress.step = 4
    asked = guided(job.work.guides, job.work.objective, _moment(job), torch.rand(1, 1, 8, 8))
    assert list(asked) == ["sr_ema"]


def _moment(job):
    from acutance.losses.objective import Moment

    return Moment(job.progress.step, job.plan.steps)


def test_a_run_does_not_go_on_with_another_teacher(teacher, small_recipe, killed_run, tmp_path):
    run = tmp_path / "run"
    recipe = small_recipe(
        stop__steps=60, loss__expression="l1 + output_distillation", loss__teacher=teacher
    )
    assert killed_run(recipe, run, step=30).returncode != 0
    train(small_recipe(stop__steps=4, seed=5), tmp_path / "other", Silent())
    model = Path(teacher) / "model.safetensors"
    kept = model.read_bytes()
    model.write_bytes((tmp_path / "other" / "model.safetensors").read_bytes())
    with pytest.raises(InputError, match=re.escape(f"The teacher {teacher} has changed")):
        train(recipe, run, Silent())
    model.write_bytes(kept)
    train(recipe, run, Silent())
    assert (run / "model.safetensors").is_file()


def test_models_of_a_config_file_are_relative_to_it(tmp_path):
    config = tmp_path / "my.toml"
    config.write_text('[loss]\nteacher = "big"\n[network]\nstart = "old/model.safetensors"\n')
    found = read_settings(config)
    assert found["loss.teacher"] == str(tmp_path / "big")
    assert found["network.start"] == str(tmp_path / "old" / "model.safetensors")


def test_a_teacher_is_learned_from(teacher, small_recipe, tmp_path):
    """By its results alone, the student comes nearer to the teacher than it began."""
    recipe = small_recipe(
        stop__steps=40, loss__expression="output_distillation", loss__teacher=teacher, seed=1,
        log__every=1,
    )  # fmt: skip
    train(recipe, tmp_path / "run", Silent())
    steps = [e for e in read_log(tmp_path / "run") if e["event"] == "step"]
    values = [next(iter(e["terms"].values()))["value"] for e in steps]
    assert values[-1] < 0.5 * values[0]


def test_a_teacher_of_colours_teaches_luma_on_grey_pictures(small_recipe, tmp_path):
    """Its guide is the luma of what it makes of the grey picture with that luma."""
    train(small_recipe(stop__steps=3, network__color="rgb"), tmp_path / "colours", Silent())
    path = str(tmp_path / "colours")
    recipe = small_recipe(
        stop__steps=3, loss__expression="l1 + output_distillation", loss__teacher=path
    )
    job = prepare(recipe, tmp_path / "student", Silent(), spent_s=0)
    grey = torch.rand(2, 1, 12, 12).expand(-1, 3, -1, -1)
    expected = operators.luma(load_model(path)(grey))
    found = job.work.guides["teacher"](operators.luma(grey))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    train(recipe, tmp_path / "student", Silent())


def test_a_teacher_is_asked_once_for_whole_pictures(teacher, taught_recipe, tmp_path, monkeypatch):
    """Crops are cut from what `acutance upscale` makes of lr, and a second run asks nobody."""
    recipe = taught_recipe
    job = prepare(recipe, tmp_path / "run", Silent(), spent_s=0)
    batch = job.batch(0)
    assert batch.taught is not None
    assert batch.taught.shape == batch.hr.shape
    assert "teacher" not in job.work.guides
    pool = job.pictures.pool
    expected = upscale(pool.lr[0], model=teacher)
    assert np.abs(pool.taught[0].astype(int) - expected).max() <= 1  # another way to cut, at most
    first = train(recipe, tmp_path / "run", Silent())
    monkeypatch.setattr("acutance.training.taught.load_model", None)
    again = train(recipe, tmp_path / "again", Silent())
    assert again.psnr == first.psnr


def test_a_teacher_is_of_the_arms_that_look_at_one(teacher, taught_recipe):
    plain = run_recipe(taught_recipe, "l1", steps=2, seed=1).loss
    assert (plain.expression, plain.teacher, plain.teach) == ("l1", "", "each")
    taught = run_recipe(
        taught_recipe, "masked(output_distillation, by='edges')", steps=2, seed=1
    ).loss
    assert (taught.teacher, taught.teach) == (teacher, "once")


def test_runs_that_share_pictures_pay_for_a_teacher_where_they_ask_it(taught_recipe, tmp_path):
    pictures = gather(taught_recipe, tmp_path / "run", Silent())
    assert pictures.pool.taught
    for loss, is_taught in (("l1", False), ("output_distillation", True)):
        recipe = run_recipe(taught_recipe, loss, steps=2, seed=1)
        job = prepare(recipe, tmp_path / loss, Silent(), spent_s=0, pictures=pictures)
        assert (job.batch(0).taught is not None) == is_taught


def test_a_teacher_whom_no_arm_asks_is_refused(teacher):
    asked = {"study.losses": ["l1", "mse"], "study.test": ["Set5"], "loss.teacher": teacher}
    with pytest.raises(InputError, match="No arm looks at the teacher"):
        make_study([("test", asked)])


def test_what_was_taught_lies_where_hr_does_and_is_what_is_learned(taught_recipe, tmp_path):
    """With hr itself in the teacher's place, the weights move as under l1, bit for bit."""
    pictures = gather(taught_recipe, tmp_path / "run", Silent())
    pool = replace(pictures.pool, taught=pictures.pool.hr)
    weights = []
    for loss in ("l1", "output_distillation"):
        recipe = run_recipe(taught_recipe, loss, steps=2, seed=1)
        given = replace(pictures, pool=pool)
        job = prepare(recipe, tmp_path / loss, Silent(), spent_s=0, pictures=given)
        update(job, job.batch(0))
        weights.append(job.bare.state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_spoilt_answer_of_the_teacher_is_made_again(taught_recipe, tmp_path):
    recipe = taught_recipe
    pictures = gather(recipe, tmp_path / "run", Silent())
    sound = pictures.pool.taught[0].copy()
    for file in (tmp_path / "cache" / "taught").rglob("*.npy"):
        file.write_bytes(file.read_bytes()[:100])
    again = gather(recipe, tmp_path / "run", Silent())
    assert np.array_equal(again.pool.taught[0], sound)


def test_a_teacher_is_left_as_it_was(teacher, small_recipe, tmp_path):
    before = load_model(teacher).state_dict()
    recipe = small_recipe(
        stop__steps=3, loss__expression="l1 + output_distillation", loss__teacher=teacher
    )
    job = prepare(recipe, tmp_path / "run", Silent(), spent_s=0)
    update(job, job.batch(0))
    lr = torch.rand(1, 1, 16, 16)
    expected = load_model(teacher)(lr)
    torch.testing.assert_close(job.work.guides["teacher"](lr), expected)
    after = load_model(teacher).state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss__expression": "l1 + ldl_ema", "optim__ema": 0.0}, "set optim.ema above 0"),
        (
            {"loss__expression": "l1 + ldl_ema", "optim__name": "schedule_free"},
            "set optim.ema above 0",
        ),
        ({"loss__expression": "output_distillation"}, "Train with --teacher MODEL"),
        ({"loss__expression": "l1 + attention_transfer"}, "to be given from Python"),
        ({"loss__expression": "l1", "loss__teacher": "{teacher}"}, "looks at the teacher"),
        (
            {"loss__teacher": "{teacher}", "network__scale": 3, "data__patch": 33},
            "has the scale 2, and the network to be trained 3",
        ),
        (
            {"loss__teacher": "{teacher}", "network__color": "rgb"},
            "has the number of channels 1, and the network to be trained 3",
        ),
        ({"loss__teacher": "nowhere"}, "nowhere"),
        (
            {"loss__teacher": "{teacher}", "loss__teach": "once", "network__scale": 4},
            "has the scale 2, and the network to be trained 4",
        ),
        ({"loss__teach": "once"}, "name one by --teacher"),
        (
            {"loss__teacher": "{teacher}", "loss__teach": "once", "data__make_lr": "each"},
            "does not go with data.make_lr",
        ),
    ],
)
def test_what_cannot_guide_is_refused_before_the_first_step(
    settings, message, teacher, small_recipe, tmp_path
):
    filled = {"loss__expression": "l1 + output_distillation", "stop__steps": 2, **settings}
    if filled.get("loss__teacher") == "{teacher}":
        filled["loss__teacher"] = teacher
    with pytest.raises(InputError, match=re.escape(message)):
        train(small_recipe(**filled), tmp_path / "run", Silent())
