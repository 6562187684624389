"""The same command with more in it: what is there is kept, what is missing is made, once."""

import tomllib
from itertools import product

import pytest

from acutance.errors import InputError
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.study.compare import ground
from acutance.study.compare.study import carry_out
from acutance.study.compare.wording import sentences
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.record import read_log

ARMS = ("l1", "mse")


@pytest.fixture
def begun(small_study, workshop, tmp_path):
    """The small study, done by the workshop; what it did is forgotten."""
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert workshop.trained == [(arm, 6, seed) for seed, arm in product(range(2), ARMS)]
    workshop.trained.clear()
    workshop.scored.clear()
    return tmp_path / "a"


def test_more_seeds_train_only_these(begun, small_study, workshop):
    outcome = carry_out(small_study({"study.seeds": 4}), begun, quiet=True)
    assert workshop.trained == [(arm, 6, seed) for seed, arm in product((2, 3), ARMS)]
    assert outcome.answers.differences[0].found.seeds == 4


def test_one_more_arm_trains_only_it(begun, small_study, workshop):
    study = small_study({"study.losses": [*ARMS, "ssim"]})
    outcome = carry_out(study, begun, quiet=True)
    assert workshop.trained == [("ssim", 6, 0), ("ssim", 6, 1)]
    assert {d.arm for d in outcome.answers.differences} == {"mse", "ssim"}


def test_an_arm_left_out_stays_on_disk_and_out_of_the_answers(begun, small_study, workshop):
    carry_out(small_study({"study.losses": [*ARMS, "ssim"]}), begun, quiet=True)
    outcome = carry_out(small_study(), begun, quiet=True)
    assert {mean.arm for mean in outcome.answers.means} == set(ARMS)
    assert (begun / "arms" / "ssim" / "steps-6" / "seed-1" / "test.json").exists()


def test_one_more_metric_is_all_that_is_scored(begun, small_study, workshop):
    study = small_study({"study.metrics": ["psnr", "ssim", "lr_psnr"]})
    outcome = carry_out(study, begun, quiet=True)
    assert (workshop.trained, workshop.scored) == ([], [("one", ("lr_psnr",))] * 4)
    assert {mean.metric for mean in outcome.answers.means} == {"psnr", "ssim", "lr_psnr"}


def test_one_more_test_set_is_all_that_is_scored(begun, small_study, workshop, thumbs):
    study = small_study({"study.test": [str(thumbs / "one"), str(thumbs / "two")]})
    outcome = carry_out(study, begun, quiet=True)
    assert (workshop.trained, workshop.scored) == ([], [("two", ("psnr", "ssim"))] * 4)
    assert {mean.set for mean in outcome.answers.means} == {"one", "two"}


def test_a_picture_more_or_less_in_a_test_set_is_noticed(small_study, workshop, thumbs, tmp_path):
    folder = tmp_path / "growing"
    folder.mkdir()
    pixels = read_rgb(thumbs / "one" / "p0.png")
    for name in ("a", "b"):
        write_picture(folder / f"{name}.png", Picture(pixels))
    study = small_study({"study.test": [str(folder)]})
    counts = []
    for change in (None, lambda: write_picture(folder / "c.png", Picture(pixels)), None):
        if change is not None:
            change()
        found = carry_out(study, tmp_path / "s", quiet=True).answers.differences[0].found
        counts.append(found.pictures)
    (folder / "a.png").unlink()
    found = carry_out(study, tmp_path / "s", quiet=True).answers.differences[0].found
    assert [*counts, found.pictures] == [2, 3, 3, 2]
    assert len(workshop.trained) == 4  # nothing was trained again for it


def test_another_budget_has_its_own_folders_and_its_own_verdict(begun, small_study, workshop):
    outcome = carry_out(small_study({"study.steps": [12, 6]}), begun, quiet=True)
    assert workshop.trained == [(arm, 12, seed) for seed, arm in product(range(2), ARMS)]
    folders = {path.name for path in (begun / "arms" / "mse").iterdir()}
    assert folders == {"steps-6", "steps-12"}
    told = [sentence.partition(":")[0] for sentence in sentences(outcome.answers)]
    assert told == ["mse against l1 at 6 steps", "mse against l1 at 12 steps"]


def test_other_settings_of_the_runs_are_refused_with_the_differences(begun, small_study, workshop):
    with pytest.raises(InputError) as caught:
        carry_out(small_study({"data.batch": 4, "study.protocol": "rgb@1"}), begun, quiet=True)
    assert str(caught.value) == (
        f"{begun} holds a study of other runs:\n"
        "  data.batch: 2 there, 4 now\n"
        "  protocol: 'y@1' there, 'rgb@1' now\n"
        "Give the same command to continue it, or another --run for a new one."
    )
    assert workshop.trained == []


def test_other_training_pictures_are_refused(small_study, workshop, thumbs, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in "abc":
        write_picture(photos / f"{name}.png", Picture(read_rgb(thumbs / "two" / "p0.png")))
    study = small_study({"data.photos": [str(photos)]})
    carry_out(study, tmp_path / "s", quiet=True)
    (photos / "a.png").unlink()
    with pytest.raises(InputError, match="The training pictures have changed"):
        carry_out(study, tmp_path / "s", quiet=True)


@pytest.fixture
def clock(workshop, monkeypatch):
    """Seconds of a step by loss, and how often each was asked for."""
    pace, asked = {"l1": 0.01, "mse": 0.025}, []

    def time_run(recipe, *_):
        asked.append(recipe.loss.expression)
        return pace[recipe.loss.expression]

    monkeypatch.setattr(ground, "time_run", time_run)
    return pace, asked


def test_a_slower_arm_takes_fewer_steps(small_study, workshop, clock, tmp_path):
    study = small_study({"study.equal": "time", "study.steps": [10, 25]})
    outcome = carry_out(study, tmp_path / "a", quiet=True)
    taken = {(loss, steps) for loss, steps, _ in workshop.trained}
    assert taken == {("l1", 10), ("l1", 25), ("mse", 4), ("mse", 10)}  # 10 and 25 over 2.5
    assert {d.budget for d in outcome.answers.differences} == {10, 25}
    assert (tmp_path / "a" / "arms" / "mse" / "steps-25" / "seed-1").is_dir()


def test_the_pace_is_written_down_and_taken_for_good(small_study, workshop, clock, tmp_path):
    pace, asked = clock
    study = small_study({"study.equal": "time", "study.steps": [10]})
    carry_out(study, tmp_path / "a", quiet=True)
    record = tomllib.loads((tmp_path / "a" / "study.toml").read_text())
    assert record["step_s"] == pace
    pace["mse"] = 1.0  # another load on another day
    more = small_study({"study.equal": "time", "study.steps": [10], "study.seeds": 3})
    carry_out(more, tmp_path / "a", quiet=True)
    assert asked == ["l1", "mse"]
    assert workshop.trained[-2:] == [("l1", 10, 2), ("mse", 4, 2)]


def test_another_first_loss_is_refused_for_its_time_is_everyones(
    small_study, workshop, clock, tmp_path
):
    carry_out(small_study({"study.equal": "time"}), tmp_path / "a", quiet=True)
    turned = small_study({"study.equal": "time", "study.losses": ["mse", "l1"]})
    with pytest.raises(InputError, match="first loss, whose time is everyone's: 'l1' there"):
        carry_out(turned, tmp_path / "a", quiet=True)


def test_equal_steps_are_the_same_for_all_however_slow(small_study, workshop, clock, tmp_path):
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert {steps for _, steps, _ in workshop.trained} == {6}


def test_every_budget_has_its_own_full_schedule(small_study, tmp_path):
    """A short run is not a piece of a long one: its rate is low at its own end."""
    study, rates = small_study(), {}
    for budget in (3, 6):
        train(study.recipe_of("l1", budget, 0), tmp_path / str(budget), Silent())
        log = read_log(tmp_path / str(budget))
        rates[budget] = [event["rate"] for event in log if event["event"] == "step"]
    assert len(rates[3]) == 3
    assert rates[3][2] < rates[6][2] / 2
