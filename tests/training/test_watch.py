"""What a run writes down while it goes on."""

import math

import pytest

from acutance.errors import InputError
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.training import watch
from acutance.training.display import Silent
from acutance.training.loop import train
from acutance.training.recipe import make_recipe
from acutance.training.record import read_log


def test_a_line_of_the_log_has_every_term_with_its_share(small_recipe, tmp_path):
    train(small_recipe(stop__steps=20, loss__expression="75% l1 + 25% mse"), tmp_path, Silent())
    line = [e for e in read_log(tmp_path) if e["event"] == "step"][-1]
    assert line["terms"].keys() == {"75% l1", "25% mse"}
    shares = [term["share"] for term in line["terms"].values()]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(0.75, abs=0.1)  # by the running average of the norms
    for term in line["terms"].values():
        assert all(math.isfinite(term[key]) for key in ("value", "norm", "weight"))
    assert line["step_s"] > 0
    assert line["rate"] > 0


def test_steps_that_become_slow_are_reported(small_recipe, tmp_path, monkeypatch):
    """By a clock of its own: ten milliseconds a step, and thirty after the thirtieth."""
    whole = watch.Watch.end_step

    def end_step(self, reading):
        whole(self, reading)
        self._times[-1] = 0.03 if self._job.progress.step > 30 else 0.01

    monkeypatch.setattr(watch.Watch, "end_step", end_step)
    notes = []
    display = Silent()
    monkeypatch.setattr(display, "note", notes.append)
    train(small_recipe(stop__steps=60), tmp_path, display)
    slow = [e for e in read_log(tmp_path) if e["event"] == "slow"]
    assert len(slow) == 1  # once, not at every line
    assert slow[0]["step"] == 40
    assert any("another load on the machine?" in note for note in notes)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"data__degrade": "reduce"}, "quicker stages in data.degrade, or more processor cores"),
        ({}, "data.prefetch, a faster disk or more memory"),
    ],
)
def test_waiting_for_pictures_is_told_where_it_is_much(
    small_recipe, tmp_path, monkeypatch, settings, told
):
    notes = []
    display = Silent()
    monkeypatch.setattr(display, "note", notes.append)
    train(small_recipe(stop__steps=1, **settings), tmp_path / "short", display)
    assert not any("waited" in note for note in notes)  # it is a share, but of no time
    monkeypatch.setattr(watch, "LONG_WAIT_S", -1.0)
    monkeypatch.setattr(watch, "MUCH_WAITING", -1.0)
    train(small_recipe(stop__steps=1, **settings), tmp_path / "long", display)
    assert any(note.startswith("steps waited") and told in note for note in notes)
    (waited,) = (e for e in read_log(tmp_path / "long") if e["event"] == "waited")
    assert 0 <= waited["share"] < 1


def test_samples_are_kept_to_be_looked_at(small_recipe, tmp_path):
    train(small_recipe(stop__steps=60, log__samples=1), tmp_path, Silent())
    (folder,) = (tmp_path / "samples").iterdir()
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == ["step-00000050.png", "step-00000060.png"]
    assert read_rgb(folder / names[0]).shape[2] == 3


def test_tensorboard_is_written_where_asked(small_recipe, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    train(small_recipe(stop__steps=10, log__tensorboard="on"), tmp_path, Silent())
    assert list((tmp_path / "tensorboard").glob("events.out.*"))


def test_given_pairs_are_learned_from(small_recipe, photo_folder, tmp_path):
    small = tmp_path / "lr"
    for path in photo_folder.iterdir():
        lr = downscale(crop_to_multiple(read_rgb(path), 2), 2)
        write_picture(small / f"{path.stem}x2.png", Picture(lr, None))
    recipe = small_recipe(
        stop__steps=20, data__lr=[str(small)], data__val=[str(photo_folder / "drawn0.png")]
    )
    made = small_recipe(stop__steps=20, data__val=[str(photo_folder / "drawn0.png")])
    given = train(recipe, tmp_path / "given", Silent())
    own = train(made, tmp_path / "own", Silent())
    assert given.psnr == pytest.approx(own.psnr, abs=1e-9)  # the same pictures, so the same run


@pytest.mark.slow
def test_a_compiled_network_trains(small_recipe, tmp_path):
    outcome = train(small_recipe(stop__steps=3, machine__compile=True), tmp_path, Silent())
    assert outcome.steps == 3


def test_the_log_has_the_cosines_between_terms(small_recipe, tmp_path):
    train(small_recipe(stop__steps=20, loss__expression="l1 + mse"), tmp_path / "two", Silent())
    line = [e for e in read_log(tmp_path / "two") if e["event"] == "step"][-1]
    assert line["cosines"].keys() == {"l1, mse"}
    assert 0.3 < line["cosines"]["l1, mse"] < 1  # both pull at the same errors
    train(small_recipe(stop__steps=20, loss__expression="l1"), tmp_path / "one", Silent())
    line = [e for e in read_log(tmp_path / "one") if e["event"] == "step"][-1]
    assert "cosines" not in line


def test_a_balance_sets_the_weights(small_recipe, tmp_path):
    """At the first step of `uncertainty` every weighted value is a half."""
    recipe = small_recipe(stop__steps=20, loss__expression="l1 + mse", loss__balance="uncertainty")
    train(recipe, tmp_path, Silent())
    line = [e for e in read_log(tmp_path) if e["event"] == "step"][-1]
    weights = [term["weight"] for term in line["terms"].values()]
    assert weights[1] > 5 * weights[0]  # squared errors are the smaller number


def test_an_unknown_balance_is_refused_when_the_recipe_is_read():
    with pytest.raises(InputError, match="Did you mean 'pcgrad'"):
        make_recipe([("test", {"loss.balance": "pcgard"})])
