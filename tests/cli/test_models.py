"""`acutance models`: what can be trained, at once and without torch."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from safetensors.numpy import save_file

import acutance
from acutance.cli.model_card import card_lines
from acutance.cli.models import models
from acutance.models import MODELS
from acutance.models.card import ModelCard, read_card


def test_every_network_is_listed_in_aligned_columns():
    done = CliRunner().invoke(models, [])
    head, *rows = done.stdout.split("\n\n")[0].splitlines()
    assert head.split("  ")[0] == "network"
    assert {row.split(":")[0] for row in rows} == set(MODELS.names())
    column = head.index("source")
    assert all(row[column - 1] == " " != row[column] for row in rows)


def test_a_row_says_what_a_choice_needs():
    done = CliRunner().invoke(models, [])
    row = next(line for line in done.stdout.splitlines() if line.startswith("compact:nano"))
    assert row.split() == ["compact:nano", "14,660", "8", "luma", "sized", "for", "two", "cores"]


def test_bundled_models_are_listed_with_their_scores():
    table = CliRunner().invoke(models, []).stdout.split("\n\n")[-1]
    head, *rows = table.rstrip().splitlines()
    [row] = [row for row in rows if row.split()[:2] == ["nano", "x2"]]
    nano = next(one for one in acutance.bundled_models() if one["name"] == "nano")["models"][0]
    assert " ".join(head.split()) == (
        "bundled model scale parameters KiB PSNR dB, y@1 licence training pictures"
    )
    assert row.split()[2] == f"{nano['parameters']:,}"
    assert 100 < int(row.split()[3]) < 150
    measured = re.search(r"Set5 (\d+\.\d\d)", row)
    assert measured is not None
    assert float(measured[1]) > 35.5  # bicubic has 33.67
    assert row.endswith("  ".join(["Apache-2.0", nano["data_terms"].partition(".")[0]]))


def test_a_card_is_for_people():
    shown = CliRunner().invoke(models, ["nano-x2"]).stdout.splitlines()
    card = read_card(Path("nano-x2"))
    assert shown[0] == "nano-x2"
    assert f"  bad at       {card.bad_at[:40]}" in "\n".join(shown)
    assert f"  training     {card.steps:,} steps, seed 0" in shown
    assert "  lr made by   MATLAB's bicubic" in shown
    assert all(len(line) <= 100 for line in shown if "safetensors" not in line)
    assert [line for line in shown[1:] if not line.startswith("  ")] == []


def test_a_family_has_a_card_for_each_scale(shelf):
    shelf("small-x2", "small-x4")
    shown = CliRunner().invoke(models, ["small", "--json"]).stdout
    assert [card["scale"] for card in json.loads(shown)] == [2, 2]  # copies of nano-x2
    assert CliRunner().invoke(models, ["small"]).stdout.count("SHA-256") == 2


def test_what_8_bits_cost_is_what_was_measured_of_this_very_file(tmp_path):
    """A file in 8 bits has the card of its origin, and its own cost among the scores."""
    cost = {"engine": "onnx_runtime", "pictures": 2}
    card = ModelCard("espcn", 3, int8={"loss_db": 0.1, **cost})
    for scores, shown in ((None, "0.1"), ({"int8": {"loss_db": 0.3, **cost}}, "0.3")):
        lines = card_lines(replace(card, scores=scores), tmp_path / "a.onnx")
        assert f"  in 8 bits    {shown} dB lost (onnx_runtime, 2 pictures)" in lines


def test_a_card_of_few_words_is_short(tmp_path):
    model = tmp_path / "a.safetensors"
    save_file({"w": np.zeros(1)}, model, metadata={"acutance": ModelCard("espcn", 3).to_json()})
    assert CliRunner().invoke(models, [str(model)]).stdout.splitlines() == [
        "a",
        f"  file         {model}",
        "  network      espcn, x3, RGB, sees the whole picture",
        "  lr made by   MATLAB's bicubic",
    ]


def test_who_sees_the_whole_picture_says_so():
    done = CliRunner().invoke(models, [])
    row = next(line for line in done.stdout.splitlines() if line.startswith("imdn"))
    assert row.split()[:4] == ["imdn:64", "694,404", "all", "rgb"]


def test_json_has_the_same():
    found = json.loads(CliRunner().invoke(models, ["--json"]).stdout)
    assert {
        "kind": "network",
        "name": "vdsr:20",
        "is_default": True,
        "parameters": 665_921,
        "reach": 12,
        "color": "luma",
        "source": "Kim et al., CVPR 2016, 20 layers",
    } in found
    assert sum(row.get("is_default", False) for row in found) == len(MODELS.names())


def test_torch_is_not_imported():
    code = (
        "import sys; from acutance.cli.models import models\n"
        "models([], standalone_mode=False); print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "False"
