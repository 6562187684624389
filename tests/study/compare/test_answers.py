"""From scores to sentences: what is said of made-up runs whose differences are known."""

import csv
import io
import json
from dataclasses import replace
from itertools import product
from math import inf

import numpy as np
import pytest

from acutance.evaluation.scoring import Score, Scores
from acutance.study.compare.answers import answer
from acutance.study.compare.runs import Run
from acutance.study.compare.wording import as_csv, as_json, as_markdown, p_value, sentences

PICTURES = ("p0", "p1")  # those of the set "one"
SURE = (0.5, 0.51, 0.52, 0.5, 0.51)  # dB by seed: p of about 1e-7
FAINT = (0.02, -0.01, 0.02, -0.02, 0.0)  # p of about 0.8, and below the noise of seeds
WIDE = (1.0, -0.4, 0.9, 1.2, -0.3)  # p of about 0.2, and beyond the noise of seeds
BASE = (30.0, 30.3, 29.8, 30.1, 29.9)  # the first arm by seed: a spread of 0.19 dB


@pytest.fixture
def answers_of(small_study, tmp_path):
    """The answers of runs whose means over pictures are BASE plus an arm's differences."""

    def make(arms, *, metrics=("psnr",), change=lambda row: row, **asked):
        question = small_study({"study.losses": ["l1", *arms], "study.seeds": 5}).question
        question = replace(question, metrics=metrics, primary=metrics[0], **asked)
        runs = []
        for arm, seed in product(question.losses, range(5)):
            run = Run(arm, 6, 6, seed, tmp_path / arm / str(seed))
            value = BASE[seed] + dict(arms).get(arm, [0] * 5)[seed]
            rows = [
                change(Score("one", name, metric, value + place, "y@1"))
                for place, name in enumerate(PICTURES)
                for metric in metrics
            ]
            run.folder.mkdir(parents=True, exist_ok=True)
            scores = Scores("made up", 2, "y@1", tuple(rows)).to_json()
            (run.folder / "test.json").write_text(json.dumps(scores))
            runs.append(run)
        return answer(replace(question, steps=(6,)), runs)

    return make


def words(answers):
    return {(d.arm, d.against): d.verdict.word for d in answers.differences}


def test_more_is_better_and_less_is_worse(answers_of):
    answers = answers_of({"mse": SURE, "ssim": [-d for d in SURE]})
    assert words(answers) == {("mse", "l1"): "better", ("ssim", "l1"): "worse"}
    better, worse = sentences(answers)
    assert better.startswith("mse against l1 at 6 steps: better in psnr on one (+0.508 dB, ")
    assert worse.startswith("ssim against l1 at 6 steps: worse in psnr on one (-0.508 dB, ")


def test_where_less_is_better_more_is_worse(answers_of):
    """lpips is a distance."""
    assert words(answers_of({"mse": SURE}, metrics=("lpips",))) == {("mse", "l1"): "worse"}


def test_a_faint_difference_is_not_shown(answers_of):
    (said,) = sentences(answers_of({"mse": FAINT}))
    assert said.startswith("mse against l1 at 6 steps: no difference in psnr shown on one (")
    assert "p 0.8" in said


def test_a_large_unsure_difference_asks_for_seeds(answers_of):
    answers = answers_of({"mse": WIDE})
    assert words(answers) == {("mse", "l1"): "not enough seeds"}
    needed = answers.differences[0].verdict.seeds_needed
    assert sentences(answers)[0].endswith(f"; {needed} seeds would do).")
    assert needed > 5


def test_the_mean_and_its_interval_are_those_of_the_differences(answers_of):
    found = answers_of({"mse": SURE}).differences[0].found
    assert found.mean == pytest.approx(np.mean(SURE))
    assert found.sd == pytest.approx(np.std(SURE, ddof=1))
    assert found.low < np.mean(SURE) < found.high
    assert (found.seeds, found.pictures) == (5, 2)


def test_the_noise_of_seeds_is_that_of_the_arm_held_against(answers_of):
    difference = answers_of({"mse": SURE}).differences[0]
    assert difference.noise == pytest.approx(np.std(BASE, ddof=1))


def test_p_is_corrected_over_arms_of_a_metric_and_not_across_metrics(answers_of):
    """Holm: of three p values the smallest counts three times, the next two, the last one."""
    arms = {"mse": WIDE, "ssim": FAINT, "fft": SURE}
    answers = answers_of(arms, metrics=("psnr", "ssim"))
    for metric in ("psnr", "ssim"):
        found = {d.arm: d for d in answers.differences if d.metric == metric}
        assert found["fft"].p_holm == pytest.approx(3 * found["fft"].found.p)
        assert found["mse"].p_holm == pytest.approx(2 * found["mse"].found.p)
        assert found["ssim"].p_holm == pytest.approx(found["ssim"].found.p)


def test_against_all_is_every_pair_once(answers_of):
    answers = answers_of({"mse": SURE, "ssim": FAINT}, against="all")
    assert list(words(answers)) == [("mse", "l1"), ("ssim", "l1"), ("ssim", "mse")]
    assert answers.differences[2].found.mean == pytest.approx(np.mean(FAINT) - np.mean(SURE))


def test_a_picture_made_perfectly_is_left_out_of_all_arms(answers_of):
    def perfect(row):
        return replace(row, value=inf) if row.picture == "p1" and row.value > 31.7 else row

    answers = answers_of({"mse": SURE}, change=perfect)  # seed 1 of mse: 30.3 + 0.51 + 1
    assert answers.differences[0].found.pictures == 1
    assert answers.differences[0].found.mean == pytest.approx(np.mean(SURE))
    assert all(np.isfinite(mean.mean) for mean in answers.means)


def test_a_set_without_a_finite_score_has_no_answer(answers_of):
    answers = answers_of({"mse": SURE}, change=lambda row: replace(row, value=inf))
    assert (answers.means, answers.differences, sentences(answers)) == ((), (), [])


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "< 0.0001"), (9e-5, "< 0.0001"), (1e-4, "0.0001"), (0.0234, "0.023"), (1.0, "1")],
)
def test_p_is_never_a_bare_zero(p, text):
    assert p_value(p) == text


def test_p_of_equal_differences_is_told_as_small(answers_of):
    """Without any spread the t test's limit is p = 0."""
    (said,) = sentences(answers_of({"mse": [0.5] * 5}))
    assert "p < 0.0001" in said


def test_one_seed_is_said_to_be_one(small_study, answers_of, tmp_path):
    answers = answers_of({"mse": SURE})
    runs = [Run(arm, 6, 6, 0, tmp_path / arm / "0") for arm in ("l1", "mse")]
    (said,) = sentences(answer(replace(answers.question, seeds=2), runs))
    assert said == (
        "mse against l1 at 6 steps: not enough seeds to tell on one (+0.500 dB, of one seed)."
    )


def test_sets_of_one_verdict_share_a_part_of_the_sentence(answers_of):
    answers = answers_of({"mse": SURE})
    both = replace(answers.differences[0], set="two")
    (said,) = sentences(replace(answers, differences=(*answers.differences, both)))
    assert said.count("better in psnr on") == 1
    assert "one (+0.508 dB" in said
    assert ", two (+0.508 dB" in said


def test_tables_hold_every_difference(answers_of):
    answers = answers_of({"mse": SURE, "ssim": [0.5] * 5})
    rows = list(csv.DictReader(io.StringIO(as_csv(answers))))
    assert [(row["arm"], row["verdict"]) for row in rows] == [("mse", "better"), ("ssim", "better")]
    assert float(rows[0]["mean"]) == answers.differences[0].found.mean
    found = json.loads(json.dumps(as_json(answers), allow_nan=False))
    assert found["differences"][1]["effect"] is None  # infinite: there is no spread
    assert [row["arm"] for row in found["means"]] == ["l1", "mse", "ssim"]
    page = as_markdown(answers)
    assert page.startswith("- mse against l1 at 6 steps: better")
    assert "| 6 | mse | l1 | one | psnr | +0.508 dB | " in page
