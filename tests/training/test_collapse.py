"""What an adversarial run is watched for: numbers by hand, and alarms raised once."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from acutance.training import collapse, rivals
from acutance.training.collapse import FLAT, LINES, LONG, Alarms, Sight, as_sight, measured
from acutance.training.display import Silent
from acutance.training.loop import stages, train
from acutance.training.pictures import gather
from acutance.training.record import read_log

FINE = Sight(colour=0.4, detail=0.9, bicubic=0.3, results=-0.5, originals=0.5)
GAN = "l1 + 0.01*gan(width=4)"


def chequered(amplitude, side=20):
    """Grey with a pattern of single pixels, which a 5x5 mean takes out but for 1/25."""
    rows = torch.arange(side)
    signs = (rows[:, None] + rows) % 2 * 2.0 - 1
    return (0.5 + amplitude * signs).expand(2, 3, side, side)


def test_energies_and_colours_are_those_of_a_pattern():
    """24/25 of the amplitude is left without the mean of 13 pixels against 12."""
    sr, hr = chequered(0.2), chequered(0.1)
    tint = torch.tensor([0.0, -0.04, 0.02])[None, :, None, None]
    lr = torch.full((2, 3, 10, 10), 0.5)
    numbers = measured(sr + tint, hr, lr).tolist()
    assert_close(numbers[:3], [(0.2 * 24 / 25) ** 2, (0.1 * 24 / 25) ** 2, 0.0], rtol=1e-5, atol=0)
    assert_close(numbers[3:], [0.0, 0.04, 0.02], rtol=1e-5, atol=1e-6)
    sight = as_sight(numbers, [0.25, 0.5])
    assert sight.detail == pytest.approx(4)
    assert sight.colour == pytest.approx(0.04 * 255, rel=1e-4)
    assert (sight.bicubic, sight.results, sight.originals) == (0.0, 0.25, 0.5)


def test_opposite_tints_do_not_cancel():
    hr = torch.full((2, 1, 8, 8), 0.5)
    sr = hr + torch.tensor([0.1, -0.1])[:, None, None, None]
    assert as_sight(measured(sr, hr, hr).tolist(), None).colour == pytest.approx(25.5)


def test_rounding_of_flat_originals_is_no_detail():
    assert as_sight([FLAT / 2, 0.0, 0.0, 0.0], None).detail == 0.5


def causes(alarms, sights, sure=8.0):
    """What was raised at each line."""
    return [[a.cause for a in alarms.look("gan", sight, sure=sure)] for sight in sights]


@pytest.mark.parametrize(
    ("cause", "wrong", "text"),
    [
        ("colour", {"colour": 5.1}, "drifted by 5.1 levels of 255"),
        ("loud", {"detail": 2.1}, "hold 2.1 times the fine detail"),
        ("mute", {"detail": 0.14}, "hold 0.14 of the originals' fine detail, where a bicubic"),
        ("won", {"originals": 8.0}, "has won: mean logits are 8.5 apart"),
    ],
)
def test_an_alarm_is_raised_once_and_again_after_it_was_gone(cause, wrong, text):
    bad = replace(FINE, **wrong)
    alarms = Alarms()
    raised = causes(alarms, [bad] * (LINES - 1) + [FINE] + [bad] * (LINES + 3))
    assert raised == [[]] * (2 * LINES - 1) + [[cause]] + [[]] * 3
    assert causes(alarms, [FINE] * (LINES - 1) + [bad] * LINES) == [[]] * (2 * LINES - 1)
    assert causes(alarms, [FINE] * LINES + [bad] * LINES)[-1] == [cause]
    fresh = Alarms()
    told = [a.text for _ in range(LINES) for a in fresh.look("gan", bad, sure=8.0)]
    assert len(told) == 1
    assert text in told[0]


def test_an_undecided_discriminator_gets_longer():
    even = replace(FINE, originals=-0.495)
    raised = causes(Alarms(), [even] * (LONG + 2))
    assert raised == [[]] * (LONG - 1) + [["undecided"], [], []]
    assert not any(causes(Alarms(), [replace(FINE, originals=-0.49)] * LONG))


def test_logits_without_a_scale_and_none_yet_are_not_judged():
    apart = replace(FINE, originals=100.0)
    assert not any(causes(Alarms(), [apart] * LONG, sure=float("inf")))
    assert not any(causes(Alarms(), [Sight(0.4, 0.9, 0.3)] * LONG))


def test_two_terms_have_alarms_of_their_own():
    alarms, bad = Alarms(), replace(FINE, colour=9.0)
    for _ in range(LINES - 1):
        alarms.look("a", bad, sure=8.0)
    assert alarms.look("b", bad, sure=8.0) == []
    assert [a.cause for a in alarms.look("a", bad, sure=8.0)] == ["colour"]


class Notes(Silent):
    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)


@pytest.fixture
def tender(monkeypatch):
    """Any colour at all is too much, from the first step on."""
    monkeypatch.setattr(collapse, "COLOUR", -1.0)
    monkeypatch.setattr(rivals, "WARM_UP", 0)


def test_a_run_writes_what_it_sees_and_raises_its_alarm_once(small_recipe, tmp_path, tender):
    """Over two sittings: the second takes up the lines of the first."""
    recipe = small_recipe(stop__steps=10, loss__expression=GAN, log__every=1)
    display = Notes()
    pictures = gather(recipe, tmp_path / "a", display)
    for _ in stages(recipe, tmp_path / "a", display, stops=(4, 7), pictures=pictures):
        pass
    outcome = train(recipe, tmp_path / "a", display, pictures=pictures)
    events = read_log(outcome.folder)
    alarms = [e for e in events if e["event"] == "alarm"]
    assert [(e["cause"], e["step"], e["limit"]) for e in alarms] == [("colour", LINES, -1.0)]
    assert (
        sum("alarm of 0.01*gan(width=4): its results have drifted" in x for x in display.lines) == 1
    )
    lines = [e["rivals"]["0.01*gan(width=4)"] for e in events if e["event"] == "step"]
    assert len(lines) == 10
    assert all(line.keys() == vars(FINE).keys() for line in lines)
    first = lines[0]  # the network begins at the enlarged input
    assert first["detail"] == pytest.approx(first["bicubic"], rel=0.05)
    assert 0.5 < first["detail"] < 1
    assert all(abs(line["originals"] - line["results"]) < 1 for line in lines)


def test_nothing_is_judged_in_the_first_steps(small_recipe, tmp_path, tender, monkeypatch):
    monkeypatch.setattr(rivals, "WARM_UP", 5)
    text = "l1 + 0.01*gan(width=4, start=2, ramp=1)"
    recipe = small_recipe(stop__steps=11, loss__expression=text, log__every=1)
    train(recipe, tmp_path / "a", Silent())
    steps = [e["step"] for e in read_log(tmp_path / "a") if e["event"] == "alarm"]
    assert steps == [2 + 1 + 5 + LINES - 1]


def test_other_runs_are_not_watched(small_recipe, tmp_path, tender):
    train(small_recipe(stop__steps=5, log__every=1), tmp_path / "a", Silent())
    events = read_log(tmp_path / "a")
    assert not any(e["event"] == "alarm" or "rivals" in e for e in events)
