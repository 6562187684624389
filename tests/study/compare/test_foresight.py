"""What a study can show, told before it starts."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from acutance.errors import InputError
from acutance.study.compare.foresight import family_size, plan_lines
from acutance.study.compare.question import Question
from acutance.study.compare.study import carry_out, foresee
from acutance.study.power import power_of


def test_the_runs_and_the_smallest_p_are_told(small_study):
    question = small_study({"study.seeds": 5, "study.steps": [1000, 3000]}).question
    lines = plan_lines(question, None)
    assert lines[0] == "20 runs: 2 losses, 5 seeds, 1,000 and 3,000 steps; 40,000 steps in all"
    assert lines[1].endswith("of sign flips, which need no normal spread, 0.062")  # 2 / 2^5
    assert "not known before a first study" in lines[2]


def test_nothing_is_written_or_trained(small_study, workshop, tmp_path):
    foresee(small_study(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_the_difference_that_can_show_follows_from_an_earlier_study(
    seeds, small_study, undisturbed, tmp_path
):
    """At the number that is told the t test has 80 % power, by the spread that was measured."""
    lines = foresee(small_study({"study.seeds": seeds}), tmp_path / "new", prior=undisturbed.folder)
    (told,) = [line for line in lines if line.startswith("one: ")]
    sd = next(d.found.sd for d in undisturbed.answers.differences if d.metric == "psnr")
    least = float(told.split("true difference of ")[1].split(" dB")[0])
    assert f"pairs of seeds spread by {sd:.3f} dB" in told
    assert np.isclose(power_of(least, sd, seeds=seeds), 0.8, atol=0.01)


def test_more_seeds_show_smaller_differences(small_study, undisturbed, tmp_path):
    def least(seeds):
        study = small_study({"study.seeds": seeds})
        lines = foresee(study, tmp_path / "new", prior=undisturbed.folder)
        return float(lines[2].split("true difference of ")[1].split(" dB")[0])

    assert least(2) > least(3) > least(5) > least(30) > 0


def test_a_study_that_was_begun_is_planned_by_its_own_runs(small_study, undisturbed):
    lines = foresee(small_study({"study.seeds": 9}), undisturbed.folder)
    assert lines[0].startswith("18 runs")
    assert lines[2].startswith("one: a true difference of ")


def test_a_test_folder_may_have_moved_since(small_study, undisturbed, thumbs, tmp_path):
    """The study's file names a folder of yesterday; the set of that name is found today."""
    shutil.copytree(undisturbed.folder, tmp_path / "a")
    path = tmp_path / "a" / "study.toml"
    path.write_text(path.read_text().replace(str(thumbs / "one"), str(tmp_path / "gone" / "one")))
    assert foresee(small_study(), tmp_path / "a")[2].startswith("one: ")
    assert carry_out(small_study(), tmp_path / "a", quiet=True).answers.missing == ()


def test_a_prior_without_a_study_is_named(small_study, tmp_path):
    with pytest.raises(InputError) as caught:
        foresee(small_study(), tmp_path / "a", prior=tmp_path / "b")
    assert str(caught.value) == f"{tmp_path / 'b'} holds no study: it has no study.toml."


def test_the_family_is_pairs_by_sets_by_budgets(small_study):
    losses = ["l1", "mse", "ssim", "fft"]
    question = small_study({"study.losses": losses, "study.steps": [10, 20]}).question
    assert family_size(question, 3) == 3 * 3 * 2
    assert family_size(replace(question, against="all"), 3) == 6 * 3 * 2


def test_a_network_that_scores_and_trains_is_told():
    alex = Question(losses=("l1", "l1 + lpips(net='alex')"), metrics=("psnr", "lpips"))
    told = [line for line in plan_lines(alex, None) if "looks through the network" in line]
    assert len(told) == 1
    assert told[0].startswith("l1 + lpips(net='alex'): lpips(net='alex') looks")
    squeeze = replace(alex, losses=("l1", "l1 + lpips(net='squeeze')"))
    assert not any("looks through" in line for line in plan_lines(squeeze, None))
