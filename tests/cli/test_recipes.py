"""`acutance recipes` and `train --recipe`: trainings by name."""

import json

import pytest
from click.testing import CliRunner

from acutance.cli.recipes import recipes
from acutance.cli.train import train
from acutance.errors import InputError
from acutance.training import package_recipes
from acutance.training.package_recipes import find_recipe, read_recipe, recipe_layers, recipe_names
from acutance.training.recipe import make_recipe


def shown(*words: str) -> str:
    done = CliRunner().invoke(recipes, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def origins(*words: str) -> dict[str, tuple[str, str]]:
    """setting -> value, where it comes from."""
    done = CliRunner().invoke(train, [*words, "--print-config"], catch_exceptions=False)
    lines = [line.partition(" = ") for line in done.stdout.splitlines()]
    parted = {key.strip(): rest.rpartition("# ") for key, _, rest in lines}
    return {key: (value.strip(), origin) for key, (value, _, origin) in parted.items()}


def test_every_recipe_is_listed_with_its_network_loss_and_source():
    head, *rows = shown().splitlines()
    assert head.split() == ["recipe", "network", "loss", "measured", "source"]
    assert tuple(row.split()[0] for row in rows) == recipe_names()
    row = next(row for row in rows if row.startswith("srgan"))
    assert "srresnet:tiny" in row
    assert "Ledig et al.: CVPR 2017" in row


def test_what_was_measured_is_shown_beside_bicubic(tmp_path, monkeypatch):
    row = {"set": "Set5", "scale": 2, "psnr": 36.512, "bicubic": 33.673}
    row |= {"protocol": "y@1", "steps": 2345}
    kept = tmp_path / "measured.json"
    kept.write_text(json.dumps({"recipes": {"edsr": row}}), encoding="utf-8")
    monkeypatch.setattr(package_recipes, "MEASURED", kept)
    assert "Set5 x2 36.51 dB (bicubic 33.67)" in shown()
    assert "Set5 x2 36.51 dB (bicubic 33.67), y@1, 2,345 steps" in shown("edsr")
    assert json.loads(shown("edsr", "--json"))["measured"] == row
    assert json.loads(shown("edsr:paper", "--json"))["measured"] is None


def test_a_recipe_shows_its_settings_presets_and_departures():
    text = shown("esrgan")
    assert 'first.loss      = "l1"' in text
    assert "preset paper, beside these:" in text
    assert "acutance weights get vgg19" in text
    facts = json.loads(shown("srgan:paper", "--json"))
    assert facts["settings"]["stop.steps"] == 1_200_000
    assert "stop.minutes" not in facts["settings"]
    assert [one["name"] for one in json.loads(shown("--json"))] == list(recipe_names())


def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(InputError, match=r"Unknown recipe 'esrgn'\. Did you mean 'esrgan'\?"):
        find_recipe("esrgn")
    expected = r"The recipe esrgan has no preset 'papr'\. Did you mean 'paper'\?"
    with pytest.raises(InputError, match=expected):
        find_recipe("esrgan:papr")


def test_the_command_wins_over_a_file_and_a_file_over_a_recipe(tmp_path):
    config = tmp_path / "my.toml"
    config.write_text("[optim]\nrate = 3e-4\nclip = 1.0\n[data]\nbatch = 8\n")
    found = origins("--recipe", "vdsr:paper", "--config", str(config), "--rate", "1e-3")
    assert found["optim.rate"] == ("0.001", "command line")
    assert found["data.batch"] == ("8", str(config))
    assert found["optim.clip"] == ("1.0", str(config))
    assert found["optim.momentum"] == ("0.9", "recipe vdsr:paper")
    assert found["network.name"] == ("'vdsr:20'", "recipe vdsr:paper")
    assert found["seed"] == ("0", "default")
    assert origins("--recipe", "vdsr")["loss.expression"] == ("'mse'", "recipe vdsr")


def test_a_length_takes_the_place_of_the_recipes():
    found = origins("--recipe", "vdsr", "--steps", "20")
    assert found["stop.steps"] == ("20", "command line")
    assert found["stop.minutes"] == ("0.0", "default")
    found = origins("--recipe", "vdsr:paper")
    assert found["stop.steps"] == ("9960", "recipe vdsr:paper")
    assert found["stop.minutes"] == ("0.0", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[recipee.loss]\n", r"Unknown key 'recipee' in my\.toml\. Did you mean 'recipe'\?"),
        ("[about]\nnotes = ''\n", r"Unknown key 'notes' in \[about\] of my\.toml"),
        ("[about]\nnote = ''\n", r"\[about\] of my\.toml lacks title, source, loss"),
    ],
)
def test_a_file_with_other_keys_is_refused(text, message, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_recipe(path)


def test_an_unknown_setting_of_a_file_names_the_recipe(tmp_path, monkeypatch):
    about = "[about]\ntitle = ''\nsource = ''\nloss = ''\nnote = ''\n"
    wrong = "[recipe.optim]\nrat = 1\n[presets.big.optimm]\nrate = 1\n"
    (tmp_path / "mine.toml").write_text(about + wrong)
    monkeypatch.setattr(package_recipes, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=r"Unknown setting 'optim\.rat' \(recipe mine\)"):
        make_recipe(recipe_layers("mine"))
    (tmp_path / "mine.toml").write_text(about + wrong.replace("rat = 1\n", "rate = 1\n", 1))
    with pytest.raises(InputError, match=r"Unknown setting 'optimm' \(recipe mine:big\)"):
        make_recipe(recipe_layers("mine:big"))


def test_studies_take_all_of_a_recipe_but_loss_and_length():
    from acutance.study.compare.question import KIND, make_study

    asked = {"study.losses": ["l1", "mse"], "study.test": ["x"]}
    layers = [*recipe_layers("esrgan:paper", without=KIND.own), ("command line", asked)]
    recipe = make_study(layers).recipe
    assert (recipe.network.name, recipe.optim.rate) == ("esrgan:paper", 1e-4)
    assert (recipe.loss.expression, recipe.first.loss, recipe.stop.steps) == ("l1", "", 0)
    with pytest.raises(InputError, match=r"first\.loss \(command line\) is a study's own"):
        make_study([("command line", {**asked, "first.loss": "l1"})])
