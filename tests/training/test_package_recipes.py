"""Every recipe of the package in small: it trains, is judged, saved, taken up again, and used."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import equal

from acutance.imaging.files import write_picture
from acutance.imaging.picture import Picture
from acutance.losses.expression import parse_loss
from acutance.models.building import describe, instantiate
from acutance.models.card import MODEL_FILE, SHRINK_FILE
from acutance.models.checkpoint import load_model
from acutance.training.display import Silent
from acutance.training.loop import stages, train
from acutance.training.package_recipes import recipe_layers, recipe_names
from acutance.training.pictures import gather
from acutance.training.recipe import make_recipe
from acutance.training.two_stages import has_first, main_stage
from acutance.upscaling.picture import upscale
from acutance.upscaling.shrinking import shrink

NAMES = ("bsrgan", "compact", "deblock", "deblur", "denoise", "edsr", "espcn", "esrgan")
NAMES += ("fsrcnn", "lapsrn", "progressive", "real-esrgan", "rescale", "span", "srcnn", "srgan")
NAMES += ("srresnet", "vdsr", "video-codec")
OURS = ("deblur", "video-codec")  # published by nobody with a network of ours
PUBLISHED = tuple(name for name in NAMES if name not in OURS)

SMALL = {
    "data.patch": 16,
    "data.batch": 2,
    "stop.steps": 20,
    "machine.threads": 1,
    "machine.precision": "fp32",
    "machine.device": "cpu",
    "log.every": 10,
    "log.score_every": 100,
    "log.save_every": 100,
    "log.samples": 0,
    "log.tensorboard": "off",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Three pictures of 48 x 48, one of which is held out."""
    folder = tmp_path_factory.mktemp("drawn")
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:48, :48]
    for k in range(3):
        waves = 127 + 80 * np.sin(0.2 * x + 0.1 * (k + 1) * y)
        noisy = waves[..., None] + generator.normal(0, 8, (48, 48, 3))
        pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        write_picture(folder / f"{k}.png", Picture(pixels, None))
    return folder


def test_these_are_there():
    assert recipe_names() == NAMES


NEEDS = {"video-codec": "av"}  # packages of extras
TRAINED = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in NEEDS and find_spec(NEEDS[name]) is None,
            reason=f"the package {NEEDS.get(name)} of an extra is not installed",
        ),
    )
    for name in NAMES
]


@pytest.mark.parametrize("name", TRAINED)
def test_a_recipe_trains_goes_on_and_upscales(name, drawn, tmp_path, monkeypatch):
    """20 steps at once, and as many with a halt at the tenth of the run or of its last stage."""
    monkeypatch.setattr("acutance.training.finish.export_onnx", lambda *_: None)
    layers = [*recipe_layers(name), ("test", {**SMALL, "data.photos": [str(drawn)]})]
    recipe, _ = make_recipe(layers)
    pictures = gather(recipe, tmp_path, Silent())
    whole = train(recipe, tmp_path / "whole", Silent(), pictures=pictures)
    assert np.isfinite(whole.psnr)
    steps = main_stage(recipe).stop.steps
    assert whole.steps == steps == (10 if has_first(recipe) else 20)

    halted = stages(recipe, tmp_path / "halted", Silent(), stops=[steps // 2], pictures=pictures)
    assert next(halted).progress.step == steps // 2
    halted.close()
    train(recipe, tmp_path / "halted", Silent(), pictures=pictures)
    files = [MODEL_FILE, *([SHRINK_FILE] if recipe.network.shrink else [])]
    for file in files:
        one, other = (load_file(tmp_path / run / file) for run in ("whole", "halted"))
        assert one.keys() == other.keys()
        assert [key for key in one if not equal(one[key], other[key])] == []

    card = load_model(tmp_path / "whole").card
    assert (card.loss, card.scale) == (
        str(parse_loss(recipe.loss.expression)),
        recipe.network.scale,
    )
    lr = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3) % 251
    made = upscale(lr, model=tmp_path / "whole")
    assert made.shape == (12 * card.scale, 10 * card.scale, 3)
    assert made.std() > 1
    if recipe.network.shrink:
        small = shrink(made, model=tmp_path / "whole")
        assert small.shape == lr.shape
        assert upscale(small, model=tmp_path / "whole").shape == made.shape


# Parameters at the scale of the preset, as tests/models/test_values.py has them from the papers'
# tables; those with a comment are counted from the definition of the network.
PAPER_PARAMETERS = {
    "bsrgan": 16_697_987,
    "compact": 1_213_296,
    "deblock": 665_921,  # counted: 640 + 18 x 36,928 + 577, without batch norm
    "denoise": 665_921,
    "edsr": 40_729_603,
    "espcn": 22_729,
    "esrgan": 16_697_987,
    "fsrcnn": 12_809,  # 12,464 weights and 345 biases and slopes
    "lapsrn": 814_242,  # 812,768 weights ("813 K") and 1,474 biases
    "progressive": 1_204_260,  # ours
    "real-esrgan": 16_697_987,
    "rescale": 1_369_859,  # of what enlarges
    "span": 1_840_488,  # while it is trained
    "srcnn": 8_129,
    "srgan": 1_548_547,
    "srresnet": 1_548_547,  # "1.5 M"
    "vdsr": 665_921,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_settings_are_a_valid_recipe(name):
    recipe, origin = make_recipe(recipe_layers(f"{name}:paper"))
    assert origin["network.name"] == f"recipe {name}:paper"
    assert recipe.stop.steps >= 9960  # of VDSR, the shortest
    assert recipe.stop.minutes == 0
    assert parse_loss(recipe.loss.expression)
    with torch.device("meta"):
        choice = recipe.network
        arguments = choice.arguments
        network = instantiate(describe(choice.name, scale=choice.scale, arguments=arguments))
    count = sum(p.numel() for p in network.parameters())
    assert count == PAPER_PARAMETERS[name]
    if name in {"srgan", "esrgan", "compact", "real-esrgan", "bsrgan"}:
        assert has_first(recipe)


def test_the_plain_recipes_are_made_for_minutes_and_need_no_weights():
    for name in NAMES:
        recipe, _ = make_recipe(recipe_layers(name))
        assert 2 <= recipe.stop.minutes <= 5, name
        assert recipe.network.name.endswith("tiny"), name
        assert "vgg" not in recipe.loss.expression, name
