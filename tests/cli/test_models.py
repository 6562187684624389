"""`acutance models`: what can be trained, at once and without torch."""

import json
import re
import subprocess
import sys

from click.testing import CliRunner

from acutance.cli.models import models
from acutance.models import MODELS


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
    head, row = table.rstrip().splitlines()
    assert " ".join(head.split()) == "bundled model scale parameters PSNR dB, y@1 licence"
    assert row.split()[:3] == ["nano-x2", "x2", "14,660"]
    measured = re.search(r"Set5 (\d+\.\d\d)", row)
    assert measured is not None
    assert float(measured[1]) > 35.5  # bicubic has 33.67
    assert row.endswith("Apache-2.0")


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
