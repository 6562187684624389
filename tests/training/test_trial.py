"""Minutes become steps, and "auto" becomes what was measured to be faster."""

import time

import torch

from acutance.training import trial
from acutance.training.trial import choose_pace, idle_cores, paced, steps_in, time_steps


def test_steps_fit_into_the_minutes_after_all_else():
    """5 min = 300 s; 20 s are spent and 30 s needed at the end: 250 s x 0.9 / 0.05 s."""
    assert steps_in(5.0, spent_s=20.0, step_s=0.05, other_s=30.0) == 4500


def test_a_slow_start_leaves_a_quarter_of_the_minutes_and_always_a_step():
    """1 min = 60 s: 15 s x 0.9 / 0.05 s, though 90 s are gone already."""
    assert steps_in(1.0, spent_s=90.0, step_s=0.05, other_s=0.0) == 270
    assert steps_in(0.001, spent_s=20.0, step_s=0.05, other_s=0.0) == 1


def test_the_median_of_the_steps_after_the_warm_up_counts():
    lengths = iter([0.05] * trial.WARM_UP + [0.01] * trial.TIMED)
    assert time_steps(lambda _step: time.sleep(next(lengths))) < 0.02


def test_the_faster_way_is_taken(monkeypatch):
    """Two threads take 10 ms here, one takes 4; bf16 halves that."""
    monkeypatch.setattr(trial, "has_native_bf16", lambda: True)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    set_to = []
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)

    def stepper(precision):
        length = {1: 0.008, 2: 0.02}[set_to[-1]] / (2 if precision == "bf16" else 1)
        return lambda _step: time.sleep(length)

    notes = []
    pace = choose_pace("auto", "auto", stepper, note=notes.append)
    assert (pace.threads, pace.precision) == (1, "bf16")
    assert "1 thread, bf16" in notes[0]


def test_bf16_is_not_even_tried_without_hardware(monkeypatch):
    monkeypatch.setattr(trial, "has_native_bf16", lambda: False)
    tried = []

    def stepper(precision):
        tried.append(precision)
        return lambda _step: None

    assert choose_pace(1, "auto", stepper, note=lambda _text: None).precision == "fp32"
    assert set(tried) == {"fp32"}


def test_what_was_given_is_not_tried_otherwise():
    tried = []

    def stepper(precision):
        tried.append(precision)
        return lambda _step: None

    pace = choose_pace(1, "fp32", stepper, note=lambda _text: None)
    assert (pace.threads, pace.precision, tried) == (1, "fp32", ["fp32"])


def test_pictures_that_are_made_meanwhile_cost_no_step_its_time(monkeypatch):
    """20 ms to make a batch: nothing beside steps of 50 ms, 20 / 4 beside 1 ms, all without."""

    def make(_step):
        time.sleep(0.02)

    assert paced(0.05, make, makers=1) == 0.05
    assert 0.005 <= paced(0.001, make, makers=4) < 0.02
    assert paced(0.001, make, makers=0) >= 0.021
    monkeypatch.setattr(trial, "core_count", lambda: 8)
    assert (idle_cores(8, "cpu"), idle_cores(2, "cpu"), idle_cores(8, "cuda")) == (0, 6, 7)
    monkeypatch.setattr(trial, "core_count", lambda: 64)
    assert idle_cores(1, "cuda") == trial.MOST_MAKERS
