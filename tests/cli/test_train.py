"""`acutance train` as a person meets it."""

import re
import sys

import pytest
from click.testing import CliRunner

from acutance.cli import main
from acutance.cli.train import OPTIONS, train
from acutance.errors import InputError
from acutance.training.recipe import Recipe, flatten

FIXED = ["--threads", "1", "--precision", "fp32", "--patch", "32", "--batch", "4"]


def test_every_option_is_a_setting_that_exists():
    assert set(OPTIONS.values()) <= set(flatten(Recipe()))


def test_a_run_needs_no_config_file_and_prints_its_model(
    run_acutance, run_within, photo_folder, tmp_path
):
    run = tmp_path / "a"
    done = run_acutance("train", photo_folder, "--steps", 20, "--run", run, *FIXED)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{run / 'model.safetensors'}\n"  # stdout is data, the rest is stderr
    assert "validation PSNR-Y" in done.stderr
    again = run_within("train", photo_folder, "--steps", 20, "--run", run, *FIXED)
    assert again.returncode == 0
    assert "continuing" in again.stderr
    other = run_acutance("train", photo_folder, "--steps", 30, "--run", run, *FIXED)
    assert other.returncode == 2
    assert "stop.steps: 20 there, 30 now" in other.stderr
    assert "Traceback" not in other.stderr


@pytest.mark.slow  # it sits out the minutes; the quickstart has some, too
def test_minutes_become_steps_that_are_written_down(run_acutance, photo_folder, tmp_path):
    import time
    import tomllib

    start = time.monotonic()
    done = run_acutance("train", photo_folder, "--minutes", 0.15, "--run", tmp_path / "a")
    taken = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    tables = tomllib.loads((tmp_path / "a" / "run.toml").read_text())
    assert tables["plan"]["steps"] > 5
    assert tables["plan"]["precision"] in {"fp32", "bf16"}
    assert tables["plan"]["step_s"] > 0
    assert taken < 40  # 9 seconds were asked for; another load may slow the steps


def test_print_config_shows_every_setting_and_where_it_comes_from(tmp_path):
    config = tmp_path / "my.toml"
    config.write_text("[optim]\nrate = 1e-3\n")
    arguments = ["--config", str(config), "--set", "data.batch=8", "--loss", "mse"]
    shown = CliRunner().invoke(train, [*arguments, "--print-config"])
    assert shown.exit_code == 0
    lines = {line.partition("=")[0].strip(): line for line in shown.stdout.splitlines()}
    assert lines.keys() == flatten(Recipe()).keys()
    assert lines["optim.rate"].endswith(f"# {config}")
    assert lines["data.batch"].endswith("# command line")
    assert re.search(r"loss.expression += 'mse' .*# command line", lines["loss.expression"])
    assert lines["seed"].endswith("# default")


def test_dry_run_says_what_it_would_take_and_writes_nothing(run_within, photo_folder, tmp_path):
    done = run_within(
        "train", photo_folder, "--steps", 100, "--run", tmp_path / "a", "--dry-run", *FIXED
    )
    assert done.returncode == 0, done.stderr
    for name in ("parameters", "multiply-adds", "a step", "time left", "memory", "disk"):
        assert name in done.stdout
    assert "14,660" in done.stdout  # compact:nano, counted by hand in the models' tests
    assert not (tmp_path / "a").exists()


def test_multiply_adds_are_those_of_the_convolutions(run_within, photo_folder):
    """Every weight is used once for each of 16 x 16 lr pixels: 14,660 less its 117 biases."""
    biases = 16 * 7 + 4
    done = run_within("train", photo_folder, "--steps", 100, "--dry-run", *FIXED)
    shown = re.search(r"multiply-adds a patch +([\d.,]+) M", done.stdout)
    assert shown is not None, done.stdout
    assert float(shown[1]) == pytest.approx((14_660 - biases) * 256 / 1e6, abs=0.06)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos", "--run", "a", "--loss", "l2x"], "l2"),
        (["photos", "--run", "a", "--network", "compactt"], "Did you mean 'compact'?"),
        (["photos", "--run", "a", "--set", "optim.rat=1"], "Did you mean 'optim.rate'?"),
        (["photos", "--run", "a", "--loss", "l1 + w*fft"], "'w' stands for a weight"),
        (["nowhere", "--run", "a"], "nowhere"),
        (["--run", "a"], "No photographs given"),
        (["procedural:3", "--run", "a"], "--val"),
        (["photos"], "--run"),
    ],
)
def test_bad_input_is_told_in_one_message_and_exit_code_2(
    arguments, message, run_within, photo_folder, tmp_path
):
    given = [photo_folder if a == "photos" else a for a in arguments]
    given = [tmp_path / "a" if a == "a" else a for a in given]
    done = run_within("train", *given)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a" / "run.toml").exists()


def test_an_error_is_raised_for_a_setting_without_value():
    result = CliRunner().invoke(train, ["photos", "--set", "optim.rate", "--run", "a"])
    assert isinstance(result.exception, InputError)


@pytest.mark.parametrize(
    ("words", "said"), [(["--set", "optim.rat=1"], "optim.rat"), (["--nonsense"], "No such option")]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_of_several_processes_one_says_what_is_wrong(monkeypatch, capsys, words, said, is_first):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("acutance.training.processes.is_first_to_tell", lambda: is_first)
    monkeypatch.setattr(sys, "argv", ["acutance", "train", "photos", "--run", "a", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert (said in capsys.readouterr().err) == is_first
