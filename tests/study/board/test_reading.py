"""A log as it is read: while it grows, where it is cut, and however long it is."""

import json
import os

import pytest
from tests.study.board.conftest import NOW, add, event, step, write_recipe

from acutance.study.board import journal
from acutance.study.board.bands import banded
from acutance.study.board.followed import Facts, Followed, facts_of
from acutance.study.board.journal import Journal
from acutance.study.board.series import MOST, Series


def names(news) -> list[str]:
    return [one["event"] for one in news.events]


@pytest.fixture
def log(tmp_path):
    return Journal(tmp_path / "log.jsonl", tmp_path.resolve())


def test_a_log_is_read_from_where_the_last_reading_ended(tmp_path, log):
    assert log.news().events == []
    add(tmp_path, event("start", 0), event("step", 1))
    assert names(log.news()) == ["start", "step"]
    assert names(log.news()) == []
    add(tmp_path, event("score", 2))
    news = log.news()
    assert (names(news), news.again) == (["score"], False)


def test_half_a_line_is_waited_for_and_what_a_kill_left_is_passed_over(tmp_path, log):
    line = json.dumps(event("step", 1)).encode()
    with (tmp_path / "log.jsonl").open("ab", buffering=0) as file:
        file.write(line[:20])
        assert names(log.news()) == []
        file.write(line[20:] + b"\n")
        assert names(log.news()) == ["step"]
        file.write(line[:20] + b"\n\n[1]\n7\n{}\n" + b"\xff\n" + b"[" * 10_000 + b"\n")
        file.write(json.dumps(event("end", 2)).encode() + b"\n")
    assert names(log.news()) == ["end"]


def test_a_log_that_was_cut_or_written_anew_is_read_again(tmp_path, log):
    path = tmp_path / "log.jsonl"
    add(tmp_path, event("start", 0), event("step", 1))
    log.news()
    path.write_text(json.dumps(event("score", 0)) + "\n")  # the same file, shorter
    news = log.news()
    assert (names(news), news.again) == (["score"], True)
    path.write_text("\n".join(json.dumps(event("slow", k)) for k in range(9)) + "\n")  # longer
    news = log.news()
    assert (names(news), news.again) == (["slow"] * 9, True)
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes() + json.dumps(event("end", 1)).encode() + b"\n")
    other.replace(path)  # another file of the same beginning
    news = log.news()
    assert (names(news), news.again) == (["slow"] * 9 + ["end"], True)


def test_a_log_that_vanished_is_forgotten_and_may_come_back(tmp_path, log):
    add(tmp_path, event("start", 0))
    log.news()
    (tmp_path / "log.jsonl").unlink()
    news = log.news()
    assert (news.events, news.again) == ([], True)
    assert log.news().again is False
    add(tmp_path, event("step", 0))
    assert names(log.news()) == ["step"]


def test_a_long_log_is_read_in_slices_and_endless_lines_are_left_out(tmp_path, log, monkeypatch):
    monkeypatch.setattr(journal, "SLICE", 200)
    add(tmp_path, *(event("step", k) for k in range(8)))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "' + "x" * 900 + '"}\n')
    add(tmp_path, event("end", 9))
    found, news = [], log.news()
    assert news.left > 0
    for _ in range(30):
        found += names(news)
        news = log.news()
    assert news.left == 0
    assert found == ["step"] * 8 + ["end"]


@pytest.mark.skipif(os.name == "nt", reason="Windows makes such links for administrators alone")
def test_a_log_that_is_a_link_or_no_file_is_not_read(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    add(outside, event("start", 0))
    inside.mkdir()
    (inside / "log.jsonl").symlink_to(outside / "log.jsonl")
    assert Journal(inside / "log.jsonl", inside.resolve()).news().events == []
    (inside / "run").symlink_to(outside)
    assert Journal(inside / "run" / "log.jsonl", inside.resolve()).news().events == []
    os.mkfifo(inside / "pipe")
    assert Journal(inside / "pipe", inside.resolve()).news().events == []


def test_a_series_keeps_few_points_of_many_and_their_mean():
    series = Series()
    for k in range(1_000):
        series.add(k, k / 10, float(k))
    points = list(series.points())
    assert MOST / 2 <= len(points) <= MOST
    assert points[0] == (0.5, pytest.approx(0.05), 0.5)  # of two readings
    assert all(step == value for step, _, value in points)
    assert series.last == 999.0


def test_a_series_that_is_cut_goes_on_from_there():
    series = Series()
    for k in range(10):
        series.add(k, k, float(k))
    series.cut(4)
    assert series.last == 4.0
    series.add(5, 9, 50.0)
    assert list(series.points())[-2:] == [(4, 4, 4.0), (5, 9, 50.0)]


def followed(folder) -> Followed:
    run = Followed(folder, folder.resolve())
    run.look()
    return run


def points(run: Followed, key: str) -> list[tuple[float, float]]:
    return [(step, value) for step, _, value in run.curves[key].points()]


def test_a_run_that_is_continued_forgets_the_steps_that_it_takes_again(tmp_path):
    add(tmp_path, event("start", 0, step=0, steps=40), step(10, 5, 3.0), step(20, 10, 2.0))
    add(tmp_path, event("start", 1000, step=10, steps=40), step(20, 1005, 2.5))
    run = followed(tmp_path)
    assert points(run, "loss") == [(10, 3.0), (20, 2.5)]
    # training took 5 s up to step 10 and 5 s more; the night between counts for nothing
    assert [at for _, at, _ in run.curves["loss"].points()] == [5.0, 10.0]
    assert [text for _, _, text in run.notes] == ["begun", "continued at step 10"]


def test_a_run_that_returned_to_its_best_keeps_its_curves(tmp_path):
    scores = [event("score", k, step=10 * k, psnr=30.0 + k) for k in (1, 2, 3)]
    back = event("return", 4, step=10, **{"from": 30, "metric": "lpips"})
    add(tmp_path, *scores, back, event("end", 5, step=10, reason="settled: drift", psnr=31.0))
    run = followed(tmp_path)
    assert points(run, "psnr") == [(10, 31.0), (20, 32.0), (30, 33.0)]
    assert run.signs.step == 10


def test_shares_terms_and_scores_become_curves(tmp_path):
    add(tmp_path, step(10, 1, 0.5, share=0.75))
    add(tmp_path, event("score", 2, step=10, protocol="y@1", psnr=30.0, lpips=None, odd=[1]))
    run = followed(tmp_path)
    assert {name: series.last for name, series in run.shares.items()} == {
        "l1": 0.75,
        "0.1*fft": 0.25,
    }
    assert set(run.curves) == {"loss", "rate", "step_s", "term l1", "term 0.1*fft", "psnr"}
    assert run.scores == ("psnr",)


def test_senseless_values_are_passed_over(tmp_path):
    (tmp_path / "log.jsonl").write_text(
        '{"event": "step", "time": 1, "step": 1, "loss": NaN, "terms": 3}\n'
        '{"event": "step", "time": 1, "step": 1, "loss": 1e999, "terms": {"a": 1}}\n'
        '{"event": "step", "time": "now", "step": 2, "loss": 7}\n'
        '{"event": "step", "time": 1, "step": -5, "loss": true}\n'
        f'{{"event": "step", "time": 1, "step": 3, "loss": 1{"0" * 400}}}\n'
    )
    run = followed(tmp_path)
    assert run.curves == {}
    assert run.signs.step == 3


def test_a_recipe_says_loss_seed_and_length(tmp_path):
    write_recipe(tmp_path, "mse", seed=3, steps=700)
    assert facts_of((tmp_path / "run.toml").read_text()) == Facts("mse", 3, 700, 1.0)
    for text in ("", "recipe = 1", "[recipe]\n[plan]", "not toml ="):
        assert facts_of(text) == Facts()


def test_a_failure_is_the_last_line_that_the_study_wrote(tmp_path):
    add(tmp_path, event("start", 0, step=0, steps=10))
    (tmp_path / "failed.txt").write_text("Traceback:\n  deep\nValueError: no such thing\n")
    run = followed(tmp_path)
    assert run.signs.failed == "ValueError: no such thing"
    (tmp_path / "failed.txt").unlink()  # it is tried again
    run.look()
    assert run.signs.failed == ""


def test_a_band_is_mean_lowest_and_highest_of_the_seeds_that_are_there():
    rows = banded([[(0, 1.0), (10, 3.0)], [(0, 3.0), (10, 5.0), (20, 9.0)]], most=100)
    assert rows == [(0, 2.0, 1.0, 3.0, 2), (10, 4.0, 3.0, 5.0, 2), (20, 9.0, 9.0, 9.0, 1)]


def test_seeds_that_were_thinned_apart_are_taken_as_straight_between_their_points():
    rows = banded([[(0, 0.0), (10, 10.0)], [(5, 7.0)]], most=100)
    assert rows == [(0, 0.0, 0.0, 0.0, 1), (5, 6.0, 5.0, 7.0, 2), (10, 10.0, 10.0, 10.0, 1)]


def test_a_band_has_as_many_rows_as_a_page_may_have_and_the_newest_among_them():
    curve = [(float(k), float(k)) for k in range(1000)]
    rows = banded([curve, curve], most=60)
    assert len(rows) <= 61
    assert rows[-1] == (999.0, 999.0, 999.0, 999.0, 2)
    assert banded([], 60) == banded([[]], 60) == []


def test_notes_say_what_happened(tmp_path):
    add(
        tmp_path,
        event("fault", 1, step=7, what="the term fft", pictures=["a"]),
        event("rollback", 2, step=5, rate_factor=0.5),
        event("slow", 3, step=8, ratio=2.5),
        event("slow", 3, step=9, ratio=1.75),  # of several in a row the last is kept
        event("alarm", 4, step=9, term="gan", cause="flat", value=0.123456, limit=0.2),
    )
    assert [text for _, _, text in followed(tmp_path).notes] == [
        "step 7: the term fft was not finite",
        "back to step 5 at 0.5 of the rate",
        "step 9: steps take 1.75 times as long as before",
        "step 9: alarm of gan, flat 0.123, limit 0.2",
    ]
    assert followed(tmp_path).signs.at == NOW + 4
