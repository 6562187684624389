"""What a study asks, and what it makes of it for each of its runs."""

from dataclasses import replace
from itertools import product

import pytest
import tomli_w

import acutance
from acutance.errors import InputError
from acutance.study.compare.question import RECORD, folder_name, make_study, read_study
from acutance.study.settings import home_of


def test_runs_differ_in_loss_steps_and_seed_alone(small_study):
    study = small_study()
    one, other = study.recipe_of("l1", 100, 0), study.recipe_of("mse", 300, 4)
    assert (other.loss.expression, other.stop.steps, other.seed) == ("mse", 300, 4)
    assert replace(other, loss=one.loss, stop=one.stop, seed=one.seed) == one


def test_all_seeds_hold_out_the_same_photographs(small_study):
    """With another hold-out a seed would also be another training set."""
    study = small_study()
    assert {study.recipe_of("l1", 5, seed).data.hold_out_seed for seed in range(3)} == {0}
    chosen = small_study({"data.hold_out_seed": 7})
    assert chosen.recipe_of("l1", 5, 1).data.hold_out_seed == 7


def test_losses_are_kept_in_canonical_form_and_lists_without_repetition(small_study):
    asked = {"study.losses": ["1*l1", "0.50*l1+mse"], "study.steps": [30, 10, 30]}
    asked |= {"study.metrics": ["ssim", "ssim"], "study.primary": "lr_psnr"}
    question = small_study(asked).question
    assert question.losses == ("l1", "0.5*l1 + mse")
    assert question.steps == (10, 30)
    assert question.metrics == ("lr_psnr", "ssim")


def test_a_study_survives_being_written_and_read(small_study, tmp_path):
    study = small_study({"study.losses": ["l1", "80% l1 + 20% ssim"], "optim.rate": 1e-3})
    path = tmp_path / "study.toml"
    path.write_text(tomli_w.dumps(study.to_tables()))
    assert make_study([("file", read_study(path))]) == study


def test_folders_of_a_file_are_relative_to_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[study]\nlosses = ["l1", "mse"]\ntest = ["a", "../b"]\nshow = ["c"]\n'
        '[data]\nphotos = ["cats"]\n'
    )
    settings = read_study(path)
    assert settings["study.test"] == [str(tmp_path / "a"), str(tmp_path.parent / "b")]
    assert settings["study.show"] == [str(tmp_path / "c")]
    assert settings["data.photos"] == [str(tmp_path / "cats")]


def test_a_record_lives_in_its_folder_and_another_file_beside_its_own(undisturbed, tmp_path):
    assert home_of(undisturbed.folder / "study.toml", RECORD) == undisturbed.folder
    for name in ("mine.toml", "study.toml"):
        (tmp_path / name).write_text("[study]\n")
        assert home_of(tmp_path / name, RECORD) == tmp_path / name.removesuffix(".toml")


def test_folder_names_are_short_legal_and_different():
    losses = ["l1", "l1 + mse", "l1 - mse", "0.5*l1 + mse", "l1 + mse(start=0.5)"]
    losses += [" + ".join(f"{weight}*l1" for weight in range(2, end)) for end in (60, 61)]
    names = [folder_name(loss) for loss in losses]
    assert names[0] == "l1"
    assert len(set(names)) == len(names)
    for name, character in product(names, '<>:"/\\|?*% ()+'):
        assert character not in name
    assert max(map(len, names)) <= 67


def test_the_verb_takes_paths_as_they_are_given(workshop, thumbs, tmp_path, monkeypatch):
    monkeypatch.chdir(thumbs)
    settings = {"study.steps": [3], "study.seeds": 2, "data.val": ["val"], "data.patch": 16}
    settings |= {"machine.threads": 1, "machine.precision": "fp32"}
    outcome = acutance.compare(
        ["two"], ["l1", "mse"], tmp_path / "a", test=["one"], settings=settings, quiet=True
    )
    assert (outcome.folder / "results.md").read_text().startswith("- mse against l1 at 3 steps: ")
    assert [d.verdict.word for d in outcome.answers.differences] == ["better", "better"]
    with pytest.raises(InputError, match="two losses or more"):
        acutance.compare(["two"], ["l1"], tmp_path / "b", test=["one"])
