"""`export`: each form computes what the model computes, or is not written."""

import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from acutance.errors import InputError, RunError
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import METADATA_KEY, parse_card, read_card, safetensors_metadata
from acutance.models.checkpoint import load_model, save_model
from acutance.upscaling import ir_files
from acutance.upscaling.choice import choose_engine, open_engine
from acutance.upscaling.formats import FORMS, export_model
from acutance.upscaling.ir_files import checked_ir

needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="the extra openvino is not installed"
)
needs_nncf = pytest.mark.skipif(find_spec("nncf") is None, reason="the extra int8 is not installed")


@pytest.fixture
def folder(rgb_model, tmp_path):
    shutil.copytree(rgb_model, tmp_path / "run")
    return tmp_path / "run"


def picture(channels=3, height=13, width=10):
    return np.random.default_rng(1).random((1, channels, height, width), dtype=np.float32)


def expected(model, lr):
    with torch.inference_mode():
        return load_model(model)(torch.from_numpy(lr)).numpy()


@needs_openvino
def test_a_pair_for_openvino_is_a_model_of_its_own(folder):
    done = export_model(folder, to="openvino")
    assert [path.name for path in done.paths] == ["model.xml", "model.bin"]
    path = folder / "model.xml"
    assert parse_card(path, checked_ir(path)) == read_card(folder)
    assert choose_engine(path, pixels=100).engine == "openvino"
    np.testing.assert_allclose(open_engine(path)(picture()), expected(folder, picture()), atol=1e-5)


@needs_openvino
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("missing", "is half a model: its weights model.bin"),
        ("other", "does not belong to model"),
        ("cut", "does not belong to model"),
    ],
)
def test_half_a_pair_is_refused(wrong, words, folder):
    export_model(folder, to="openvino")
    weights = folder / "model.bin"
    content = weights.read_bytes()
    weights.unlink()
    if wrong != "missing":
        weights.write_bytes(content[:-4] + (b"abcd" if wrong == "other" else b""))
    with pytest.raises(InputError, match=words):
        open_engine(folder / "model.xml")


@needs_openvino
def test_a_kill_between_the_two_leaves_no_wrong_model(folder, monkeypatch):
    """The weights are new and the graph is old: told apart, though both are whole."""
    export_model(folder, to="openvino")
    network = load_model(folder)
    with torch.no_grad():
        network.body[0].weight.mul_(1.5)
    save_model(network, network.card, folder / "model.safetensors")
    write = ir_files.write_atomically
    monkeypatch.setattr(
        ir_files, "write_atomically", lambda p, fill: p.suffix == ".bin" and write(p, fill)
    )
    export_model(folder, to="openvino", overwrite=True)
    with pytest.raises(InputError, match="one of them was replaced or is damaged"):
        open_engine(folder / "model.xml")


@needs_openvino
def test_a_pair_that_does_not_agree_is_not_written(folder, monkeypatch):
    from acutance.upscaling.openvino_runtime import OpenVinoEngine

    run = OpenVinoEngine.__call__
    monkeypatch.setattr(
        OpenVinoEngine, "__call__", lambda self, lr: run(self, lr) + np.float32(1e-4)
    )
    with pytest.raises(RunError, match="The OpenVINO file was not written: it does not compute"):
        export_model(folder, to="openvino")
    assert not (folder / "model.xml").exists()
    assert not (folder / "model.bin").exists()


@needs_openvino
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"node { name: 'x' }", b"<net", b"<net></net>"]
)
def test_what_is_no_graph_is_refused(content, folder):
    export_model(folder, to="openvino")
    (folder / "model.xml").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read as a model: .* It is damaged"):
        open_engine(folder / "model.xml")


@needs_openvino
def test_a_looping_graph_is_not_run(folder):
    export_model(folder, to="openvino")
    path = folder / "model.xml"
    path.write_text(path.read_text().replace('type="Convolution"', 'type="Loop"', 1))
    with pytest.raises(InputError, match="holds a loop, which may never end"):
        open_engine(path)


@pytest.mark.parametrize("activation", ["prelu", "leaky_relu", "relu"])
def test_the_community_reads_our_compact(activation, tmp_path):
    arguments = {"features": 8, "convolutions": 2, "activation": activation, "skip": "nearest"}
    torch.manual_seed(0)
    network = build("compact", scale=3, channels=3, arguments=arguments).eval()
    card = describe("compact", scale=3, channels=3, arguments=arguments)
    save_model(network, card, tmp_path / "model.safetensors")
    (path,) = export_model(tmp_path, to="community").paths
    assert path.name == "model.community.safetensors"
    tensors = load_file(path)
    assert set(tensors) == {f"body.{n}.{p}" for n in (0, 2, 4, 6) for p in ("weight", "bias")} | {
        f"body.{n}.weight" for n in (1, 3, 5)
    }
    assert METADATA_KEY not in safetensors_metadata(path)
    np.testing.assert_allclose(expected(path, picture()), expected(tmp_path, picture()), atol=1e-6)


@pytest.mark.parametrize(("scale", "unshuffle"), [(4, 1), (2, 2)])
def test_the_community_reads_our_esrgan(scale, unshuffle, tmp_path):
    """Under Real-ESRGAN's names: those of the first layer of each kind, by hand."""
    arguments = {"features": 8, "growth": 32, "blocks": 1, "unshuffle": unshuffle}
    torch.manual_seed(0)
    network = build("esrgan", scale=scale, arguments=arguments).eval()
    save_model(
        network,
        describe("esrgan", scale=scale, arguments=arguments),
        tmp_path / "model.safetensors",
    )
    (path,) = export_model(tmp_path, to="community").paths
    tensors = load_file(path)
    ends = {"conv_first", "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"}
    dense = {f"body.0.rdb{n}.conv{k}" for n in (1, 2, 3) for k in range(1, 6)}
    assert {name.rpartition(".")[0] for name in tensors} == ends | dense
    assert METADATA_KEY not in safetensors_metadata(path)
    np.testing.assert_allclose(expected(path, picture()), expected(tmp_path, picture()), atol=1e-6)


def test_a_tiny_compact_goes_to_the_community_as_it_is(tmp_path):
    network, card = build("compact:tiny", scale=2), describe("compact:tiny", scale=2)
    save_model(network, card, tmp_path / "model.safetensors")
    (path,) = export_model(tmp_path, to="community").paths
    np.testing.assert_allclose(expected(path, picture()), expected(tmp_path, picture()), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "channels", "arguments", "words"),
    [
        (
            "espcn",
            3,
            {},
            r"they know no layout of 'espcn'\. Layouts are known for: compact, esrgan, span",
        ),
        (
            "esrgan:tiny",
            3,
            {},
            r"32 new features .* and this model has 8; train with .* growth = 32",
        ),
        ("esrgan:tiny", 1, {"growth": 32}, "it works on luma"),
        ("esrgan:tiny", 3, {"growth": 32, "strided": 2}, "a plain convolution, .* strided = 2"),
        ("compact:x1-tiny", 3, {}, "a plain convolution, .* unshuffle = 2; train .* unshuffle = 1"),
        ("compact:nano", 1, {"skip": "nearest"}, "it works on luma"),
        (
            "compact:nano",
            3,
            {},
            "corrects the nearest pixel, and this model was trained over bicubic",
        ),
    ],
)
def test_what_the_community_cannot_read_is_refused(name, channels, arguments, words, tmp_path):
    network = build(name, scale=2, channels=channels, arguments=arguments)
    card = describe(name, scale=2, channels=channels, arguments=arguments)
    save_model(network, card, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=words):
        export_model(tmp_path, to="community")
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_factor_of_3_is_refused(tmp_path):
    """The layout has a convolution for each enlargement by 2 and does not say what it enlarges."""
    network = build("esrgan:tiny", scale=3, arguments={"growth": 32})
    card = describe("esrgan:tiny", scale=3, arguments={"growth": 32})
    save_model(network, card, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="count enlargements by 2, and this model enlarges by 3"):
        export_model(tmp_path, to="community")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"to": "onxx"}, r"Unknown form 'onxx'\. Did you mean 'onnx'\?"),
        ({"to": "onnx", "output": "a.xml"}, r"must end in \.onnx to be onnx"),
        ({"output": "a.pth"}, r"must end in one of \.onnx, \.safetensors, \.xml"),
        ({}, r"model\.onnx exists already\. Use --overwrite"),
        (
            {"to": "community", "pictures": ["p"]},
            "8 bits are for onnx and openvino, not for community",
        ),
    ],
)
def test_what_cannot_be_is_said_first(options, words, folder, tmp_path):
    given = {**options, "output": tmp_path / options["output"]} if "output" in options else options
    with pytest.raises(InputError, match=words):
        export_model(folder, **given)


def test_half_of_a_pair_is_not_overwritten_either(folder):
    (folder / "model.bin").write_bytes(b"somebody's")
    with pytest.raises(InputError, match=r"model\.bin exists already"):
        export_model(folder, to="openvino")


@pytest.mark.parametrize("form", FORMS)
def test_the_ending_alone_is_enough(form, folder, tmp_path):
    if form == "openvino":
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    if form == "community":
        pytest.skip("shares its ending with safetensors and is asked for by --to")
    done = export_model(folder, output=tmp_path / f"a{FORMS[form].ending}")
    found = open_engine(done.paths[0])(picture())
    np.testing.assert_allclose(found, expected(folder, picture()), atol=1e-5)


@pytest.mark.slow  # NNCF alone takes seconds to import
@needs_nncf
@pytest.mark.parametrize("form", ["onnx", "openvino"])
@pytest.mark.parametrize("color", ["luma", "rgb"])
def test_eight_bits_say_what_they_cost(form, color, request, photo_folder, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(request.getfixturevalue(f"{color}_model"), folder)
    done = export_model(folder, to=form, pictures=[photo_folder])
    path, cost = done.paths[0], done.cost
    assert path.name == {"onnx": "model.int8.onnx", "openvino": "model.int8.xml"}[form]
    engine = open_engine(path)
    assert engine.precision == "int8"
    assert cost.scored == 4
    assert cost.apart_db > 30
    told = engine.card.scores["int8"]
    assert told["loss_db"] == round(cost.loss_db, 4)
    assert (told["engine"], told["pictures"]) == (cost.engine, 4)
    channels = {"luma": 1, "rgb": 3}[color]
    difference = np.abs(engine(picture(channels)) - expected(folder, picture(channels)))
    assert 0 < difference.mean() < 0.03
    # never taken for the model's twin, even under its name
    shutil.move(folder / "model.onnx", tmp_path / "old.onnx")
    if form == "onnx":
        shutil.copy(path, folder / "model.onnx")
    assert choose_engine(folder, pixels=100).engine == "pytorch"


SILENT = """
import os, sys
from pathlib import Path
def watch(event, told):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.sendto")):
        os.write(2, f"{event} {told}".encode())
        os._exit(3)
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        started.append(told)
started = []
sys.addaudithook(watch)
from acutance.upscaling.formats import export_model
export_model(Path(sys.argv[1]), to=sys.argv[3], pictures=[Path(sys.argv[2])])
from nncf.telemetry import telemetry
print(type(telemetry).__name__, [told for told in started if "telemetry" in str(told)])
"""


@pytest.mark.slow
@needs_nncf
def test_eight_bits_report_nothing_home(folder, photo_folder):
    command = [sys.executable, "-c", SILENT, str(folder), str(photo_folder), "openvino"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("MagicMock []")


def test_eight_bits_without_the_package_name_the_extra(folder, photo_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(InputError, match=r"pip install 'acutance\[int8\]'"):
        export_model(folder, to="onnx", pictures=[photo_folder])
    assert not (folder / "model.int8.onnx").exists()
