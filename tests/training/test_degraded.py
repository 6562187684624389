"""Runs whose lr is made by a chain: resumed bit for bit, judged on Y where the network sees Y."""

import json

import numpy as np
import pytest
from safetensors.torch import load_file
from torch import equal

from acutance.errors import InputError
from acutance.models.card import read_card
from acutance.training.display import Silent
from acutance.training.loop import stages, train
from acutance.training.package_recipes import named_degradation
from acutance.training.pictures import gather
from acutance.training.recipe import make_recipe, read_assignment, read_settings

CHAIN = "reduce(kernel=['bicubic', 'box'], p=0.5) | reduce(kernel='lanczos3') | unrounded"


def recipe_of(photo_folder, **changed):
    settings = {
        "data.photos": [str(photo_folder)],
        "data.degrade": CHAIN,
        "data.patch": 16,
        "data.batch": 3,
        "network.name": "compact:nano",
        "network.color": "luma",
        "stop.steps": 8,
        "machine.threads": 1,
        "machine.precision": "fp32",
        "log.save_every": 4,
        "log.score_every": 100,
        "log.tensorboard": "off",
    }
    return make_recipe([("test", settings | changed)])[0]


@pytest.mark.parametrize("prefetch", [True, False])
def test_a_resumed_run_is_the_same_run(photo_folder, tmp_path, monkeypatch, prefetch):
    monkeypatch.setattr("acutance.training.finish.export_onnx", lambda *_: None)
    monkeypatch.setattr("acutance.training.trial.core_count", lambda: 4)  # several makers
    recipe = recipe_of(photo_folder, **{"data.prefetch": prefetch})
    pictures = gather(recipe, tmp_path, Silent())
    train(recipe, tmp_path / "whole", Silent(), pictures=pictures)
    halted = stages(recipe, tmp_path / "halted", Silent(), stops=[3], pictures=pictures)
    next(halted)
    halted.close()
    train(recipe, tmp_path / "halted", Silent(), pictures=pictures)
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "halted"))
    assert [key for key in one if not equal(one[key], other[key])] == []
    card = read_card(tmp_path / "whole")
    assert card.degradation == recipe.data.degrade == CHAIN
    scores = json.loads((tmp_path / "whole" / "scores.json").read_text())
    assert scores["protocol"] == "grey@1"
    assert np.isfinite(scores["validation"]["psnr"])


def test_a_colour_network_is_judged_on_pictures_as_files(photo_folder, tmp_path):
    recipe = recipe_of(photo_folder, **{"network.color": "rgb"})
    pair = gather(recipe, tmp_path, Silent()).pairs[0]
    assert pair.lr.dtype == np.uint8
    assert pair.lr.shape[2] == 3


def test_stages_may_be_a_list_or_a_file_of_their_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("stages = [\"reduce(kernel='box')\", 'unrounded']")
    config = tmp_path / "run.toml"
    config.write_text('[data]\ndegrade = "mine.toml"')
    from_file = make_recipe([("file", read_settings(config))])[0]
    from_list = make_recipe([("list", {"data.degrade": ["reduce(kernel='box')", "unrounded"]})])[0]
    assert from_file == from_list
    assert from_list.data.degrade == "reduce(kernel='box') | unrounded"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data.degrade": "reduc"}, "Did you mean 'reduce'"),
        ({"data.degrade": "real-esrgn"}, "Unknown recipe 'real-esrgn'. Did you mean 'real-esrgan'"),
        ({"data.degrade": "there-is-none.toml"}, "Cannot read there-is-none.toml"),
        ({"data.lr": ["a"]}, "Drop one"),
        ({"data.levels": "joint"}, "data.degrade, which makes lr of one scale"),
        ({"data.degrade": "", "network.scale": 1}, "nothing to learn"),
    ],
)
def test_what_cannot_be_is_refused(photo_folder, changed, words):
    with pytest.raises(InputError, match=words):
        recipe_of(photo_folder, **changed)


def test_a_recipe_without_a_chain_has_no_degradation_to_name():
    with pytest.raises(InputError, match="its lr is bicubic"):
        named_degradation("espcn")
    assert named_degradation("reduce") == "reduce"


@pytest.mark.parametrize("stem", ["denoise", "denoise:paper"])
def test_a_recipe_is_named_in_a_file_as_on_the_command_line(stem, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(f'[data]\ndegrade = "{stem}"')
    from_file = make_recipe([("file", read_settings(config))])[0]
    assert from_file.data.degrade == named_degradation(stem)
    (key, value) = read_assignment(f"data.degrade={stem}")
    assert make_recipe([("command line", {key: value})])[0] == from_file


def test_a_recipe_whose_f_learns_is_not_said_to_be_bicubic():
    with pytest.raises(InputError, match="its lr is made by an F that learns with the network"):
        named_degradation("rescale")


def test_a_lower_level_is_scored_on_degraded_pictures_too(small_recipe, tmp_path):
    """Trained by on='x2' beside x4, whose lr is degraded: so is what the model for x2 is shown."""
    recipe = small_recipe(
        network__name="progressive:tiny",
        network__scale=4,
        network__color="luma",
        network__arguments={"features": 8, "convolutions": 1},
        data__degrade="noise(sigma=60) | reduce(kernel='nearest')",
        loss__expression="l1 + l1(on='x2')",
        stop__steps=1,
    )
    train(recipe, tmp_path, Silent())
    card = read_card(tmp_path / "model-x2.safetensors")
    assert card.scores["protocol"] == "grey@1"
    assert card.scores["validation"]["psnr"] < 20  # noise of 60 levels alone is at 12.6 dB


@pytest.mark.parametrize("settings", [{"optim.name": "gd"}, {"first.loss": "l1", "stop.steps": 2}])
def test_the_whole_set_and_a_first_stage_are_degraded_too(photo_folder, tmp_path, settings):
    own = {"network.scale": 1, "stop.steps": 1, "log.samples": 0, **settings}
    recipe = recipe_of(photo_folder, **own)
    outcome = train(recipe, tmp_path, Silent())
    folders = [tmp_path, tmp_path / "first"] if "first.loss" in settings else [tmp_path]
    assert [read_card(folder).degradation for folder in folders] == [CHAIN] * len(folders)
    assert np.isfinite(outcome.psnr)
