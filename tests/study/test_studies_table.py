"""The project's own studies: the table can be carried out, and claims are computed right."""

import json
import re
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acutance.errors import InputError
from acutance.evaluation.scored_terms import shared_networks
from acutance.evaluation.scoring import Score, Scores
from acutance.losses.expression import parse_loss
from acutance.models import bundled
from acutance.models.listing import listed_models
from acutance.study.compare.question import Question
from acutance.study.quickstart import sample_folder

ROOT = Path(__file__).parents[2]
MODULES = ("studies", "study_findings", "study_pages", "study_plans", "places", "facts")
TABLES = ("study_tables", "study_lines", "study_found")
DIFFERENCES = {"Set5": (0.1, 0.2, 0.3), "Set14": (0.19, 0.2, 0.21), "B100": (-0.1, 0.2, -0.4)}
# Student's p of two degrees of freedom is 1 - t / sqrt(2 + t^2), with t = mean / sd * sqrt(3):
# t = sqrt(12), 34.641, -0.57735. Holm: the smallest three times, the next twice, the last once.
P = {"Set5": 0.0741799, "Set14": 0.0008323, "B100": 0.6220355}
P_HOLM = {"Set5": 0.1483597, "Set14": 0.0024969, "B100": 0.6220355}


@pytest.fixture
def plans(monkeypatch, tmp_path):
    yield from _imported("study_plans", monkeypatch, tmp_path)


@pytest.fixture
def findings(monkeypatch, tmp_path):
    yield from _imported("study_findings", monkeypatch, tmp_path)


@pytest.fixture
def studies(monkeypatch, tmp_path):
    yield from _imported("studies", monkeypatch, tmp_path)


@pytest.fixture
def tables(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "docs")
    monkeypatch.setattr(__import__("study_found"), "RESULTS", tmp_path)
    yield __import__("study_tables")
    for module in TABLES:
        sys.modules.pop(module, None)


def _imported(name, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setenv("ACUTANCE_DATA", str(tmp_path))
    yield __import__(name)
    for module in MODULES:
        sys.modules.pop(module, None)


def _draw(folder: Path, names, side=8) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        pixels = np.random.default_rng(k).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)


def test_every_study_of_the_table_can_be_carried_out(plans, shelf, tmp_path):
    shelf("nano-x2", "small-x4")
    for name in plans.names():
        plan = plans.read_plan(name, tmp_path)
        question, recipe = plan.study.question, plan.study.recipe
        assert len(plan.runs()) == len(question.losses) * question.seeds * len(question.steps)
        crop = 16 if name.startswith("budget-") else 24
        assert recipe.data.patch == crop * recipe.network.scale
        for loss in question.losses:
            assert str(parse_loss(loss)) == loss
            assert not shared_networks(parse_loss(loss), question.metrics), "judged by its own term"
        if name.startswith("choice-"):
            assert question.test == (str(tmp_path / name / "pictures" / "validation"),)
        else:
            assert [Path(test).name for test in question.test] == ["Set5", "Set14", "B100"]


def test_a_study_that_is_beside_another_is_of_the_same_budgets_and_sets(plans, shelf, tmp_path):
    shelf("nano-x2", "small-x4")
    found = plans.beside_of()
    assert found
    for name, other in found.items():
        mine, theirs = (plans.read_plan(n, tmp_path).study.question for n in (name, other))
        keys = ("steps", "test", "protocol", "metrics", "seeds")
        assert [getattr(mine, key) for key in keys] == [getattr(theirs, key) for key in keys]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", r"studies.toml has no study 'none'. Did you mean 'one'"),
        ("arm = ['l1']", r"studies.toml: one has 'arm', which says nothing"),
        ("claim = { arm = 'ssim', against = 'l1' }", r"one claims something of 'ssim', no arm"),
        ("beside = 'tow'", r"one is beside 'tow'. Did you mean 'two'"),
        ("start = 'smal'", r"There is no model at smal-x2"),
    ],
)
def test_what_is_wrong_in_the_table_is_named(plans, monkeypatch, tmp_path, line, message):
    every = plans.TABLE.read_text(encoding="utf-8").partition("\n[study.")[0]
    told = 'about = ""\nseeds = 2\nsteps = [1]\narms = ["l1", "mse"]\n'
    table = tmp_path / "studies.toml"
    table.write_text(f"{every}\n[study.one]\n{told}{line}\n[study.two]\n{told}", encoding="utf-8")
    monkeypatch.setattr(plans, "TABLE", table)
    with pytest.raises(InputError, match=message):
        plans.read_plan("one" if line else "none", tmp_path)


def test_every_tenth_picture_is_held_out_and_not_learned_from(plans, tmp_path):
    _draw(tmp_path / "T91", [f"t{k:02}.png" for k in range(13)])
    _draw(tmp_path / "BSDS200", [f"b{k:02}.png" for k in range(12)])
    plan = plans.read_plan("choice-fidelity-x2", tmp_path / "runs")
    validation = Path(plan.study.question.test[0])
    validation.mkdir(parents=True)
    (validation / "stale.png").write_bytes(b"")
    for _ in range(2):  # a second time changes nothing
        plans.hold_out(plan)
        judged = sorted(path.name for path in validation.iterdir())
        assert judged == ["BSDS200-b02.png", "T91-t05.png"]
        learned = {path.name for path in Path(plan.study.recipe.data.photos[0]).iterdir()}
        assert len(learned) == 23
        assert not learned & set(judged)
    assert (validation / "T91-t05.png").read_bytes() == (tmp_path / "T91" / "t05.png").read_bytes()


def _scored(tmp_path, differences):
    """Three seeds of l1 at 30 dB, and of mse above it by `differences`, on two pictures a set."""
    for group in differences:
        _draw(tmp_path / group, ["a.png", "b.png"])
    tests = tuple(str(tmp_path / group) for group in differences)
    scores = {}
    for seed in range(3):
        for arm, share in (("l1", 0), ("mse", 1)):
            rows = [
                Score(group, picture, "psnr", 30 + base + share * found[seed], "y@1")
                for group, found in differences.items()
                for picture, base in (("a", -1.0), ("b", 1.0))
            ]
            scores[arm, 4, seed] = Scores(arm, 2, "y@1", tuple(rows))
    return Question(losses=("l1", "mse"), steps=(4,), seeds=3, test=tests), scores


def test_the_sets_of_a_claim_are_one_family_of_holm(findings, tmp_path):
    question, scores = _scored(tmp_path, DIFFERENCES)
    rows = findings.family(question, scores, "mse", "l1", 4)
    assert [row.set for row in rows] == list(DIFFERENCES)
    for row in rows:
        assert row.found.mean == pytest.approx(np.mean(DIFFERENCES[row.set]))
        assert row.found.p == pytest.approx(P[row.set], rel=1e-3)
        assert row.p_holm == pytest.approx(P_HOLM[row.set], rel=1e-3)
    claim = findings.as_claim(rows)
    assert (claim["holds"], claim["worse_on"]) == (False, ["B100"])


def test_a_claim_holds_where_every_set_is_better(findings, tmp_path):
    steady = dict.fromkeys(DIFFERENCES, DIFFERENCES["Set14"])
    question, scores = _scored(tmp_path, steady)
    assert findings.holds(findings.family(question, scores, "mse", "l1", 4))
    assert not findings.holds(findings.family(question, scores, "l1", "mse", 4)), "worse"
    assert not findings.holds(findings.family(question, {}, "mse", "l1", 4)), "nothing was run"
    lower = replace(question, primary="lpips")
    as_lpips = {
        key: replace(s, rows=tuple(replace(r, metric="lpips") for r in s.rows))
        for key, s in scores.items()
    }
    assert findings.holds(findings.family(lower, as_lpips, "l1", "mse", 4)), "less is better"


def test_what_a_study_is_held_beside_learned_from_the_same_kind_of_pictures(findings):
    assert {"nano-x2", "small-x2", "small-sharp-x2"} <= set(findings.fixed_models(2))
    listed = {
        f"{model.family}-x4": model.card.degradation
        for model in listed_models()
        if model.card.scale == 4
    }
    left_out = set(listed) - set(findings.fixed_models(4))
    assert {"photo-x4", "nano-int8-x4"} <= left_out
    assert all(name.endswith("-int8-x4") or listed[name] for name in left_out)


def test_what_is_kept_names_no_folder_of_the_machine(findings, tmp_path):
    places = sys.modules["places"]
    text = f"{tmp_path}/Set5 {bundled.FOLDER}/nano-x2.onnx {sample_folder()}/a.png /runs/one/arms"
    words = "$ACUTANCE_DATA/Set5 bundled/nano-x2.onnx scikit-image/a.png one/arms"
    assert places.without_folders(text, {Path("/runs/one"): "one"}) == words


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ((0.1, 0.0, 0.2), {"same_sign": True, "overlap": True}),
        ((-0.1, -0.2, 0.06), {"same_sign": False, "overlap": True}),
        ((0.5, 0.4, 0.6), {"same_sign": True, "overlap": False}),
    ],
)
def test_a_repeated_claim_is_held_against_the_kept_one(findings, again, said):
    kept = {"mean": 0.1, "low": 0.05, "high": 0.15}
    assert findings.overlap(dict(zip(("mean", "low", "high"), again, strict=True)), kept) == said


def test_the_report_has_every_table_and_no_row_of_what_was_not_run(tables):
    assert {make() for make in tables.STUDY_TABLES.values()} <= {"", *_figures()}
    places = {"docs/studies/README.md": set(tables.STUDY_TABLES) - {"study-in-short"}}
    places["README.md"] = {"study-in-short"}
    for page, names in places.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        begun = {name for name in re.findall(r"<!-- begin (study-[\w-]+) -->", text)}
        assert begun == names
        assert set(re.findall(r"<!-- end (study-[\w-]+) -->", text)) == names


def _figures():
    """What a table says of a figure alone, where one was drawn."""
    for words, name in (
        ("Losses by budget", "losses-by-budget"),
        ("PSNR and LPIPS at x4", "pareto"),
    ):
        yield f"\n![{words}](../images/{name}.svg)\n"


def test_a_claim_is_told_with_its_intervals(tables, findings, tmp_path):
    question, scores = _scored(tmp_path / "sets", dict.fromkeys(DIFFERENCES, (0.19, 0.2, 0.21)))
    claim = findings.as_claim(findings.family(question, scores, "mse", "l1", 4))
    kept = {"name": "fidelity-x2", "command": "c", "date": "d", "machine": "m", "scale": 2}
    kept |= {"question": {"primary": "psnr"}, "claims": [{"claimed": True, "level": 0.01, **claim}]}
    (tmp_path / "study-fidelity-x2.json").write_text(json.dumps(kept))
    table = tables.fidelity_table()
    assert "| `mse` | `l1` | 4 | Set5 | 3 | +0.200 | " in table
    assert "better on every set (p < 0.01)" in table
    (row, *_) = claim["rows"]
    told = f"+0.200 ({row['low']:+.3f} to {row['high']:+.3f}) dB"
    line = f"x2 Set5 {told}, Set14 {told}, B100 {told} (3 seeds; better on every set"
    assert line in tables.in_short()
    assert "docs/studies/README.md#fidelity" in tables.in_short()


def test_a_mixture_is_told_where_it_pays_next_to_nothing(tables, tmp_path):
    def row(share, metric, mean, apart):
        ends = {"mean": apart, "low": apart - 0.001, "high": apart + 0.001}
        return {"share": share, "set": "B100", "metric": metric, "mean": mean, "difference": ends}

    dial = [row(0.0, "psnr", 27.2, 0.0), row(0.0, "lpips", 0.4, 0.0)]
    dial += [row(0.25, "psnr", 27.19, -0.01), row(0.25, "lpips", 0.39, -0.01)]
    dial += [row(0.5, "psnr", 27.15, -0.05), row(0.5, "lpips", 0.36, -0.04)]
    dial += [row(0.75, "psnr", 27.14, -0.06), row(0.75, "lpips", 0.34, -0.06)]
    question = {"losses": ["l1", "lpips"], "dial": ["l1", "lpips"], "steps": [4]}
    kept = {"name": "equal-x4", "command": "c", "date": "d", "machine": "m", "dial": dial}
    means = [{"arm": "l1", "budget": 4, "set": "B100", "metric": m} for m in ("psnr", "lpips")]
    kept |= {"means": [{**row, "mean": v} for row, v in zip(means, (27.2, 0.4), strict=True)]}
    kept |= {"question": {**question, "metrics": ["psnr", "lpips"]}, "fixed": []}
    (tmp_path / "study-equal-x4.json").write_text(json.dumps(kept))
    told = "50% of the way from `l1` to `lpips` have LPIPS lower by 10.0%, -0.0400 (-0.0410 to "
    assert f"{told}-0.0390), for -0.050 (-0.051 to -0.049) dB on B100" in tables.in_short()
    table = tables.front_table()
    assert "| 50% of the way | B100 | -0.050 (-0.051 to -0.049) | -0.0400 (" in table
    assert "| 25% of the way | 27.190 | 0.3900 | 0.010 | 2.5% | 1.000 |" in table


@pytest.mark.slow
def test_a_study_from_end_to_end(studies, monkeypatch, tmp_path, capsys):
    _draw(tmp_path / "Judged", ["a.png", "b.png"], side=40)
    plans = sys.modules["study_plans"]
    table = tmp_path / "studies.toml"
    table.write_text(
        '[every]\nphotos = ["procedural:4"]\nval = ["Judged"]\ntest = ["Judged"]\nlr_patch = 16\n'
        'network = "compact:nano"\nscale = 2\nmetrics = ["psnr"]\nprimary = "psnr"\n'
        'seeds = 2\nsteps = [4]\nabout = ""\n'
        '[every.settings]\n"machine.threads" = 1\n"machine.precision" = "fp32"\n"data.batch" = 2\n'
        '[study.one]\narms = ["l1", "mse"]\nclaim = { arm = "mse", against = "l1" }\n'
        '[study.alone]\narms = ["l1"]\nbeside = "one"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(plans, "TABLE", table)
    monkeypatch.setattr(sys.modules["study_pages"], "KEPT", tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    places = {"runs": tmp_path / "runs", "results": tmp_path, "jobs": 1, "quiet": False}
    for name in ("one", "alone"):
        assert studies.run_study(Namespace(name=name, **places)) == 0
        done = Namespace(names=[name], no_page=False, **places)
        assert studies.collect_studies(done) == 0
    found = json.loads((tmp_path / "study-one.json").read_text())
    (claim,) = found["claims"]
    (row,) = claim["rows"]
    (same,) = found["differences"]
    assert (row["seeds"], row["pictures"], row["set"]) == (2, 2, "Judged")
    assert [row[key] for key in ("mean", "low", "high", "p")] == [
        same[key] for key in ("mean", "low", "high", "p")
    ]
    assert found["command"] == "python benchmarks/studies.py run one"
    assert str(tmp_path) not in json.dumps(found)
    kept = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "kept").iterdir()}
    assert set(kept) == {"one.html", "one.csv", "one.json"}, "one loss alone has no page"
    assert not [name for name, text in kept.items() if str(tmp_path) in text]
    (beside,) = json.loads((tmp_path / "study-alone.json").read_text())["beside"]
    assert (beside["against"], beside["mean"], beside["seeds"]) == ("l1 (one)", 0.0, 2)
    again = Namespace(name="one", seeds=2, first_seed=100, **places)
    assert studies.repeat_study(again) == 0
    assert {path.name for path in (tmp_path / "runs" / "one-repeat").glob("arms/*/*/*")} == {
        "seed-100",
        "seed-101",
    }
    (row,) = json.loads((tmp_path / "study-repeat.json").read_text())["rows"]
    assert row["kept"] == claim["rows"][0]
    assert "Judged, 4 steps: " in capsys.readouterr().out
