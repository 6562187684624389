"""Which engine is taken, why, and what is said where none can be."""

import json
import shutil
import sys

import numpy as np
import pytest

from acutance.errors import InputError, MissingPackageError, RunError
from acutance.models.card import ModelCard
from acutance.upscaling import choice, remembered, trial
from acutance.upscaling.choice import choose_engine, estimated_s, open_engine
from acutance.upscaling.engine import PLAIN, How
from acutance.upscaling.onnx_runtime import OnnxEngine
from acutance.upscaling.pytorch import TorchEngine
from acutance.upscaling.remembered import cache_folder, recall, remember, trial_key
from acutance.upscaling.trial import Pace, time_engines

FEW, MANY = 100 * 100, 10**10


@pytest.fixture
def folder(luma_model, tmp_path, monkeypatch):
    """A copy to be spoilt, on a machine where nothing was tried and no package is imported."""
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "is_running", lambda _: False)
    monkeypatch.setattr(choice, "is_running", lambda _: False)
    have(monkeypatch, "onnxruntime", "torch")
    shutil.copytree(luma_model, tmp_path / "run")
    return tmp_path / "run"


def have(monkeypatch, *packages):
    monkeypatch.setattr(choice, "_is_installed", lambda package: package in packages)


def pace(monkeypatch, **pixel_s):
    """Let trials find these seconds for a million pixels; give the list of trials."""
    trials = []

    def found(engines, guess_s):
        trials.append(list(engines))
        return {name: Pace(1.5 if name == "pytorch" else 0.1, pixel_s[name] / 1e6)
                for name in engines}  # fmt: skip

    monkeypatch.setattr(choice, "time_engines", found)
    return trials


def test_short_work_goes_to_the_engine_that_starts_soonest(folder):
    chosen = choose_engine(folder, pixels=FEW)
    assert chosen.engine == "onnx_runtime"
    assert chosen.why.startswith("short work, under 0.1 s")
    assert isinstance(chosen.open(), OnnxEngine)


def test_an_engine_that_runs_already_starts_at_once(folder, monkeypatch):
    monkeypatch.setattr(choice, "is_running", lambda name: name == "pytorch")
    assert choose_engine(folder, pixels=FEW).engine == "pytorch"


def test_long_work_is_timed_once_and_remembered(folder, monkeypatch):
    trials = pace(monkeypatch, onnx_runtime=2.0, pytorch=1.0)
    chosen = choose_engine(folder, pixels=MANY)
    assert chosen.why == (
        "timed now on this machine, starting included: pytorch 1e+04 s, onnx_runtime 2e+04 s"
    )
    assert chosen.open() is chosen.opened
    assert isinstance(chosen.opened, TorchEngine)
    again = choose_engine(folder, pixels=MANY)
    assert (again.engine, again.opened) == ("pytorch", None)
    assert again.why.startswith("timed earlier on this machine")
    assert trials == [["onnx_runtime", "pytorch"]]


def test_torch_is_not_started_for_less_than_it_gains(folder, monkeypatch):
    """1.5 s of import against 1 s for a million pixels."""
    pace(monkeypatch, onnx_runtime=2.0, pytorch=1.0)
    choose_engine(folder, pixels=MANY)
    assert choose_engine(folder, pixels=1_000_000).engine == "onnx_runtime"
    assert choose_engine(folder, pixels=2_000_000).engine == "pytorch"


def test_other_settings_weights_and_packages_are_tried_anew(folder, rgb_model, monkeypatch):
    model = folder / "model.safetensors"
    keys = [
        trial_key(model, PLAIN),
        trial_key(model, How(fast=True)),
        trial_key(model, How(threads=7)),
    ]
    keys.append(trial_key(rgb_model / "model.safetensors", PLAIN))
    monkeypatch.setattr(remembered, "version", lambda _: "99")
    keys.append(trial_key(model, PLAIN))
    assert len(set(keys)) == len(keys)
    assert trial_key(folder / "model.onnx", PLAIN) == keys[-1]


def test_a_newly_installed_engine_is_tried(folder, monkeypatch):
    trials = pace(monkeypatch, onnx_runtime=2.0, pytorch=1.0, openvino=0.5)
    choose_engine(folder, pixels=MANY)
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    have(monkeypatch, "onnxruntime", "torch", "openvino")
    monkeypatch.setattr(remembered, "version", lambda _: "now installed")
    assert choose_engine(folder, pixels=MANY).engine == "openvino"
    assert len(trials) == 2


def test_unknown_work_always_goes_to_the_same_engine(folder, monkeypatch):
    trials = pace(monkeypatch, onnx_runtime=1.0, pytorch=2.0)
    choose_engine(folder, pixels=MANY)
    assert choose_engine(folder).engine == "pytorch"
    assert len(trials) == 1


BROKEN = ["", "{", "[]", '{"KEY": 3}', '{"KEY": {"pytorch": 1}}', "[" * 10**5,
          '{"KEY": {"pytorch": {"start_s": 0, "pixel_s": "1"}}}',
          '{"KEY": {"pytorch": {"start_s": NaN, "pixel_s": 1}}}']  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_cache_is_ignored_and_replaced(text, tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path))
    (tmp_path / "engines.json").write_text(text.replace("KEY", "a"))
    assert recall("a") == {}
    remember("a", {"pytorch": Pace(1.0, 2.0)})
    assert recall("a") == {"pytorch": Pace(1.0, 2.0)}


def test_the_cache_forgets_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path))
    monkeypatch.setattr(remembered, "_MOST", 3)
    for key in "abcad":
        remember(key, {"pytorch": Pace(1.0, 2.0)})
    assert list(json.loads((tmp_path / "engines.json").read_text())) == ["c", "a", "d"]


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ACUTANCE_CACHE", str(tmp_path / "file"))
    remember("a", {"pytorch": Pace(1.0, 2.0)})
    assert recall("a") == {}


@pytest.mark.parametrize(
    ("system", "variable", "value", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "/c", "/c/acutance"),
        ("linux", "ACUTANCE_CACHE", "/d", "/d"),
        ("darwin", "HOME", "/h", "/h/Library/Caches/acutance"),
        ("win32", "LOCALAPPDATA", "/l", "/l/acutance/Cache"),
    ],
)
def test_the_cache_lies_where_the_system_wants_it(system, variable, value, expected, monkeypatch):
    monkeypatch.delenv("ACUTANCE_CACHE")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "platform", system)
    assert cache_folder().as_posix() == expected


class Fake:
    """An engine x2 that counts and answers as told."""

    name, precision = "fake", "f32"
    card = ModelCard("compact", scale=2, color="luma")

    def __init__(self, answer=0.5):
        self.answer = answer
        self.calls = 0

    def __call__(self, lr):
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return np.full((1, 1, 2 * lr.shape[2], 2 * lr.shape[3]), self.answer, dtype=np.float32)


def test_what_fails_or_is_wrong_wins_no_trial():
    engines = {"onnx_runtime": Fake(), "openvino": Fake(0.7), "pytorch": Fake(RunError("no"))}
    found = time_engines(engines, 1e-6)
    assert list(found) == ["onnx_runtime"]
    assert found["onnx_runtime"].pixel_s > 0
    assert [engine.calls for engine in engines.values()] == [4, 1, 1]


@pytest.mark.slow
def test_a_trial_takes_about_a_second(luma_model):
    engines = {name: open_engine(luma_model, engine=name) for name in ("onnx_runtime", "pytorch")}
    guess_s = estimated_s(luma_model / "model.safetensors", MANY) / MANY
    before = trial.perf_counter()
    assert time_engines(engines, guess_s).keys() == engines.keys()
    assert trial.perf_counter() - before < 4


def test_a_model_without_a_twin_goes_to_torch(folder):
    (folder / "model.onnx").unlink()
    chosen = choose_engine(folder, pixels=FEW)
    assert (chosen.engine, chosen.why) == (
        "pytorch",
        "no other installed engine reads this model",
    )


def test_the_twin_of_other_weights_is_no_twin(folder, rgb_model):
    """As after training again without exporting again."""
    shutil.copy(rgb_model / "model.onnx", folder / "model.onnx")
    assert isinstance(open_engine(folder, pixels=FEW), TorchEngine)
    with pytest.raises(InputError, match="no such file with the same weights stands beside it"):
        open_engine(folder, engine="onnx_runtime")


def test_a_damaged_twin_is_no_twin(folder):
    (folder / "model.onnx").write_bytes(b"not a model")
    assert isinstance(open_engine(folder, pixels=FEW), TorchEngine)


def test_without_torch_the_twin_is_taken(folder, monkeypatch):
    have(monkeypatch, "onnxruntime")
    for pixels in (FEW, MANY, None):
        assert choose_engine(folder, pixels=pixels).engine == "onnx_runtime"


def test_without_torch_and_twin_the_extra_is_named(folder, monkeypatch):
    have(monkeypatch, "onnxruntime")
    (folder / "model.onnx").unlink()
    with pytest.raises(
        MissingPackageError, match=r"no ONNX twin .* pip install 'acutance\[train\]'"
    ):
        open_engine(folder)


def test_what_is_no_model_is_said_to_be_none(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"")
    with pytest.raises(InputError, match=r"is no model: its name must end in one of .*\.onnx"):
        open_engine(tmp_path / "a.gguf")


def test_an_onnx_file_is_a_model(folder):
    assert isinstance(open_engine(folder / "model.onnx", pixels=FEW), OnnxEngine)
    with pytest.raises(InputError, match=r"'pytorch' cannot run .*: it reads \.safetensors"):
        open_engine(folder / "model.onnx", engine="pytorch")


@pytest.mark.parametrize(("name", "kind"), [("pytorch", TorchEngine), ("onnx_runtime", OnnxEngine)])
def test_a_named_engine_is_taken(folder, name, kind):
    for pixels in (FEW, MANY):
        assert isinstance(open_engine(folder, engine=name, pixels=pixels), kind)


def test_an_unknown_engine_is_answered_with_a_hint(folder):
    with pytest.raises(InputError, match=r"Unknown engine 'pytorsh'\. Did you mean 'pytorch'\?"):
        open_engine(folder, engine="pytorsh")


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(InputError, match="There is no model at"):
        open_engine(tmp_path / "no.safetensors")


def test_the_estimate_is_of_the_right_size(tmp_path):
    """32 features, 16 convolutions, RGB: 151,000 weights; 512x512 took 0.54 s on two cores."""
    model = tmp_path / "a.safetensors"
    model.write_bytes(bytes(4 * 151_000))
    assert 0.25 < estimated_s(model, 512 * 512) < 1.1
