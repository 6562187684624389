"""`acutance evaluate` as a person and as a machine meet it."""

import json
import re

import pytest
from click.testing import CliRunner

from acutance.cli.evaluate import evaluate
from acutance.errors import InputError


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bicubic"], "has no scale of its own"),
        (["bicubic", "--scale", "2", "--protocol", "y@2"], "Did you mean 'y@1'?"),
        (["no-such-model"], "There is no model at no-such-model"),
    ],
)
def test_bad_input_is_told(arguments, message, photo_folder):
    result = CliRunner().invoke(evaluate, [*arguments, "--data", str(photo_folder)])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
