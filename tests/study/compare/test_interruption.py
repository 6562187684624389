"""A study that was cut short, or that several processes work on, ends as one left alone."""

import shutil
import subprocess
import sys

import pytest

from acutance.study.compare.study import carry_out
from acutance.training.record import read_log


def times(folder):
    """When each file of the runs was written."""
    kept = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in kept}


def ends(folder):
    """How often each run came to its end."""
    runs = sorted((folder / "arms").glob("*/*/seed-*"))
    return [[e["event"] for e in read_log(run)].count("end") for run in runs]


def steps(folder):
    return [e["step"] for e in read_log(folder) if e["event"] == "step"]


def test_a_killed_study_ends_as_one_that_was_not(
    small_study, undisturbed, killed_command, found_of, tmp_path
):
    """Killed in its second run, after three steps of six; a snapshot is taken every second."""
    killed = killed_command(tmp_path / "a", steps=9, signal="SIGKILL")
    assert killed.returncode == -9, killed.stderr
    arms = tmp_path / "a" / "arms"
    assert steps(arms / "mse" / "steps-6" / "seed-0") == [1, 2]  # the third was not written yet
    before = times(arms / "l1" / "steps-6" / "seed-0")
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert times(arms / "l1" / "steps-6" / "seed-0") == before
    assert ends(tmp_path / "a") == [1, 1, 1, 1]
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)


@pytest.mark.slow
def test_ctrl_c_is_exit_code_130_and_the_same_command_goes_on(
    small_study, undisturbed, killed_command, found_of, tmp_path
):
    stopped = killed_command(tmp_path / "a", steps=9, signal="SIGINT")
    assert stopped.returncode == 130, stopped.stderr
    assert "Traceback" not in stopped.stderr
    run = tmp_path / "a" / "arms" / "mse" / "steps-6" / "seed-0"
    assert read_log(run)[-1]["event"] == "interrupted"
    assert not (run / "failed.txt").exists()
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)


def test_a_deleted_arm_is_made_again_and_no_other(small_study, undisturbed, found_of, tmp_path):
    shutil.copytree(undisturbed.folder, tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "arms" / "mse")
    before = times(tmp_path / "a" / "arms" / "l1")
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert times(tmp_path / "a" / "arms" / "l1") == before
    assert ends(tmp_path / "a") == [1, 1, 1, 1]
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)


def test_a_finished_study_given_again_trains_nothing(
    small_study, undisturbed, workshop, found_of, tmp_path
):
    shutil.copytree(undisturbed.folder, tmp_path / "a")
    before = times(tmp_path / "a" / "arms")
    record = (tmp_path / "a" / "study.toml").read_bytes()
    carry_out(small_study(), tmp_path / "a", quiet=True)
    assert (workshop.trained, workshop.scored) == ([], [])
    assert times(tmp_path / "a" / "arms") == before
    assert (tmp_path / "a" / "study.toml").read_bytes() == record
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)


@pytest.mark.slow
def test_two_processes_share_a_study(undisturbed, command, found_of, tmp_path):
    """Both are given the same command at once; each run is carried out by one of them."""
    words = [sys.executable, "-m", "acutance", *command(tmp_path / "a"), "--quiet"]
    pair = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=200)[1] for process in pair]
    assert [process.returncode for process in pair] == [0, 0], told
    assert ends(tmp_path / "a") == [1, 1, 1, 1]
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)


@pytest.mark.slow
def test_jobs_share_a_study(undisturbed, command, found_of, tmp_path, run_acutance):
    done = run_acutance(*command(tmp_path / "a"), "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert ends(tmp_path / "a") == [1, 1, 1, 1]
    assert found_of(tmp_path / "a") == found_of(undisturbed.folder)
