"""Batches made ahead by a thread: the same ones, failures named, nothing left running."""

import threading
import time

import numpy as np
import pytest

from acutance.data.prefetch import AHEAD, Direct, Prefetch
from acutance.errors import InputError, RunError

KINDS = [Prefetch, Direct]


def running() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("prefetch")]


@pytest.mark.parametrize("kind", KINDS)
def test_batches_come_in_order_from_the_start_that_was_given(kind):
    with kind(lambda step: step * step, 5) as batches:
        assert [batches.next() for _ in range(4)] == [25, 36, 49, 64]


def test_with_and_without_a_thread_are_identical(ready):
    def make(step):
        return ready.batch(3, step, size=4)

    with Prefetch(make, 7) as ahead, Direct(make, 7) as direct:
        for _ in range(6):
            one, other = ahead.next(), direct.next()
            assert np.array_equal(one.lr, other.lr)
            assert np.array_equal(one.hr, other.hr)


def test_batches_are_made_ahead_but_not_without_bound():
    made = []
    with Prefetch(lambda step: made.append(step), 0) as batches:
        batches.next()
        deadline = time.monotonic() + 5
        while len(made) < 1 + AHEAD and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.05)
        assert made == list(range(1 + AHEAD))


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_names_its_step_and_keeps_its_cause(kind):
    def make(step):
        if step == 3:
            raise KeyError("gone")
        return step

    with kind(make, 2) as batches:
        assert batches.next() == 2
        for _ in range(2):  # and again when asked again
            with pytest.raises(RunError) as caught:
                batches.next()
            assert str(caught.value) == "The batch of step 3 could not be made: KeyError: 'gone'"
            assert isinstance(caught.value.__cause__, KeyError)


def test_closing_ends_the_thread():
    batches = Prefetch(lambda step: step, 0)
    batches.next()
    assert running()
    batches.close()
    assert not running()
    batches.close()
    with pytest.raises(RunError, match="after the prefetching was closed"):
        batches.next()


def test_an_error_in_the_block_ends_the_thread_too():
    with pytest.raises(ZeroDivisionError), Prefetch(lambda step: step, 0) as batches:
        _ = batches.next() // 0
    assert not running()


@pytest.mark.parametrize("kind", KINDS)
def test_what_input_is_wrong_about_stays_an_error_of_the_input(kind):
    """A stage that refuses a number which the recipe let it draw says what to change."""

    def make(step):
        raise InputError("Lower the factor.")

    with kind(make, 4) as batches, pytest.raises(InputError, match=r"of step 4 .*: Lower the f"):
        batches.next()


def test_several_threads_give_the_same_and_fail_at_the_same_step():
    def make(step):
        time.sleep(0.001 * (step % 3))  # out of order
        if step == 9:
            raise KeyError("gone")
        return step

    with Prefetch(make, 0, threads=4) as batches:
        assert [batches.next() for _ in range(9)] == list(range(9))
        with pytest.raises(RunError, match="step 9"):
            batches.next()
    assert running() == []
