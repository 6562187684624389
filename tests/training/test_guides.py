"""A loss may look to a second network: the running average of the weights, or a teacher."""

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.imaging import operators
from acutance.losses.objective import Combined
from acutance.models.checkpoint import load_model, save_model
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.record import read_log
from acutance.training.setup import build_job, build_network, make_card
from acutance.training.step import as_pictures
from acutance.training.update import update

EMA = "l1 + 0.1*ema_consistency"


@pytest.fixture
def job_of(small_recipe):
    def make(**settings):
        recipe = small_recipe(**{"stop__steps": 20, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, Path())

    return make


@pytest.fixture
def teacher_file(small_recipe, tmp_path):
    """Write a network whose weights were moved at random: unlike the student at its start."""

    def make(name="teacher", **settings):
        recipe = small_recipe(**{"network__name": "espcn", **settings})
        network = build_network(recipe.network, seed=1)
        with torch.no_grad():
            for weights in network.parameters():
                weights.add_(0.02 * torch.randn(weights.shape))
        path = tmp_path / f"{name}.safetensors"
        save_model(network, make_card(recipe, 0, {}), path)
        return path

    return make


def walk(job, steps):
    for _ in range(steps):
        update(job, job.batch(job.progress.step))
        job.progress.step += 1


def shown(job):
    """What each later micro-batch shows to the terms, as (outputs, extras)."""
    seen, whole = [], job.work.objective.combine

    def spy(outputs, hr, moment, *, extras, with_cosines) -> Combined:
        seen.append((outputs, extras))
        return whole(outputs, hr, moment, extras=extras, with_cosines=with_cosines)

    job.work.objective.combine = spy
    return seen


def forwards(network):
    """A list that grows by one with every forward pass of `network`."""
    count = []
    network.register_forward_pre_hook(lambda *_: count.append(1))
    return count


def lr_of(job, step, *, luma):
    return as_pictures(torch.from_numpy(job.batch(step).lr), luma=luma)


def refusal(make, **settings):
    with pytest.raises(InputError) as caught:
        make(**settings)
    return str(caught.value)


@pytest.mark.parametrize("loss", ["l1 + 100*ldl_ema", EMA])
def test_terms_that_look_to_the_smooth_weights_are_trained(loss, small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=60, loss__expression=loss, optim__warmup=0.0)
    train(recipe, tmp_path / "a", Silent())
    lines = [e for e in read_log(tmp_path / "a") if e["event"] == "step"]
    assert lines[-1]["loss"] < lines[0]["loss"]
    guided = lines[-1]["terms"][loss.removeprefix("l1 + ")]
    assert guided["value"] > 0
    assert guided["norm"] > 0


def test_sr_ema_is_what_the_smooth_copy_gives(job_of):
    job = job_of(loss__expression=EMA)
    walk(job, 5)
    with torch.no_grad():
        expected = job.work.smooth(lr_of(job, 5, luma=True))
    seen = shown(job)
    walk(job, 1)
    ((outputs, extras),) = seen
    assert torch.equal(extras["sr_ema"], expected)
    assert not extras["sr_ema"].requires_grad
    assert not torch.equal(extras["sr_ema"], outputs["sr"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_at_the_first_step_sr_ema_is_sr(precision, job_of):
    """The weights are equal, and so is the arithmetic: no rounding is taken for a difference."""
    job = job_of(loss__expression=EMA, machine__precision=precision)
    seen = shown(job)
    walk(job, 1)
    ((outputs, extras),) = seen
    assert extras["sr_ema"].dtype == torch.float32
    assert torch.equal(extras["sr_ema"], outputs["sr"])


def test_a_guide_works_only_where_a_term_asks_for_it(job_of):
    job = job_of(loss__expression="l1 + ema_consistency(start=3, stop=8, every=2)")
    count, passes = forwards(job.work.smooth), []
    for _ in range(10):
        before = len(count)
        walk(job, 1)
        passes.append(len(count) - before)
    assert passes == [0, 0, 0, 1, 0, 1, 0, 1, 0, 0]


def test_two_terms_share_one_pass_a_micro_batch(job_of):
    job = job_of(loss__expression=f"{EMA} + 100*ldl_ema", optim__accumulate=2)
    count = forwards(job.work.smooth)
    walk(job, 3)
    assert len(count) == 3 * 2


def test_ordinary_runs_have_no_guides(job_of):
    job = job_of(loss__expression="l1")
    count = forwards(job.work.smooth)
    walk(job, 2)
    assert job.work.guides == ()
    assert count == []


@pytest.mark.parametrize("loss", [EMA, "l1 + output_distillation"])
def test_accumulation_equals_the_big_batch(loss, job_of, teacher_file):
    """With an average far from the network: at equality l1 has no direction."""
    given = {"loss__expression": loss, "data__batch": 8}
    if "distillation" in loss:
        given["loss__teacher"] = str(teacher_file())
    jobs = [job_of(**given), job_of(**given, optim__accumulate=3)]
    for job in jobs:
        for weights in job.work.smooth.parameters():
            weights.mul_(1.1)
        update(job, job.batch(0))
    whole, split = ([p.grad for p in job.bare.parameters()] for job in jobs)
    for a, b in zip(whole, split, strict=True):
        assert_close(a, b, rtol=1e-4, atol=1e-6 * float(a.abs().max()))


@pytest.mark.parametrize(
    "settings",
    [
        {"optim__name": "gd", "optim__rate": 0.1},
        {"machine__precision": "bf16"},
        {"loss__expression": "l1 + ema_consistency + output_distillation + 0.01*gan(width=4)"},
        {"network__head": "spread", "loss__expression": f"gaussian_nll + {EMA} + output_distillation"},
        {"loss__expression": f"{EMA} + output_distillation", "loss__balance": "dwa"},
    ],
    ids=["gd", "bf16", "adversarial", "spread", "balance"],
)  # fmt: skip
def test_guides_go_with_every_way_of_training(settings, job_of, teacher_file):
    usual = {"loss__expression": f"{EMA} + output_distillation"}
    job = job_of(loss__teacher=str(teacher_file()), **{**usual, **settings})
    walk(job, 3)
    assert job.look() is None


def test_the_network_comes_to_its_teacher(small_recipe, teacher_file, tmp_path):
    """From 0.086 to 0.023 in 200 steps."""
    path = teacher_file()
    before = load_file(path)
    recipe = small_recipe(
        stop__steps=200, loss__expression="output_distillation", loss__teacher=str(path)
    )
    train(recipe, tmp_path / "a", Silent())
    losses = [e["loss"] for e in read_log(tmp_path / "a") if e["event"] == "step"]
    assert losses[-1] < losses[0] / 2
    after = load_file(path)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_colour_teacher_of_a_luma_network_sees_colour_and_gives_luma(job_of, teacher_file):
    path = teacher_file(network__color="rgb")
    job = job_of(loss__expression="output_distillation", loss__teacher=str(path))
    seen = shown(job)
    walk(job, 1)
    with torch.no_grad():
        expected = operators.luma(load_model(path)(lr_of(job, 0, luma=False)))
    assert job.work.luma
    assert_close(seen[0][1]["teacher"], expected, rtol=0, atol=1e-6)


def test_the_teacher_of_a_colour_network_gives_colour(job_of, teacher_file):
    path = teacher_file(network__color="rgb")
    job = job_of(
        loss__expression="output_distillation", loss__teacher=str(path), network__color="rgb"
    )
    seen = shown(job)
    walk(job, 1)
    with torch.no_grad():
        expected = load_model(path)(lr_of(job, 0, luma=False))
    assert_close(seen[0][1]["teacher"], expected, rtol=0, atol=1e-6)


def test_a_killed_run_with_a_teacher_ends_as_one_that_was_not(
    small_recipe, teacher_file, killed_run, tmp_path
):
    recipe = small_recipe(
        stop__steps=80,
        loss__expression=f"{EMA} + 100*ldl_ema + 0.5*output_distillation",
        loss__teacher=str(teacher_file(network__color="rgb")),
        optim__accumulate=2,
    )
    train(recipe, tmp_path / "whole", Silent())
    killed = killed_run(recipe, tmp_path / "broken", step=50)
    assert killed.returncode == -9, killed.stderr
    train(recipe, tmp_path / "broken", Silent())
    name = "state/step-00000080.safetensors"
    whole, broken = (load_file(tmp_path / run / name) for run in ("whole", "broken"))
    assert [key for key in whole if not torch.equal(whole[key], broken[key])] == []


def test_a_run_does_not_go_on_with_a_changed_teacher(small_recipe, teacher_file, tmp_path):
    path, run = teacher_file(), tmp_path / "a"
    recipe = small_recipe(
        stop__steps=5, loss__expression="output_distillation", loss__teacher=str(path)
    )
    train(recipe, run, Silent())
    teacher_file(network__arguments={"width": 8})
    assert refusal(lambda: train(recipe, run, Silent())) == (
        f"The teacher {path} has changed since {run} began. Put the old one back to continue, or "
        "give another --run to begin anew with this one."
    )


def test_a_run_of_a_version_without_teachers_goes_on(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=5)
    train(recipe, tmp_path / "a", Silent())
    file = tmp_path / "a" / "run.toml"
    lines = file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("teacher")]
    assert len(kept) == len(lines) - 2  # the setting, and the digest of the plan
    file.write_text("\n".join(kept))
    assert train(recipe, tmp_path / "a", Silent()).steps == 5


@pytest.mark.parametrize("settings", [{"optim__ema": 0.0}, {"optim__name": "schedule_free"}])
def test_without_smooth_weights_sr_ema_is_refused(settings, job_of):
    assert refusal(job_of, loss__expression=EMA, **settings) == (
        "The term '0.1*ema_consistency' needs 'sr_ema', and nobody supplies it here. Supplied: "
        "lr, scale. It is what the smooth weights give: set optim.ema to their decay, such as "
        "0.999, and another optim.name than 'schedule_free', which keeps none."
    )


def test_without_a_teacher_distillation_is_refused(job_of):
    assert refusal(job_of, loss__expression="l1 + output_distillation") == (
        "The term 'output_distillation' needs 'teacher', and nobody supplies it here. Supplied: "
        "lr, scale, sr_ema. Name a trained model by --teacher (loss.teacher), a run folder or a "
        "model file."
    )


@pytest.mark.parametrize("loss", ["feature_distillation", "attention_transfer"])
def test_losses_of_inner_maps_say_that_they_are_for_python(loss, job_of):
    assert refusal(job_of, loss__expression=f"l1 + {loss}").endswith(
        "Supplied: lr, scale, sr_ema. No command trains with the inner maps of networks: this loss "
        "is for a loop of your own in Python, which hands them to it."
    )


def test_a_loss_inside_another_is_told_that_it_gets_no_extras(job_of):
    assert refusal(job_of, loss__expression="masked(ema_consistency, by='edges')") == (
        "The term 'ema_consistency' needs 'sr_ema', and nobody supplies it here. Supplied: nothing "
        "beside sr and hr. A loss inside another loss gets no more: let it be a term of its own. "
        "In Python, give extras={'sr_ema': ...}."
    )


def test_a_teacher_of_another_scale_is_refused(job_of, teacher_file):
    path = teacher_file(network__scale=4)
    loss = {"loss__expression": "output_distillation", "loss__teacher": str(path)}
    assert refusal(job_of, **loss) == (
        f"The teacher {path} is espcn at x4, and the network to train is at x2. Name a teacher of "
        "the same scale."
    )


def test_a_luma_teacher_of_a_colour_network_is_refused(job_of, teacher_file):
    path = teacher_file(network__color="luma")
    loss = {"loss__expression": "output_distillation", "loss__teacher": str(path)}
    assert refusal(job_of, network__color="rgb", **loss) == (
        f"The teacher {path} makes luma, and the network to train makes colour. Train with "
        "--color luma, or name a teacher that makes colour."
    )


def test_a_teacher_that_no_term_asks_for_is_refused(job_of, teacher_file):
    path = teacher_file()
    assert refusal(job_of, loss__expression="l1", loss__teacher=str(path)) == (
        f"The teacher {path} has nothing to do: no term of 'l1' asks for it. Add one, as in "
        "'l1 + output_distillation', or leave --teacher out."
    )


def test_a_teacher_that_is_not_there_is_refused(job_of, tmp_path):
    loss = {"loss__expression": "output_distillation", "loss__teacher": str(tmp_path / "none")}
    assert refusal(job_of, **loss) == (
        f"There is no model at {tmp_path / 'none'}. Give a run folder or a model file."
    )


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            "ema_consistency(on='lr')",
            "The term 'ema_consistency(on='lr')' compares the result with 'sr_ema', which is as "
            "large as the result. Leave on='lr' out.",
        ),
        (
            "l1(on='sr_ema')",
            "The term 'l1(on='sr_ema')' is on 'sr_ema', which does not learn. Leave on='sr_ema' "
            "out.",
        ),
    ],
)
def test_a_term_on_another_output_has_no_guide(loss, message, job_of):
    assert refusal(job_of, loss__expression=loss) == message


def test_the_plan_keeps_which_teacher_it_was(small_recipe, teacher_file):
    path = teacher_file()
    recipe = small_recipe(
        stop__steps=5, loss__expression="output_distillation", loss__teacher=str(path)
    )
    pictures = gather(recipe, Path(), Silent())
    plan = make_plan(recipe, pictures, began=0.0, display=Silent())
    assert len(plan.teacher) == 64
    assert dataclasses.replace(plan, teacher="") != plan
