"""A search that was cut short, or that several processes work on, ends as one left alone."""

import json

import pytest
from tests.study.tune.conftest import found_in

from acutance.study.tune.tuning import carry_out
from acutance.training.record import read_log


def told(folder):
    """How many sittings each trial had, and at which steps its log was written, sorted."""
    places = sorted(place for place in (folder / "trials").iterdir() if place.is_dir())
    return [[e["event"] for e in read_log(place)].count("start") for place in places]


def check_whole(folder, count):
    """As many trials as asked, each once, and a front."""
    found = found_in(folder)
    assert [trial["number"] for trial in found["trials"]] == list(range(count))
    assert found["failed"] == []
    assert len({trial["loss"] for trial in found["trials"]}) == count
    assert found["front"]
    lines = (folder / "trials.journal").read_text().splitlines() if is_file(folder) else []
    scored = [
        (line["trial_id"], name)
        for line in map(json.loads, lines)
        for name in line.get("user_attr", {})
        if name.startswith("at ")
    ]
    assert len(scored) == len(set(scored))


def is_file(folder):
    return (folder / "trials.journal").exists()


def test_a_search_given_again_trains_nothing(small_search, undisturbed, monkeypatch):
    from acutance.study.tune import outcome, search

    before = found_in(undisturbed)
    monkeypatch.setattr(search, "run_trial", None)
    monkeypatch.setattr(outcome, "run_trial_table", None)
    carry_out(small_search(), undisturbed, quiet=True)
    assert found_in(undisturbed) == before
    assert told(undisturbed) == [1, 1, 1]


@pytest.mark.slow
def test_a_killed_search_ends_as_one_that_was_not(
    small_search, undisturbed, begin, words, tmp_path
):
    """kill -9 at the third scoring: of the second trial, or of the first at its end."""
    folder = tmp_path / "a"
    process = begin(words(folder), scoring=3)
    assert process.wait(120) == -9, process.communicate()
    assert not (folder / "results.json").exists()
    carry_out(small_search(), folder, quiet=True)
    assert found_in(folder) == found_in(undisturbed)
    assert sorted(told(folder)) == [1, 1, 2]  # the one that was killed sat down twice


@pytest.mark.slow
def test_two_processes_share_a_search(begin, words, tmp_path):
    more = ["--trials", "5", "--quiet"]
    pair = [begin(words(tmp_path / "a", *more)) for _ in range(2)]
    said = [process.communicate(timeout=200) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], said
    check_whole(tmp_path / "a", 5)
    assert told(tmp_path / "a") == [1] * 5
    assert said[0][0] == said[1][0]  # and both give the same answer


@pytest.mark.slow
def test_of_two_processes_one_is_killed_and_the_other_ends_the_search(begin, words, tmp_path):
    more = ["--trials", "5", "--quiet"]
    dying = begin(words(tmp_path / "a", *more), scoring=2)
    other = begin(words(tmp_path / "a", *more))
    said = other.communicate(timeout=200)
    assert other.returncode == 0, said
    assert dying.wait(60) == -9
    check_whole(tmp_path / "a", 5)
    assert sum(told(tmp_path / "a")) == 6
