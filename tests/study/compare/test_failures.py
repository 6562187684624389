"""An arm that fails is told of and written down; the others go on and are answered."""

import threading
import time

import pytest

from acutance.errors import InputError, RunError
from acutance.study.compare import ground, runs
from acutance.study.compare.page import write_page
from acutance.study.compare.runs import claim
from acutance.study.compare.study import carry_out
from acutance.training.display import Silent

DIVERGED = RunError("The term 'ssim' became nan.")


@pytest.fixture
def three(small_study):
    """Three arms; the third will fail where a test says so."""
    return small_study({"study.losses": ["l1", "mse", "ssim"]})


def test_a_failed_arm_is_written_down_and_the_others_are_answered(three, workshop, tmp_path):
    workshop.faults["ssim"] = DIVERGED
    answers = carry_out(three, tmp_path / "a", quiet=True).answers
    assert answers.missing == ("ssim, 6 steps, seed 0", "ssim, 6 steps, seed 1")
    assert {(d.arm, d.against) for d in answers.differences} == {("mse", "l1")}
    assert len(workshop.trained) == 6  # nobody was tried twice
    for seed in range(2):
        note = tmp_path / "a" / "arms" / "ssim" / "steps-6" / f"seed-{seed}" / "failed.txt"
        assert note.read_text() == "The term 'ssim' became nan.\n"
    assert "Not carried out: ssim, 6 steps, seed 1." in (tmp_path / "a" / "results.md").read_text()


def test_what_a_strangers_loss_raises_stops_its_arm_alone(three, workshop, capsys, tmp_path):
    workshop.faults["ssim"] = ZeroDivisionError("of a plugin")
    answers = carry_out(three, tmp_path / "a").answers
    assert len(answers.missing) == 2
    assert {d.arm for d in answers.differences} == {"mse"}
    assert "ssim, 6 steps, seed 0 failed: ZeroDivisionError: of a plugin" in capsys.readouterr().err
    note = tmp_path / "a" / "arms" / "ssim" / "steps-6" / "seed-0" / "failed.txt"
    assert note.read_text().startswith("Traceback")
    assert note.read_text().endswith("ZeroDivisionError: of a plugin\n")


def test_the_same_command_tries_again(three, workshop, tmp_path):
    workshop.faults["ssim"] = DIVERGED
    carry_out(three, tmp_path / "a", quiet=True)
    workshop.faults.clear()
    workshop.trained.clear()
    answers = carry_out(three, tmp_path / "a", quiet=True).answers
    assert answers.missing == ()
    assert workshop.trained == [("ssim", 6, 0), ("ssim", 6, 1)]
    assert list(tmp_path.rglob("failed.txt")) == []


def test_a_failed_first_arm_leaves_means_and_nothing_to_be_held_against(three, workshop, tmp_path):
    workshop.faults["l1"] = DIVERGED
    answers = carry_out(three, tmp_path / "a", quiet=True).answers
    assert {mean.arm for mean in answers.means} == {"mse", "ssim"}
    assert answers.differences == ()
    assert (tmp_path / "a" / "results.csv").exists()


def test_a_seed_that_failed_in_one_arm_is_left_out_of_all(three, workshop, monkeypatch, tmp_path):
    """Pairs are what is compared: a mean over other seeds would be another mean."""

    def train(recipe, folder, display, *, pictures):
        if (recipe.loss.expression, recipe.seed) == ("ssim", 0):
            raise DIVERGED
        workshop.train(recipe, folder, display, pictures=pictures)

    monkeypatch.setattr(runs, "train", train)
    answers = carry_out(three, tmp_path / "a", quiet=True).answers
    assert {mean.seeds for mean in answers.means} == {1}
    assert {d.verdict.word for d in answers.differences} == {"not enough seeds"}


@pytest.mark.parametrize("failed", [("l1",), ("l1", "mse"), ("l1", "mse", "ssim")])
def test_the_page_is_written_whatever_failed(failed, made_study):
    lost = tuple((loss, seed) for loss in failed for seed in range(4))
    made = made_study(("l1", "mse", "ssim"), unfinished=lost)
    write_page(made.page, made.study, made.answers, made.runs, made.record)
    assert len(made.answers.missing) == len(lost)
    assert "ssim, 2,000 steps, seed 0" in made.page.read_text() or "ssim" not in failed


def test_a_damaged_file_of_scores_is_named(three, workshop, tmp_path):
    carry_out(three, tmp_path / "a", quiet=True)
    path = tmp_path / "a" / "arms" / "mse" / "steps-6" / "seed-1" / "test.json"
    for content in (path.read_bytes()[:50], b"\xff\xfe", b"{}"):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            carry_out(three, tmp_path / "a", quiet=True)
        assert str(caught.value) == f"{path} is damaged. Delete it and give the same command."
    path.unlink()
    workshop.trained.clear()
    assert carry_out(three, tmp_path / "a", quiet=True).answers.missing == ()
    assert workshop.trained == []  # the model was there, and was scored again


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2] + "\n[", "is not valid TOML"),
        (lambda text: text.partition("[recipe.data]")[0], "it has no [recipe], [plan], [step_s]"),
        (lambda text: text.replace("fingerprint", "finger"), "is damaged"),
        (lambda text: text.replace("[step_s]\nl1 =", "[step_s]\nl2 ="), "is damaged ('l1')"),
        (lambda text: text + "\udcff", "is not valid TOML"),
    ],
    ids=["cut off", "no runs", "no plan", "no pace", "no text"],
)
def test_a_damaged_record_is_named(spoil, message, three, workshop, tmp_path):
    carry_out(three, tmp_path / "a", quiet=True)
    path = tmp_path / "a" / "study.toml"
    path.write_text(spoil(path.read_text()), errors="surrogateescape")
    with pytest.raises(InputError) as caught:
        carry_out(three, tmp_path / "a", quiet=True)
    assert str(caught.value).startswith(f"{path} is ")
    assert message in str(caught.value)
    assert str(caught.value).endswith("Choose another --run.")


def test_a_place_is_worked_on_by_one_alone(tmp_path):
    with claim(tmp_path) as first, claim(tmp_path) as second:
        assert (first, second) == (True, False)
    with claim(tmp_path) as later:
        assert later


def test_who_waits_gets_the_place_after_the_other(tmp_path):
    order = []

    def hold():
        with claim(tmp_path):
            held.set()
            time.sleep(0.2)
            order.append("first")

    held = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    with claim(tmp_path, wait=True) as mine:
        order.append("second")
    other.join()
    assert (order, mine) == (["first", "second"], True)


def test_two_that_begin_at_once_settle_once(small_study, workshop, monkeypatch, tmp_path):
    """What is timed differs from time to time: a second timing would be of another study."""
    asked, found = [], []

    def time_run(recipe, *_):
        asked.append(recipe.loss.expression)
        return 0.01 * len(asked)

    def settle():
        study = small_study({"study.equal": "time"})
        found.append(ground.settle(study, tmp_path / "a", jobs=1, display=Silent()))

    monkeypatch.setattr(ground, "time_run", time_run)
    pair = [threading.Thread(target=settle) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert asked == ["l1", "mse"]
    assert found[0].steps == found[1].steps == {"l1": {6: 6}, "mse": {6: 3}}
