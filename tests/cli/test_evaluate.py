"""`acutance evaluate` as a person and as a machine meet it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from acutance.cli.evaluate import _hint, evaluate
from acutance.errors import InputError
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.metrics import METRICS
from acutance.models.card import ModelCard


def test_a_table_for_people_and_json_for_machines(photo_folder, tmp_path):
    target = tmp_path / "scores.json"
    arguments = ["bicubic", "--scale", "2", "--data", str(photo_folder)]
    shown = CliRunner().invoke(evaluate, [*arguments, "--json", str(target)])
    assert shown.exit_code == 0, shown.output
    content = json.loads(target.read_text())
    assert content.keys() == {"model", "scale", "protocol", "sets"}
    (scores,) = content["sets"].values()
    assert len(scores["images"]) == 8
    assert re.search(rf" 8 +{scores['psnr']:.3f} +{scores['ssim']:.4f}", shown.stdout)
    assert "protocol y@1" in shown.stdout


def test_json_to_stdout_is_nothing_but_json(photo_folder):
    arguments = ["bicubic", "--scale", "3", "--data", str(photo_folder), "--protocol", "rgb@1"]
    shown = CliRunner().invoke(evaluate, [*arguments, "--json", "-"])
    assert json.loads(shown.stdout)["protocol"] == "rgb@1"


def test_without_metrics_there_are_two_columns(photo_folder):
    arguments = ["bicubic", "--scale", "2", "--data", str(photo_folder)]
    head, *_, last = CliRunner().invoke(evaluate, arguments).stdout.splitlines()
    assert re.split(" {2,}", head)[1:] == ["pictures", "PSNR dB", "SSIM"]
    assert last == "bicubic, x2, protocol y@1"


def test_a_column_for_each_metric_that_is_named(photo_folder, tmp_path):
    large = np.tile(read_rgb(photo_folder / "drawn0.png"), (2, 2, 1))  # NIQE needs two patches
    write_picture(tmp_path / "set" / "a.png", Picture(large))
    target = tmp_path / "scores.json"
    arguments = ["bicubic", "--scale", "1", "--data", str(tmp_path / "set"), "--json", str(target)]
    chosen = [*arguments, "--metrics", " lr_psnr, niqe,ssim"]
    shown = CliRunner().invoke(evaluate, chosen, catch_exceptions=False)
    (scores,) = json.loads(target.read_text())["sets"].values()
    assert list(scores) == ["lr_psnr", "niqe", "ssim", "images"]
    head, row, *_ = shown.stdout.splitlines()
    assert re.split(" {2,}", head)[1:] == ["pictures", "LR-PSNR dB", "NIQE", "SSIM"]
    assert row.split()[1:] == ["1", "inf", f"{scores['niqe']:.4f}", "1.0000"]
    assert shown.stdout.splitlines()[-1] == "Lower is better: NIQE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bicubic"], "has no scale of its own"),
        (["bicubic", "--scale", "2", "--protocol", "y@2"], "Did you mean 'y@1'?"),
        (["bicubic", "--scale", "2", "--metrics", "ssmi"], "Did you mean 'ssim'?"),
        (["bicubic", "--scale", "2", "--metrics", ","], "No metric is named. Known: dists, lpips"),
        (["no-such-model"], "There is no model at no-such-model"),
    ],
)
def test_bad_input_is_told(arguments, message, photo_folder):
    result = CliRunner().invoke(evaluate, [*arguments, "--data", str(photo_folder)])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


def test_help_names_every_metric():
    shown = " ".join(CliRunner().invoke(evaluate, ["--help"]).stdout.split())
    assert all(name in shown.partition("--metrics TEXT")[2] for name in METRICS.names())


def test_missing_weights_say_what_to_do(photo_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    arguments = ["bicubic", "--scale", "2", "--data", str(photo_folder), "--metrics", "lpips"]
    result = CliRunner().invoke(evaluate, arguments)
    assert isinstance(result.exception, InputError)
    assert "acutance weights get lpips_alex" in str(result.exception)


def test_a_mixture_is_scored_as_a_model(photo_folder, tmp_path):
    from acutance.models import build
    from acutance.models.building import describe
    from acutance.models.checkpoint import save_model

    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    network = build("compact:nano", scale=2)
    save_model(network, describe("compact:nano", scale=2), a)
    for weights in network.parameters():
        weights.data *= 0.9
    save_model(network, describe("compact:nano", scale=2), b)
    found = []
    for model in (str(a), f"{a}:1,{b}:0", f"{a}:0.5,{b}:0.5"):
        arguments = [model, "--data", str(photo_folder), "--metrics", "psnr", "--json", "-"]
        shown = CliRunner().invoke(evaluate, arguments, catch_exceptions=False)
        (scores,) = json.loads(shown.stdout)["sets"].values()
        found.append(scores["images"])
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_lower_level_is_scored_where_the_scale_asks_for_it(photo_folder, tmp_path):
    from acutance.models import build
    from acutance.models.building import describe
    from acutance.models.card import level_file
    from acutance.models.checkpoint import save_model
    from acutance.models.levels import cut

    network = build("lapsrn:tiny", scale=4).eval()
    card = replace(describe("lapsrn:tiny", scale=4), levels=(2,), name="a_x4")
    model = tmp_path / "model.safetensors"
    save_model(network, card, model)
    save_model(*cut(network, card, 2), level_file(model, 2))
    asked = ["--data", str(photo_folder), "--metrics", "psnr", "--json", "-"]
    shown, own = (
        CliRunner().invoke(evaluate, [*words, *asked], catch_exceptions=False).stdout
        for words in ([str(tmp_path), "--scale", "2"], [str(level_file(model, 2))])
    )
    assert json.loads(shown) == json.loads(own)
    assert json.loads(shown)["scale"] == 2


@pytest.mark.parametrize(
    ("card", "given", "hint"),
    [
        ({"shrunk_by": "f00d"}, {}, "its own F makes small: --shrink run scores both"),
        ({"shrunk_by": "f00d"}, {"shrink": "run"}, None),
        ({"degradation": "jpeg"}, {}, "trained on degraded pictures, and these are not"),
        ({"degradation": "jpeg"}, {"degrade": "jpeg"}, None),
        ({}, {}, None),
    ],
)
def test_a_model_that_knows_another_lr_is_said_to(card, given, hint, monkeypatch):
    found = ModelCard("compact", 2, **card)
    monkeypatch.setattr("acutance.models.card.read_card", lambda _: found)
    said = _hint("run", **{"degrade": "", "shrink": "", **given})
    assert (hint is None) == (said is None)
    assert hint is None or hint in str(said)


def test_bicubic_has_no_card_to_look_at():
    assert _hint("bicubic", degrade="", shrink="") is None
