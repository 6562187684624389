"""Which engine is taken, and what is said where none can be."""

import shutil

import pytest

from acutance.errors import InputError, MissingPackageError
from acutance.upscaling import choice
from acutance.upscaling.choice import estimated_s, open_engine
from acutance.upscaling.onnx_runtime import OnnxEngine
from acutance.upscaling.pytorch import TorchEngine


@pytest.fixture
def folder(luma_model, tmp_path):
    """A copy to be spoilt."""
    shutil.copytree(luma_model, tmp_path / "run")
    return tmp_path / "run"


FEW, MANY = 100 * 100, 10**10


def test_short_work_goes_to_the_engine_that_starts_sooner(folder):
    assert isinstance(open_engine(folder, pixels=FEW), OnnxEngine)


@pytest.mark.parametrize("pixels", [MANY, None])
def test_long_work_goes_to_torch(folder, pixels):
    assert isinstance(open_engine(folder, pixels=pixels), TorchEngine)


def test_a_model_without_a_twin_goes_to_torch(folder):
    (folder / "model.onnx").unlink()
    assert isinstance(open_engine(folder, pixels=FEW), TorchEngine)


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
    monkeypatch.setattr(choice, "_has_torch", lambda: False)
    assert isinstance(open_engine(folder, pixels=MANY), OnnxEngine)


def test_without_torch_and_twin_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr(choice, "_has_torch", lambda: False)
    (folder / "model.onnx").unlink()
    with pytest.raises(MissingPackageError, match=r"pip install 'acutance\[train\]'"):
        open_engine(folder)


def test_an_onnx_file_is_a_model(folder):
    assert isinstance(open_engine(folder / "model.onnx", pixels=MANY), OnnxEngine)
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
