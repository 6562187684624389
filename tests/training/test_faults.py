"""What goes wrong in a run is named, undone where it can be, and never costs a file."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import InputError, RunError
from acutance.losses.objective import Objective
from acutance.training.display import Silent
from acutance.training.guard import Guard
from acutance.training.loop import train
from acutance.training.record import read_log
from acutance.training.snapshots import newest_snapshot


@pytest.fixture
def poisoned(monkeypatch):
    """Make one term give NaN for one picture, at chosen steps, so many times."""

    def poison(term: int, picture: int, step: int, times: int) -> None:
        whole = Objective.combine
        left = [times]

        def combine(self, outputs, hr, moment, **options):
            made = whole(self, outputs, hr, moment, **options)
            if moment.step == step and left[0] > 0:
                left[0] -= 1
                made.finite[term, picture] = False
                made.gradient[picture] = float("nan")
            return made

        monkeypatch.setattr(Objective, "combine", combine)

    return poison


def test_a_bad_term_is_named_with_its_picture_and_the_run_goes_on(poisoned, small_recipe, tmp_path):
    poisoned(term=1, picture=2, step=33, times=1)
    recipe = small_recipe(stop__steps=60, loss__expression="l1 + 0.1*mse")
    outcome = train(recipe, tmp_path / "a", Silent())
    events = read_log(tmp_path / "a")
    fault = next(e for e in events if e["event"] == "fault")
    assert (fault["step"], fault["what"]) == (33, "the term 0.1*mse")
    assert len(fault["pictures"]) == 1
    assert fault["pictures"][0].startswith(("photos", "drawn"))
    back = next(e for e in events if e["event"] == "rollback")
    assert (back["step"], back["rate_factor"]) == (20, 0.5)
    assert outcome.steps == 60
    assert all(t.isfinite().all() for t in load_file(outcome.model).values())


def test_after_three_roll_backs_the_run_stops(poisoned, small_recipe, tmp_path):
    poisoned(term=0, picture=0, step=25, times=99)
    with pytest.raises(RunError, match="for the 4th time"):
        train(small_recipe(stop__steps=60), tmp_path / "a", Silent())
    events = [e["event"] for e in read_log(tmp_path / "a")]
    assert events.count("rollback") == 3
    kept = load_file(newest_snapshot(tmp_path / "a"))
    assert all(t.isfinite().all() for t in kept.values() if t.is_floating_point())


def test_a_diverging_rate_ends_with_exit_code_1(photo_folder, tmp_path, run_acutance):
    """Not injected: plain descent at an absurd rate, by the command."""
    done = run_acutance(
        "train", photo_folder, "--run", tmp_path / "a", "--optim", "sgd", "--rate", "1e18",
        "--steps", "60", "--threads", "1", "--precision", "fp32", "--patch", "32",
        "--set", "log.save_every=10", "--set", "log.every=5"
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "was not finite at step" in done.stderr
    assert "Try a lower optim.rate" in done.stderr


def test_guard_names_the_first_term_and_step():
    guard = Guard(("l1", "0.1*fft"), 4, torch.device("cpu"))
    network = torch.nn.Linear(2, 2)
    good = torch.ones(2, 4, dtype=torch.bool)
    bad = good.clone()
    bad[1, 3] = False
    guard.watch_terms(4, good)
    assert guard.look(4, network, None) is None
    guard.watch_terms(5, bad)
    guard.watch_terms(6, ~good)
    fault = guard.look(6, network, None)
    assert (fault.step, fault.what, fault.pictures) == (5, "the term 0.1*fft", (3,))
    guard.reset()
    assert guard.look(7, network, None) is None


def test_guard_sees_a_bad_gradient_and_bad_smooth_weights():
    guard = Guard(("l1",), 1, torch.device("cpu"))
    network, smooth = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    network.weight.grad = torch.full((2, 2), float("inf"))
    guard.watch_network(3, network)
    assert guard.look(3, network, smooth).what == "the gradient of the network"
    guard.reset()
    smooth.bias.data[0] = float("nan")
    assert guard.look(4, network, smooth).what == "the smooth weights"


def test_guard_places_the_pictures_of_a_part():
    guard = Guard(("l1",), 6, torch.device("cpu"))
    part = torch.tensor([[True, False, True]])
    guard.watch_terms(0, torch.ones(1, 3, dtype=torch.bool), 0)
    guard.watch_terms(0, part, 3)
    assert guard.look(0, torch.nn.Linear(1, 1), None).pictures == (4,)


def test_a_full_disk_leaves_the_last_snapshot_whole(small_recipe, tmp_path, monkeypatch):
    """Half of the third snapshot fits."""
    recipe = small_recipe(stop__steps=60)
    whole, calls = Path.write_bytes, [0]

    def write(path, data):
        calls[0] += path.parent.name == "state"
        if calls[0] <= 2:
            return whole(path, data)
        whole(path, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(RunError, match="the disk is full"):
        train(recipe, tmp_path / "a", Silent())
    monkeypatch.setattr(Path, "write_bytes", whole)
    newest = newest_snapshot(tmp_path / "a")
    assert newest.name == "step-00000020.safetensors"
    assert not list((tmp_path / "a" / "state").glob(".*"))  # nothing half-written is left
    assert train(recipe, tmp_path / "a", Silent()).steps == 60


def test_a_file_limit_of_the_system_is_told_apart(photo_folder, tmp_path):
    """The real thing: the system refuses to write a file beyond 20 kB."""
    command = [sys.executable, "-m", "acutance", "train", str(photo_folder), "--run",
               str(tmp_path / "a"), "--steps", "40", "--threads", "1", "--precision", "fp32",
               "--patch", "32"]  # fmt: skip
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 1, done.stderr
    assert "larger than this system allows" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_folder_is_an_error_in_one_line(small_recipe, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(RunError, match=r"Cannot write .*run\.toml"):
        train(small_recipe(stop__steps=5), blocked / "a", Silent())


def test_corrupt_and_tiny_pictures_are_named_before_the_first_step(
    small_recipe, photo_folder, tmp_path
):
    import shutil

    folder = tmp_path / "photos"
    shutil.copytree(photo_folder, folder)
    (folder / "broken.png").write_bytes((folder / "drawn0.png").read_bytes()[:300])
    (folder / "words.jpg").write_text("not a picture")
    recipe = small_recipe(stop__steps=5, data__photos=[str(folder)], data__val=[str(photo_folder)])
    with pytest.raises(InputError) as caught:
        train(recipe, tmp_path / "a", Silent())
    assert "broken.png" in str(caught.value)
    assert "words.jpg" in str(caught.value)
    assert not (tmp_path / "a" / "run.toml").exists()


def test_a_patch_too_small_for_a_term_is_refused_before_the_first_step(small_recipe, tmp_path):
    recipe = small_recipe(stop__steps=5, data__patch=8, loss__expression="l1 + ssim")
    with pytest.raises(InputError, match=r"ssim.*11"):
        train(recipe, tmp_path / "a", Silent())
    assert not (Path(tmp_path) / "a" / "run.toml").exists()


def test_what_is_not_finite_from_the_first_step_is_not_put_down_to_the_rate(
    small_recipe, tmp_path, monkeypatch
):
    monkeypatch.setattr("acutance.losses.pixel.l1.l1", lambda sr, hr: (sr - hr).mean((1, 2, 3)) / 0)
    with pytest.raises(RunError, match="the rate is not the cause") as caught:
        train(small_recipe(stop__steps=60), tmp_path / "a", Silent())
    assert "by acutance check-loss" in str(caught.value)
    assert "Try a lower optim.rate" not in str(caught.value)
