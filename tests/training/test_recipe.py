"""Settings come from four places; what is wrong with one is said before anything is built."""

import pytest

from acutance.errors import InputError
from acutance.training.recipe import (
    Recipe,
    absolute,
    flatten,
    make_recipe,
    model_place,
    read_assignment,
    read_settings,
)


def refusal(*layers) -> str:
    with pytest.raises(InputError) as caught:
        make_recipe(list(layers))
    return str(caught.value)


def test_the_command_line_wins_over_a_file_and_a_file_over_the_default():
    file = ("my.toml", {"optim.rate": 1e-3, "data.batch": 8})
    recipe, origin = make_recipe([file, ("command line", {"optim.rate": 2e-4})])
    assert (recipe.optim.rate, recipe.data.batch, recipe.seed) == (2e-4, 8, 0)
    assert origin["optim.rate"] == "command line"
    assert origin["data.batch"] == "my.toml"
    assert origin["seed"] == "default"


def test_an_unknown_setting_names_its_place_and_the_nearest():
    assert refusal(("my.toml", {"optim.rat": 1})) == (
        "Unknown setting 'optim.rat' (my.toml). Did you mean 'optim.rate'?"
    )


def test_every_wrong_value_is_named_at_once():
    text = refusal(("my.toml", {"data.batch": 0, "optim.name": "adamm"}))
    assert "data.batch = 0 (my.toml)" in text
    assert "optim.name = 'adamm' (my.toml)" in text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.patch": 65}, "data.patch = 65 is not a multiple of the scale 2. Use 64."),
        ({"stop.steps": 5, "stop.minutes": 1}, "Give --steps or --minutes, not both."),
        ({"optim.name": "schedule_free", "optim.schedule": "cosine"}, "which needs none"),
        ({"optim.name": "schedule_free", "optim.ema": 0.9}, "weights are an average already"),
        ({"stop.until": "converged", "optim.schedule": "cosine"}, "must know the last step"),
        ({"data.lr": ["a"], "data.make_lr": "each"}, "Drop one."),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    assert message in refusal(("command line", settings))


def test_a_file_is_read_with_its_folders_relative_to_it(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('seed = 3\n[data]\nphotos = ["cats", "procedural:5"]\n[optim]\nrate = 2e-4\n')
    settings = read_settings(path)
    assert settings["data.photos"] == [str(tmp_path / "cats"), "procedural:5"]
    recipe, _ = make_recipe([(str(path), settings)])
    assert (recipe.seed, recipe.optim.rate) == (3, 2e-4)


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("seed = \n")
    with pytest.raises(InputError, match=r"my\.toml is not valid TOML"):
        read_settings(path)
    with pytest.raises(InputError, match=r"Cannot read .*none\.toml"):
        read_settings(tmp_path / "none.toml")


def test_assignments_are_toml_or_plain_text():
    assert read_assignment("optim.rate=2e-4") == ("optim.rate", 2e-4)
    assert read_assignment("network.name=edsr") == ("network.name", "edsr")
    assert read_assignment("optim.milestones=[0.5, 0.8]") == ("optim.milestones", [0.5, 0.8])
    with pytest.raises(InputError, match=r"SECTION\.KEY=VALUE"):
        read_assignment("optim.rate")


def test_a_recipe_survives_being_written_and_read(tmp_path):
    import json
    from dataclasses import asdict

    import tomli_w

    recipe, _ = make_recipe([("t", {"network.arguments": {"features": 8}, "data.val": ["/v"]})])
    path = tmp_path / "run.toml"
    path.write_text(tomli_w.dumps({"recipe": json.loads(json.dumps(asdict(recipe)))}))
    again, _ = make_recipe([("file", read_settings(path))])
    assert again == recipe


def test_the_default_recipe_needs_no_file():
    assert make_recipe([])[0] == Recipe()
    assert flatten(Recipe())["network.name"] == "compact:nano"


def test_a_bundled_name_is_a_model_for_training(shelf, tmp_path, monkeypatch):
    shelf("nano-x2", "nano-x3", "small-x3")
    monkeypatch.chdir(tmp_path)
    assert [model_place(name) for name in ("nano", "nano-x9", "other")] == [
        "nano",
        "nano-x9",  # its error names the scales that there are
        str(tmp_path / "other"),
    ]
    given = {"network.scale": 3, "network.start": "nano", "loss.teacher": "small"}
    recipe, _ = make_recipe([("t", given)])
    assert (recipe.network.start, recipe.loss.teacher) == ("nano-x3", "small-x3")
    with pytest.raises(InputError, match="'small' is there for x3 only, not for x2"):
        make_recipe([("t", {**given, "network.scale": 2})])
    (tmp_path / "my.toml").write_text('[network]\nstart = "nano"\n')
    assert read_settings(tmp_path / "my.toml")["network.start"] == "nano"
    (tmp_path / "nano").mkdir()
    assert read_settings(tmp_path / "my.toml")["network.start"] == str(tmp_path / "nano")
    assert model_place("nano") == str(tmp_path / "nano")


def test_sources_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("cats") == str(tmp_path / "cats")
    assert absolute("../cats", folder=tmp_path / "a") == str(tmp_path / "cats")
    assert absolute("/cats", folder=tmp_path) == "/cats"
    assert absolute("procedural") == "procedural"
    assert absolute("procedural:7", folder=tmp_path) == "procedural:7"
