"""`acutance tune` as a person meets it."""

import json
import re
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from acutance.cli import main
from acutance.cli.tune import OPTIONS
from acutance.errors import RunError
from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.study.tune import outcome, search
from acutance.study.tune.question import Search
from acutance.training.recipe import Recipe, flatten

FIXED = "--steps 4 --rungs 2 --trials 2 --front 1 --again 2 --patch 16 --batch 2 --threads 1"
FIXED = [*FIXED.split(), "--precision", "fp32", "--device", "cpu", "--val", "val"]
LOSS = ["--loss", "l1 + w*mse", "--range", "w=0.01..1:log"]
JUDGED = ["--objective", "psnr,ssim"]
ASKED = [*LOSS, *JUDGED, *FIXED]


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """A folder to stand in: pictures to learn from, and to judge by; no weights at hand."""
    for place, (name, count) in enumerate({"photos": 3, "val": 2}.items()):
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
    """Give `acutance tune` in this process: (exit code, stdout, stderr)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["acutance", "tune", *words])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def stubbed(monkeypatch):
    """Training is left out: larger weights are better. Errors in `faults` come by trial."""
    faults: dict[int, Exception] = {}

    def run_trial(recipe, folder, *, halts, **_others):
        if int(folder.name) in faults:
            raise faults[int(folder.name)]
        values = [len(recipe.loss.expression) + float(recipe.seed)] * 2
        for step in halts.stops:
            halts.goes_on(step, values)
        return values

    def run_trial_table(recipe, _folder, **_others):
        return np.full((2, 2), float(recipe.seed))

    monkeypatch.setattr(search, "run_trial", run_trial)
    monkeypatch.setattr(outcome, "run_trial_table", run_trial_table)
    return faults


def test_every_option_is_a_setting_that_exists():
    known = {f"tune.{field.name}" for field in fields(Search)} | set(flatten(Recipe()))
    assert set(OPTIONS.values()) <= known


def test_a_search_prints_its_front_and_how_to_train_with_it(command, desk):
    """Without stand-ins, and then one of its picks is trained with."""
    code, out, err = command("photos", *ASKED, "--run", "a")
    assert code == 0, err
    assert out.startswith("trial  loss")
    assert re.search(r"^\s+\d  l1 \+ [\d.]+\*mse ", out, re.MULTILINE)
    assert "\n2 trials, " in out
    assert "acutance tune apply a balanced --run runs/balanced\n" in out
    names = {path.name for path in (desk / "a").iterdir()}
    assert {"tune.toml", "results.json", "trials.journal", "trials", "again"} <= names
    # its own file is the command, too, and a quiet one says nothing but the answer
    code, again, err = command("--file", "a/tune.toml", "--quiet", "--json")
    assert (code, err) == (0, "")
    found = json.loads((desk / "a" / "results.json").read_text())
    assert json.loads(again) == found
    # a pick is trained with, by the search's own settings
    code, out, err = command("apply", "a", "balanced", "--run", "b", "--minutes", "0.001")
    assert (code, Path(out.strip()).resolve()) == (0, desk / "b" / "model.safetensors"), err
    assert (desk / "b" / "model.safetensors").exists()
    recipe = tomllib.loads((desk / "b" / "run.toml").read_text())["recipe"]
    (pick,) = [m["trial"]["loss"] for m in found["front"] if "balanced" in m["names"]]
    assert recipe["loss"]["expression"] == pick
    assert (recipe["data"]["patch"], recipe["data"]["val"]) == (16, [str(desk / "val")])
    assert recipe["log"]["tensorboard"] == "auto"  # of trials nobody looks at it is off


def test_a_file_of_ones_own_lives_beside_its_search(command, stubbed, desk):
    """Also one that is called as a search's own record is."""
    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    found = tomllib.loads((desk / "a" / "tune.toml").read_text())
    text = tomli_w.dumps({key: found[key] for key in ("tune", "recipe")})
    (desk / "tune.toml").write_text(text)
    code, _, err = command("--file", "tune.toml", "--quiet", "--json")
    assert code == 0, err
    assert (desk / "tune" / "results.json").exists()
    assert (desk / "tune.toml").read_text() == text


def test_apply_takes_a_trial_by_its_number(command, stubbed, desk):
    from acutance.study.tune.tuning import loss_of

    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    found = json.loads((desk / "a" / "results.json").read_text())
    assert loss_of(desk / "a", "1") == found["trials"][1]["loss"]
    assert loss_of(desk / "a", "most-faithful") == loss_of(desk / "a", "most faithful")


def test_a_pool_gives_shares(command, stubbed, desk):
    words = ["photos", "--terms", "l1, mse, fft", *JUDGED, *FIXED, "--run", "a", "--quiet"]
    code, _, err = command(*words, "--json")
    assert code == 0, err
    found = json.loads((desk / "a" / "results.json").read_text())
    for trial in found["trials"]:
        assert sum(map(int, re.findall(r"(\d+)%", trial["loss"]))) in (100, 0)


def test_a_failed_trial_is_told_and_the_answer_counts_it(command, stubbed):
    stubbed[0] = RunError("The term 'mse' became nan.")
    code, out, err = command("photos", *ASKED, "--run", "a")
    assert code == 0, err
    assert re.search(r"trial 0, l1 \+ [\d.]+\*mse, failed: The term 'mse' became nan\.\n", err)
    assert "\n1 trials, 4 steps, 1 failed; " in out


def test_nothing_but_failures_is_exit_code_1(command, stubbed):
    stubbed |= {0: RunError("nan"), 1: RunError("nan")}
    code, out, err = command("photos", *ASKED, "--run", "a", "--quiet")
    assert (code, out) == (1, "")
    assert err == (
        "acutance: No trial of a came to its end; 2 failed. The logs in trials/ say why.\n"
    )


BAD = {
    "a name without a range": (
        ["--loss", "l1 + w*mse", *JUDGED],
        "No range for w: give --range w=0.01..1:log.",
    ),
    "a range without a name": (
        [*LOSS, "--range", "v=0..1", *JUDGED],
        "--range v: 'l1 + w*mse' has no such name.",
    ),
    "a range that is none": (
        ["--loss", "l1 + w*mse", "--range", "w", *JUDGED],
        "'w'. Write NAME=LOW..HIGH, such as w=0.01..1:log.",
    ),
    "a range in words": (
        ["--loss", "l1 + w*mse", "--range", "w=few..many", *JUDGED],
        "--range w=few..many: write it as LOW..HIGH or LOW..HIGH:log",
    ),
    "nothing to look for": (JUDGED, "Give --loss with names to look for, or --terms to share"),
    "a loss and terms": (
        [*LOSS, "--terms", "l1,fft", *JUDGED],
        "Give --loss with names to look for, or --terms to share, and not both.",
    ),
    "ranges of terms": (
        ["--terms", "l1,fft", "--range", "w=0..1", *JUDGED],
        "--range is for the names of --loss; --terms has none.",
    ),
    "an unknown term": (["--terms", "l1,sim", *JUDGED], "Unknown loss 'sim'"),
    "an unknown metric": (
        [*LOSS, "--objective", "psnr,lpip"],
        "Unknown metric 'lpip'. Did you mean 'lpips'?",
    ),
    "a metric twice": (
        [*LOSS, "--objective", "psnr,psnr"],
        "--objective takes one to three different metrics, not psnr, psnr.",
    ),
    "no metric": ([*LOSS, "--objective", ","], "--objective takes one to three"),
    "weights that are not at hand": ([*LOSS, "--objective", "psnr,lpips"], "weights"),
    "a term that would be its own judge": (
        ["--loss", "l1 + w*lpips", "--range", "w=0..1", "--objective", "psnr,lpips"],
        "looks through the network that lpips scores by",
    ),
    "an unknown protocol": ([*LOSS, *JUDGED, "--protocol", "y@2"], "y@2"),
    "no trials": ([*LOSS, *JUDGED, "--trials", "0"], "tune.trials: "),
    "one fresh seed": ([*LOSS, *JUDGED, "--again", "1"], "tune.again: "),
    "too many halts": ([*LOSS, *JUDGED, "--rungs", "6"], "tune.rungs: "),
    "a setting of the search's own": (
        [*LOSS, *JUDGED, "--set", "loss.expression=l1"],
        "loss.expression (command line) is the search's own. Use --loss or --terms.",
    ),
    "an unknown setting": (
        [*LOSS, *JUDGED, "--set", "tune.trial=3"],
        "Unknown setting 'tune.trial' (command line). Did you mean 'tune.trials'?",
    ),
    "an unusable storage": (
        [*LOSS, *JUDGED, "--storage", "postgresql+psycopg://me:secret@127.0.0.1:1/none"],
        "The storage 'postgresql+psycopg://me:***@127.0.0.1:1/none' cannot be used: ",
    ),
    "a model that is not there": ([*LOSS, *JUDGED, "--from", "none.safetensors"], "none"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_before_anything_is_trained(case, command, desk):
    words, message = BAD[case]
    code, out, err = command("photos", *FIXED, *words, "--run", "a", "--quiet")
    assert code == 2, err
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not (desk / "a" / "trials").exists()
    assert not (desk / "a" / "results.json").exists()


def test_a_model_of_another_network_is_refused(command, desk):
    import torch

    from acutance.models.building import describe, instantiate
    from acutance.models.checkpoint import save_model

    card = describe("espcn", scale=2)
    torch.manual_seed(0)
    save_model(instantiate(card), card, desk / "other.safetensors")
    code, _, err = command("photos", *ASKED, "--from", "other.safetensors", "--run", "a")
    assert code == 2
    assert "other.safetensors" in err
    assert "compact:nano" in err
    assert not (desk / "a" / "trials").exists()


def test_the_folder_must_be_named(command):
    code, _, err = command("photos", *ASKED)
    assert code == 2
    assert "Name the search's folder: --run NAME." in err


def test_another_search_in_the_same_folder_is_refused(command, stubbed):
    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    words = [*ASKED, "--range", "w=0.1..1", "--rate", "1e-3", "--run", "a", "--quiet"]
    code, _, err = command("photos", *words)
    assert code == 2
    assert err == (
        "acutance: a holds another search:\n"
        "  optim.rate: 'auto' there, 0.001 now\n"
        "  ranges: {'w': '0.01..1:log'} there, {'w': '0.1..1'} now\n"
        "Give the same command to continue it, or another --run for a new one.\n"
    )
    code, _, err = command("photos", *ASKED, "--trials", "3", "--run", "a", "--quiet")
    assert code == 0, err  # longer is no other search


@pytest.mark.parametrize(
    "text", ["[tune", "", "plan = 3\n", "[plan]\nsteps = 3\n", "\x00", "[tune]\nloss = 'l1'\n"]
)
def test_a_damaged_record_is_told(text, command, stubbed, desk):
    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    (desk / "a" / "tune.toml").write_text(text)
    code, _, err = command("photos", *ASKED, "--run", "a", "--quiet")
    assert code == 2
    assert err.startswith("acutance: a/tune.toml is damaged (")
    assert err.endswith("). Choose another --run.\n")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"front": [{}], "trials": []}', "\x00"])
def test_damaged_results_are_told(text, command, stubbed, desk):
    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    (desk / "a" / "results.json").write_text(text)
    code, _, err = command("apply", "a", "balanced", "--run", "b")
    assert code == 2
    assert err == ("acutance: a/results.json is damaged. Give the search's own command again.\n")
    assert not (desk / "b").exists()


def test_apply_needs_results_and_a_pick_that_exists(command, stubbed, desk):
    (desk / "empty").mkdir()
    code, _, err = command("apply", "empty", "balanced", "--run", "b")
    assert code == 2
    assert err == "acutance: empty has no results yet. Finish it by its own command.\n"
    assert command("photos", *ASKED, "--run", "a", "--quiet")[0] == 0
    code, _, err = command("apply", "a", "best", "--run", "b")
    assert code == 2
    assert err == (
        "acutance: a has no pick 'best'. It has 'most faithful', 'balanced', and trials by "
        "number.\n"
    )
    assert not (desk / "b").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optim]\nrate = 1e-3\n", 'it has no [tune] with loss = "l1 + w*fft".'),
        ("[tune]\nterms = 'l1'\n", "tune.terms: "),
        ("[tune\n", "is not valid TOML"),
        ("[tune]\nterms = ['l1', 'mse']\n[stop]\nsteps = 3\n", "is the search's own"),
    ],
)
def test_a_file_that_is_no_search_is_named(text, message, command, desk):
    (desk / "mine.toml").write_text(text)
    code, _, err = command("photos", "--file", "mine.toml", "--run", "a")
    assert code == 2
    assert message in err
    assert not (desk / "a").exists()
