"""`acutance compare` as a person meets it."""

import json
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from acutance.cli import main
from acutance.cli.compare import OPTIONS
from acutance.errors import RunError
from acutance.evaluation.scoring import Score, Scores
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.study.compare import ground, page, runs
from acutance.study.compare.question import Question
from acutance.training.recipe import Recipe, flatten

FIXED = ["--steps", "3", "--seeds", "2", "--patch", "16", "--batch", "2", "--threads", "1"]
FIXED += ["--precision", "fp32", "--device", "cpu", "--set", "log.every=1"]
ARMS = ["--loss", "l1", "--loss", "mse"]


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder to stand in: pictures to learn from, to watch by, and to judge by."""
    for place, (name, count) in enumerate({"photos": 4, "val": 1, "test": 2, "single": 1}.items()):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = np.random.default_rng((place, number)).integers(0, 255, (40, 40, 3), np.uint8)
            write_picture(tmp_path / name / f"p{number}.png", Picture(pixels))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    return tmp_path


@pytest.fixture
def command(desk, monkeypatch, capsys):
    """Give `acutance compare` in this process: (exit code, stdout, stderr)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["acutance", "compare", *words])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return (code, *capsys.readouterr())

    return run


def test_every_option_is_a_setting_that_exists():
    known = {f"study.{field.name}" for field in fields(Question)} | set(flatten(Recipe()))
    assert set(OPTIONS.values()) <= known


def test_a_study_prints_its_sentences_and_where_the_rest_is(command, desk):
    code, out, err = command("photos", *ARMS, "--test", "test", "--run", "a", *FIXED)
    assert code == 0, err
    said, blank, report = out.splitlines()
    assert said.startswith("mse against l1 at 3 steps: ")
    assert (blank, report) == ("", "a/report.html")
    assert "4 runs: 2 losses, 2 seeds, 3 steps; 12 steps in all" in err
    assert "mse, 3 steps, seed 1 done" in err
    for name in ("study.toml", "results.json", "results.csv", "results.md", "report.html"):
        assert (desk / "a" / name).exists()
    for run in (desk / "a" / "arms").glob("*/*/seed-*"):
        assert {"run.toml", "log.jsonl", "model.safetensors", "test.json"} <= {
            path.name for path in run.iterdir()
        }
    # its own file is the command, too, and a quiet one says nothing but the answer
    code, again, err = command("--file", "a/study.toml", "--quiet", "--json")
    assert (code, err) == (0, "")
    assert json.loads(again) == json.loads((desk / "a" / "results.json").read_text())
    assert json.loads(again)["verdicts"] == [said]


@pytest.mark.parametrize("name", ["mine.toml", "study.toml"])  # as a study's own file is called
def test_a_file_says_what_options_say(name, command, desk):
    (desk / name).write_text(
        '[study]\nlosses = ["l1", "90% l1 + 10% mse"]\ntest = ["test"]\nsteps = [2, 3]\n'
        'seeds = 2\nmetrics = ["ssim"]\n\n[data]\nphotos = ["photos"]\npatch = 16\nbatch = 2\n'
    )
    code, out, err = command("--file", name, "--loss", "l1", "--loss", "mse", "--plan")
    assert code == 0, err
    assert out.startswith("8 runs: 2 losses, 2 seeds, 2 and 3 steps; 20 steps in all\n")
    assert err == ""
    assert (
        not (desk / name).with_suffix("").exists()
    )  # where the study would be; --plan trains nothing


BAD = {
    "an unknown loss": (
        [*ARMS, "--loss", "ssim", "--loss", "fft", "--loss", "charbonier", "--test", "test"],
        "Arm 5, 'charbonier': Unknown loss 'charbonier'. Did you mean 'charbonnier'?",
    ),
    "an open weight": (
        ["--loss", "l1", "--loss", "l1 + w*fft", "--test", "test"],
        "Arm 2, 'l1 + w*fft', leaves w open. Give numbers, or look for them by acutance tune.",
    ),
    "equal arms written differently": (
        ["--loss", "l1 + mse", "--loss", "ssim", "--loss", "1*l1+mse", "--test", "test"],
        "Arms 1 and 3 are the same loss, 'l1 + mse'. Leave one out",
    ),
    "an arm that the network cannot have": (
        [*ARMS, "--loss", "gaussian_nll", "--test", "test"],
        "Arm 3, 'gaussian_nll', cannot be trained: ",
    ),
    "one arm": (["--loss", "l1", "--test", "test"], "A comparison needs two losses or more"),
    "one seed": (
        [*ARMS, "--test", "test", "--seeds", "1"],
        "One seed cannot tell a difference from chance. Use --seeds 5, or 2 at the least.",
    ),
    "no budget": ([*ARMS, "--test", "test", "--steps", ","], "No budget is given: --steps 3000"),
    "a budget of none": ([*ARMS, "--test", "test", "--steps", "0"], "study.steps: "),
    "a budget in words": (
        [*ARMS, "--test", "test", "--steps", "many"],
        "Write whole numbers: 1000",
    ),
    "no test set": (ARMS, "Nothing to judge by: name --test FOLDER, pictures never trained on."),
    "one test picture": (
        [*ARMS, "--test", "single"],
        "One test picture says nothing about others. Name --test folders with more",
    ),
    "a test set that is not there": ([*ARMS, "--test", "Set55"], "Set55 is not a folder."),
    "two test sets of one name": (
        [*ARMS, "--test", "test", "--test", "test"],
        "Two of the folders are named test.",
    ),
    "a test picture that is learned from": (
        [*ARMS, "--test", "photos"],
        "photos/p0.png is both a test picture and one to learn from",
    ),
    "an unknown metric": (
        [*ARMS, "--test", "test", "--metrics", "psnr,lpip"],
        "Unknown metric 'lpip'. Did you mean 'lpips'?",
    ),
    "an unknown primary metric": (
        [*ARMS, "--test", "test", "--primary", "psmr"],
        "Unknown metric 'psmr'. Did you mean 'psnr'?",
    ),
    "an unknown protocol": ([*ARMS, "--test", "test", "--protocol", "y@2"], "y@2"),
    "a protocol that the network cannot keep": (
        [*ARMS, "--test", "test", "--protocol", "table@1", "--set", "network.color=rgb"],
        "table@1 enlarges luma alone, which compact:nano cannot. Use --protocol y@1",
    ),
    "weights that are not at hand": ([*ARMS, "--test", "test", "--metrics", "lpips"], "weights"),
    "a test picture too small for a metric": (
        [*ARMS, "--test", "test", "--metrics", "niqe"],
        "is too small to be scored",
    ),
    "a setting of the study's own": (
        [*ARMS, "--test", "test", "--set", "loss.expression=mse"],
        "loss.expression (command line) is a study's own. Use --loss, once for each arm.",
    ),
    "an unknown setting": (
        [*ARMS, "--test", "test", "--set", "optim.rat=1"],
        "Unknown setting 'optim.rat' (command line). Did you mean 'optim.rate'?",
    ),
    "an unknown setting of the study": (
        [*ARMS, "--test", "test", "--set", "study.seed=7"],
        "Unknown setting 'study.seed' (command line). Did you mean 'study.seeds'?",
    ),
    "a prior that is none": (
        [*ARMS, "--test", "test", "--prior", "photos", "--plan"],
        "photos holds no study: it has no study.toml.",
    ),
    "drawn pictures and nothing to watch by": (
        [*ARMS, "--test", "test", "--data", "procedural:3", "--no-photos"],
        "name --val FOLDER",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_before_anything_is_trained(case, command, desk):
    words, message = BAD[case]
    photos = [] if "--no-photos" in words else ["photos"]
    words = [word for word in words if word != "--no-photos"]
    code, out, err = command(*photos, *FIXED, *words, "--run", "a", "--quiet")
    assert code == 2, err
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not (desk / "a" / "arms").exists()
    assert not (desk / "a" / "study.toml").exists()


def test_the_folder_must_be_named(command):
    code, _, err = command("photos", *ARMS, "--test", "test")
    assert code == 2
    assert "Name the study's folder: --run NAME." in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optim]\nrate = 1e-3\n", 'it has no [study] with losses = ["l1", ...].'),
        ("[study]\nlosses = 'l1'\ntest = ['test']\n", "study.losses: "),
        ("[study\n", "is not valid TOML"),
        ("[study]\nlosses = ['l1', 'mse']\n[loss]\nexpression = 'l1'\n", "is a study's own"),
    ],
)
def test_a_file_that_is_no_study_is_named(text, message, command, desk):
    (desk / "mine.toml").write_text(text)
    code, _, err = command("photos", "--file", "mine.toml", "--run", "a")
    assert code == 2
    assert message in err
    assert not (desk / "a").exists()


@pytest.fixture
def stubbed(monkeypatch):
    """Training is left out; what it would raise stands in `faults`, by loss."""
    faults: dict[str, Exception] = {}

    def train(recipe, folder, *_, pictures):
        assert len(pictures.pool)
        if recipe.loss.expression in faults:
            raise faults[recipe.loss.expression]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.safetensors").touch()
        (folder / "log.jsonl").write_text('{"event": "end"}\n')

    def evaluate(run, data, *, protocol, metrics, **_made_by):
        place = Path(data)
        rows = [
            Score(place.name, path.stem, metric, 30 + len(run.parts) * 1e-3, protocol)
            for path in place.iterdir()
            for metric in metrics
        ]
        return Scores("made up", 2, protocol, tuple(rows))

    monkeypatch.setattr(runs, "train", train)
    monkeypatch.setattr(runs, "evaluate", evaluate)
    monkeypatch.setattr(ground, "time_run", lambda *_: 0.01)
    monkeypatch.setattr(page, "write_page", lambda *_: None)
    return faults


def test_a_failed_arm_is_exit_code_1_after_the_answers(command, stubbed):
    stubbed["ssim"] = RunError("The term 'ssim' became nan.")
    words = ["photos", *ARMS, "--loss", "ssim", "--test", "test", "--run", "a", *FIXED]
    code, out, err = command(*words)
    assert code == 1
    assert out.startswith("mse against l1 at 3 steps: no difference in psnr shown on test (")
    assert "ssim, 3 steps, seed 0 failed: The term 'ssim' became nan.\n" in err
    assert err.splitlines()[-1] == (
        "acutance: 2 runs failed, and the answers are without them: ssim, 3 steps, seed 0; "
        "ssim, 3 steps, seed 1. failed.txt in a run's folder says why; the same command tries "
        "again."
    )
    stubbed.clear()
    code, _, err = command(*words)
    assert code == 0, err


def test_another_recipe_in_the_same_folder_is_refused(command, stubbed):
    words = ["photos", *ARMS, "--test", "test", "--run", "a", *FIXED]
    assert command(*words)[0] == 0
    code, _, err = command(*words, "--rate", "1e-3", "--quiet")
    assert code == 2
    assert "a holds a study of other runs:\n  optim.rate: 'auto' there, 0.001 now\n" in err


def test_one_may_stand_elsewhere_when_continuing(command, stubbed, desk, monkeypatch):
    """Folders are kept as they are found from anywhere."""
    assert command("photos", *ARMS, "--test", "test", "--run", "a", *FIXED)[0] == 0
    monkeypatch.chdir(desk / "val")
    words = ["../photos", *ARMS, "--test", "../test", "--run", "../a", *FIXED]
    code, _, err = command(*words)
    assert code == 0, err
