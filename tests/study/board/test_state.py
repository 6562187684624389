"""Whether a run runs, and when it will be done."""

from dataclasses import replace

import pytest

from acutance.study.board.state import Signs, left_s, pace_s, state_of
from acutance.training.endless import ENDLESS

RUNNING = Signs(last="step", at=1000.0, step=50, steps=100, pause_s=10.0)


@pytest.mark.parametrize(
    ("changes", "now", "name", "why"),
    [
        ({"last": ""}, 5, "waiting", "not begun yet"),
        ({}, 1059, "running", ""),
        ({}, 1061, "stalled", "no word since step 50"),
        ({"pause_s": 100.0}, 1399, "running", ""),
        ({"pause_s": 100.0}, 1401, "stalled", "no word since step 50"),
        ({"line_s": 100.0}, 1399, "running", ""),
        ({"last": "end", "reason": "converged"}, 9999, "done", "converged"),
        ({"last": "interrupted"}, 1001, "stopped", "by Ctrl-C at step 50"),
        ({"last": "fault", "reason": "l1 was not finite"}, 1001, "running", ""),
        ({"last": "fault", "reason": "l1 was not finite"}, 1006, "failed", "l1 was not finite"),
        ({"failed": "ValueError: x"}, 1001, "failed", "ValueError: x"),
        ({"last": "waited", "step": 100}, 1061, "stalled", "no word since step 100"),
        ({"last": "waited", "step": 100, "is_trial": True}, 1001, "done", "all steps done"),
        ({"last": "waited", "is_trial": True}, 1001, "running", ""),
        ({"last": "waited", "is_trial": True}, 1061, "stopped", "halted at step 50"),
    ],
)
def test_the_state_of_a_run(changes, now, name, why):
    state = state_of(replace(RUNNING, **changes), now)
    assert (state.name, state.why) == (name, why)


def test_a_pace_is_that_of_the_newest_lines():
    assert pace_s([(0.0, 10), (4.0, 20), (8.0, 30)]) == pytest.approx(0.4)
    assert pace_s([(0.0, 10)]) is None
    assert pace_s([(0.0, 10), (4.0, 10)]) is None


def test_what_is_left_shrinks_while_nothing_is_written():
    assert left_s(RUNNING, 2.0, now=1000.0) == 100.0
    assert left_s(RUNNING, 2.0, now=1030.0) == 70.0
    assert left_s(RUNNING, 2.0, now=5000.0) == 0.0
    assert left_s(RUNNING, 2.0, now=900.0) == 100.0  # clocks of two machines


def test_of_a_run_without_length_or_pace_nothing_is_said():
    assert left_s(RUNNING, None, now=1000.0) is None
    assert left_s(replace(RUNNING, steps=ENDLESS), 2.0, now=1000.0) is None
    assert left_s(replace(RUNNING, steps=0), 2.0, now=1000.0) is None
