"""A term with a discriminator: it learns beside the network, and its whole state is kept."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.losses.adversarial.gan import Gan
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Moment, Objective
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.pictures import gather
from acutance.training.plan import make_plan
from acutance.training.record import read_log
from acutance.training.rivals import make_rivals
from acutance.training.setup import build_job
from acutance.training.snapshots import load_snapshot, newest_snapshot, save_snapshot
from acutance.training.step import as_pictures
from acutance.training.update import update

GAN = "l1 + 0.01*gan(width=4)"


@pytest.fixture
def job_of(small_recipe):
    def make(folder=Path(), **settings):
        recipe = small_recipe(**{"stop__steps": 20, "loss__expression": GAN, **settings})
        pictures = gather(recipe, Path(), Silent())
        plan = make_plan(recipe, pictures, began=0.0, display=Silent())
        return build_job(recipe, plan, pictures, folder)

    return make


def walk(job, steps):
    for _ in range(steps):
        reading = update(job, job.batch(job.progress.step))
        job.progress.step += 1
    return reading


def discriminator(job):
    return job.work.rivals[0].loss.discriminator


def weights(job):
    return [p.detach().clone() for p in discriminator(job).parameters()]


def pair(job, step):
    """sr and hr of a step."""
    batch = job.batch(step)
    lr, hr = (as_pictures(torch.from_numpy(x), luma=job.work.luma) for x in (batch.lr, batch.hr))
    with torch.no_grad():
        return job.bare(lr), hr


def test_a_run_tells_what_the_discriminator_pays(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=20, loss__expression=GAN, log__every=5)
    outcome = train(recipe, tmp_path / "a", Silent())
    assert outcome.steps == 20
    lines = [e for e in read_log(tmp_path / "a") if e["event"] == "step"]
    assert [e["step"] for e in lines] == [5, 10, 15, 20]
    term = lines[-1]["terms"]["0.01*gan(width=4)"]
    assert 1 < term["discriminator"] < 2  # it begins undecided, at 2 log 2
    assert "discriminator" not in lines[-1]["terms"]["l1"]


def test_the_network_learns_beside_it(job_of):
    """Over ten batches the error falls from 0.06657 to 0.06585; without the term to 0.06581."""
    job = job_of(optim__rate=1e-4)

    def l1():
        return sum((sr - hr).abs().mean().item() for sr, hr in (pair(job, k) for k in range(10)))

    before = l1()
    walk(job, 20)
    assert l1() < 0.995 * before


def test_the_discriminator_learns_to_tell_them_apart(job_of):
    """Logits of originals above those of results after 20 steps: 0.021, and 2e-5 before.

    The drawn pictures are easy: results are only 1.7 levels off when training begins.
    """
    job = job_of(
        loss__expression="l1 + 0.01*gan(width=8, rate=5e-3)",
        data__batch=8,
        optim__rate=1e-6,
        optim__schedule="constant",
    )

    def apart():
        sr, hr = pair(job, 3)
        judged = [discriminator(job)(2 * x.expand(-1, 3, -1, -1) - 1, learning=False)[0]
                  for x in (sr, hr)]  # fmt: skip
        return (judged[1].mean() - judged[0].mean()).item()

    before = apart()
    walk(job, 20)
    assert abs(before) < 1e-3
    assert apart() > 0.01


def test_ten_steps_and_ten_more_are_twenty(job_of, tmp_path):
    """Every tensor: weights, Adam of both, the left vectors of spectral normalisation."""
    whole, first = job_of(tmp_path / "whole"), job_of(tmp_path / "parts")
    walk(whole, 20)
    walk(first, 10)
    save_snapshot(tmp_path / "parts", first.state)
    second = job_of(tmp_path / "parts")
    load_snapshot(newest_snapshot(tmp_path / "parts"), second.state)
    walk(second, 10)
    ends = [load_file(save_snapshot(job.folder, job.state)) for job in (whole, second)]
    assert ends[0].keys() == ends[1].keys()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    assert {"rival0.0.exp_avg", "objective.networks.0.discriminator.judge.weight"} <= set(ends[0])
    assert any(name.endswith("down.0.u") for name in ends[0])


@pytest.mark.parametrize(
    "options",
    ["", ", penalty='r1'", ", penalty='gradient'", ", discriminator='vgg', learns_every=1"],
)
def test_accumulation_equals_the_big_batch(job_of, options):
    text = f"l1 + 0.01*gan(width=4{options})"
    whole = job_of(loss__expression=text, data__batch=8)
    split = job_of(loss__expression=text, data__batch=8, optim__accumulate=3)
    seen, sights = [], []
    for job in (whole, split):
        rival = job.work.rivals[0]
        rival.optimiser.register_step_pre_hook(
            lambda o, *_: seen.append([p.grad.clone() for p in o.param_groups[0]["params"]])
        )
        job.progress.step = 9  # whose line is logged
        reading = update(job, whole.batch(0))
        seen.append(reading.rivals)
        sights.append(reading.sights)
    assert_close(*sights, rtol=1e-4, atol=1e-7)
    assert_close(seen[1], seen[3], rtol=1e-5, atol=1e-7)
    for a, b in zip(seen[0], seen[2], strict=True):
        assert_close(a, b, rtol=1e-4, atol=1e-4 * float(a.abs().max()))


def test_the_discriminators_step_is_adams_on_its_own_loss(job_of):
    """By hand, three steps of torch's Adam at the share of the rate that the run has come to."""
    job = job_of(loss__expression="l1 + 0.01*gan(width=4, rate=1e-3)")
    job.progress.step = 10
    twin = copy.deepcopy(job.work.rivals[0].loss)
    adam = torch.optim.Adam(twin.discriminator.parameters(), betas=(0.9, 0.99))
    for step in (10, 11, 12):
        sr, hr = pair(job, step)
        walk(job, 1)
        share = job.work.optimiser.param_groups[0]["lr"] / job.plan.rate
        assert share < 0.6
        adam.param_groups[0]["lr"] = 1e-3 * share
        adam.zero_grad()
        twin.discriminate(sr, hr).mean().backward()
        adam.step()
        twin.settle()
    mine, plain = discriminator(job).state_dict(), twin.discriminator.state_dict()
    for name in plain:
        assert_close(mine[name], plain[name], rtol=1e-4, atol=1e-6)


def test_the_generators_step_leaves_nothing_in_the_discriminator(job_of):
    job = job_of()
    walk(job, 2)
    assert all(p.grad is None for p in discriminator(job).parameters())


def test_the_discriminator_learns_when_its_term_counts(job_of, monkeypatch):
    """And counts its own turns, by which the fines are due."""
    job = job_of(loss__expression="l1 + 0.01*gan(width=4, start=3, stop=8, every=2)")
    whole, turns, moved = Gan.discriminate, [], []

    def spy(self, sr, hr, *, turn, first):
        turns.append(turn)
        return whole(self, sr, hr, turn=turn, first=first)

    monkeypatch.setattr(Gan, "discriminate", spy)
    for _ in range(10):
        before = weights(job)
        reading = walk(job, 1)
        moved.append(not torch.equal(before[0], weights(job)[0]))
        assert (reading.rivals[0] != 0) == moved[-1]
    assert [step for step, did in enumerate(moved) if did] == [3, 5, 7]
    assert turns == [0, 1, 2]


def test_turns_are_counted_where_the_term_counts():
    schedule = parse_loss("gan(start=3, every=2)").terms[0].schedule
    assert [schedule.turn_at(step, 100) for step in range(8)] == [None] * 3 + [0, None, 1, None, 2]


@pytest.mark.parametrize(
    ("options", "turns"),
    [
        ("start=3, every=2", {3: 0, 5: 1, 7: 2, 9: 3}),
        ("start=5, ahead=2", {3: 0, 4: 1, 5: 2, 6: 3, 7: 4, 8: 5, 9: 6}),
        ("start=5, ahead=3, every=2", {3: 0, 5: 1, 7: 2, 9: 3}),  # in the term's beat
        ("start=2, ahead=8", {k: k for k in range(10)}),
        ("start=0.5, ahead=0.1, stop=8", {4: 0, 5: 1, 6: 2, 7: 3}),  # of ten steps
        ("start=4, every=2, learns_every=1", {4: 0, 5: 1, 6: 2, 7: 3, 8: 4, 9: 5}),
        ("start=1, learns_every=2", {1: 0, 3: 1, 5: 2, 7: 3, 9: 4}),
        ("start=5, ahead=4, learns_every=3", {1: 0, 4: 1, 7: 2}),
    ],
)
def test_a_discriminator_may_begin_ahead_and_learn_at_its_own_pace(options, turns):
    """Turns, by which fines are due, count its own steps."""
    objective = Objective(parse_loss(f"l1 + gan(width=4, {options})"))
    (rival,) = make_rivals(objective, torch.device("cpu"))
    found = {step: rival.turn(Moment(step, 10)) for step in range(10)}
    assert {step: turn for step, turn in found.items() if turn is not None} == turns


def test_beginning_ahead_needs_a_start():
    objective = Objective(parse_loss("l1 + gan(width=4, ahead=100)"))
    with pytest.raises(InputError, match="cannot begin ahead of it"):
        make_rivals(objective, torch.device("cpu"))


def test_the_network_does_not_feel_what_learns_ahead(job_of):
    """Four steps beside it leave the network as l1 alone does, and the discriminator moved."""
    alone = job_of(loss__expression="l1")
    ahead = job_of(loss__expression="l1 + 0.01*gan(width=4, start=5, ahead=4)")
    before = weights(ahead)
    walk(alone, 5)
    walk(ahead, 5)
    mine, plain = ahead.bare.state_dict(), alone.bare.state_dict()
    assert all(torch.equal(mine[name], plain[name]) for name in plain)
    assert not torch.equal(before[0], weights(ahead)[0])
    walk(alone, 1)
    walk(ahead, 1)
    assert any(not torch.equal(mine[name], plain[name]) for name in plain)


def test_two_steps_of_the_discriminator_for_one_of_the_network(job_of):
    job = job_of(loss__expression="l1 + 0.01*gan(width=4, every=2, learns_every=1)")
    seen = []
    for _ in range(4):
        before = weights(job)
        reading = walk(job, 1)
        seen.append((bool(reading.weights[1]), not torch.equal(before[0], weights(job)[0])))
    assert seen == [(True, True), (False, True), (True, True), (False, True)]


def test_its_own_pace_is_taken_up_again(job_of, tmp_path):
    """Between two of its steps, before the term's start, with a fine by its own count."""
    text = "l1 + 0.01*gan(width=4, start=8, ahead=6, learns_every=3, penalty='r1', penalty_every=2)"
    whole = job_of(tmp_path / "whole", loss__expression=text)
    first = job_of(tmp_path / "parts", loss__expression=text)
    walk(whole, 12)
    walk(first, 7)
    save_snapshot(tmp_path / "parts", first.state)
    second = job_of(tmp_path / "parts", loss__expression=text)
    load_snapshot(newest_snapshot(tmp_path / "parts"), second.state)
    walk(second, 5)
    ends = [load_file(save_snapshot(job.folder, job.state)) for job in (whole, second)]
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []


def test_the_discriminator_sees_what_its_term_shows_it(job_of, monkeypatch):
    """The result made small, with the input as the original (a term on 'lr')."""
    job = job_of(loss__expression="l1 + 0.01*gan(width=4, on='lr')")
    shown = {"forward": [], "discriminate": []}
    for name, seen in shown.items():
        whole = getattr(Gan, name)

        def spy(self, sr, hr, *, whole=whole, seen=seen, **options):
            seen.append((sr.detach(), hr))
            return whole(self, sr, hr, **options)

        monkeypatch.setattr(Gan, name, spy)
    update(job, job.batch(0))
    (first,), (second,) = shown["forward"], shown["discriminate"]
    assert first[0].shape[2:] == (16, 16)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_discriminator_that_breaks_is_named_and_taken_back(small_recipe, tmp_path, monkeypatch):
    whole, calls = Gan.discriminate, [0]

    def breaking(self, sr, hr, **options):
        calls[0] += 1
        value = whole(self, sr, hr, **options)
        return value * float("nan") if calls[0] == 34 else value

    monkeypatch.setattr(Gan, "discriminate", breaking)
    recipe = small_recipe(stop__steps=60, loss__expression=GAN)
    outcome = train(recipe, tmp_path / "a", Silent())
    events = read_log(tmp_path / "a")
    fault = next(e for e in events if e["event"] == "fault")
    assert (fault["step"], fault["what"]) == (33, "the discriminator of 0.01*gan(width=4)")
    assert next(e for e in events if e["event"] == "rollback")["step"] == 20
    assert outcome.steps == 60
    kept = load_file(newest_snapshot(tmp_path / "a"))
    assert all(t.isfinite().all() for t in kept.values() if t.is_floating_point())


def test_an_adversarial_loss_inside_another_is_refused():
    objective = Objective(parse_loss("y_channel(loss=gan(width=4))"))
    with pytest.raises(InputError, match="an adversarial loss inside another loss"):
        make_rivals(objective, torch.device("cpu"))


def test_ordinary_runs_have_no_rivals(job_of):
    job = job_of(loss__expression="l1")
    assert job.work.rivals == ()
    assert walk(job, 1).rivals.shape == (0,)
