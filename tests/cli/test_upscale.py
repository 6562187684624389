"""`acutance upscale` and `export`: paths on stdout, the rest on stderr, exit codes as promised."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from acutance.cli.export import export
from acutance.cli.upscale import upscale
from acutance.errors import InputError
from acutance.imaging.colour import to_uint8
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import save_model


def put(path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    write_picture(path, Picture(pixels))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run")
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    save_model(network, card, folder / "model.safetensors")
    return folder


def run(command, *arguments) -> tuple[int, str, str]:
    done = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=True)
    if isinstance(done.exception, InputError):
        return 2, done.stdout, str(done.exception)  # what cli.main makes of it
    return done.exit_code, done.stdout, done.stderr


def test_one_picture(model, tmp_path):
    source, target = put(tmp_path / "a.png"), tmp_path / "big.png"
    code, out, err = run(upscale, source, "-o", target, "--model", model)
    assert (code, out) == (0, f"{target}\n")
    assert err.startswith(f"[1/1] {source}: 16x12 in ")
    assert read_picture(target).pixels.shape == (12, 16, 3)


def test_a_folder_and_files(model, tmp_path):
    for name in ("photos/a.png", "photos/b.jpg", "c.png"):
        put(tmp_path / name)
    code, out, _ = run(
        upscale, tmp_path / "photos", tmp_path / "c.png", "-o", tmp_path / "out", "-m", model
    )
    assert code == 0
    assert out.splitlines() == [str(tmp_path / "out" / f"{n}_x2.png") for n in "abc"]
    assert all(Path(line).is_file() for line in out.splitlines())


def test_bicubic(tmp_path):
    source = put(tmp_path / "a.png")
    code, _, _ = run(upscale, source, "-o", tmp_path / "b.png", "-m", "bicubic", "--scale", 3)
    assert code == 0
    expected = to_uint8(resize(read_picture(source).pixels.astype(np.float32), scale=3))
    np.testing.assert_array_equal(read_picture(tmp_path / "b.png").pixels, expected)


def test_a_bad_picture_of_many_is_listed_and_the_rest_are_done(tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    put(tmp_path / "in" / "c.png")
    options = ("-o", tmp_path / "out", "-m", "bicubic", "--scale", 2)
    code, out, err = run(upscale, tmp_path / "in", *options)
    assert code == 1
    assert out.splitlines() == [str(tmp_path / "out" / f"{n}_x2.png") for n in "ac"]
    assert f"[2/3] {tmp_path / 'in' / 'b.png'}: failed: " in err
    assert err.splitlines()[-1] == "acutance: 1 of 3 pictures failed."


def test_json(tmp_path):
    put(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    options = ("-o", tmp_path / "out", "-m", "bicubic", "--scale", 2, "--json")
    code, out, _ = run(upscale, tmp_path / "in", *options)
    found = json.loads(out)
    assert code == 1
    assert found["written"][0].pop("seconds") >= 0
    assert "b.png" in found["failed"][0].pop("reason")
    assert found == {
        "model": "bicubic",
        "scale": 2,
        "written": [
            {
                "source": str(tmp_path / "in" / "a.png"),
                "output": str(tmp_path / "out" / "a_x2.png"),
                "width": 16,
                "height": 12,
            }
        ],
        "failed": [{"source": str(tmp_path / "in" / "b.png")}],
    }


def test_a_file_that_exists_is_kept_unless_asked(tmp_path):
    source, target = put(tmp_path / "a.png"), put(tmp_path / "b.png")
    options = (source, "-o", target, "-m", "bicubic", "--scale", 2)
    code, out, message = run(upscale, *options)
    assert (code, out) == (2, "")
    assert message == (
        f"{target} exists already. Use --overwrite to replace it, or give another name."
    )
    assert read_picture(target).width == 8
    assert run(upscale, *options, "--overwrite")[0] == 0
    assert read_picture(target).width == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no.png", "-o", "b.png", "-m", "bicubic", "--scale", "2"), "no.png does not exist."),
        (("a.png", "-o", "b.png", "-m", "no"), "There is no model at no."),
        (("a.png", "-o", "b.png", "-m", "bicubic"), "The model 'bicubic' has no scale of its own."),
        (("a.png", "-o", "b.png"), "Missing option '-m' / '--model'."),
        (("a.png", "-m", "bicubic"), "Missing option '-o' / '--output'."),
        ((), "Missing argument 'INPUTS...'."),
    ],
)
def test_wrong_use_is_exit_code_2(tmp_path, monkeypatch, arguments, message):
    put(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    code, out, err = run(upscale, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_one_picture_is_bad(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    options = ("-o", tmp_path / "b.png", "-m", "bicubic", "--scale", 2)
    code, _, message = run(upscale, tmp_path / "a.png", *options)
    assert code == 2
    assert "a.png is damaged or cut short" in message


def test_the_whole_command(model, tmp_path):
    """Through the group, as a process: what a shell sees."""
    source = put(tmp_path / "a.png")
    command = [sys.executable, "-m", "acutance", "upscale", source, "-o", tmp_path / "out"]
    done = subprocess.run(
        [*command, "-m", model, "--engine", "pytorch"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out' / 'a_x2.png'}\n"), done.stderr


def test_export_makes_the_twin(model, tmp_path):
    target = tmp_path / "a.onnx"
    code, out, _ = run(export, model, "-o", target)
    assert (code, out) == (0, f"{target}\n")
    assert read_card(target) == read_card(model)
    put(tmp_path / "p.png")
    assert run(upscale, tmp_path / "p.png", "-o", tmp_path / "q.png", "-m", target)[0] == 0
    assert run(export, model, "-o", target)[2] == (
        f"{target} exists already. Use --overwrite to replace it, or give another name."
    )


def test_export_stands_beside_the_model_by_itself(model, tmp_path):
    copy = tmp_path / "a.safetensors"
    copy.write_bytes((model / "model.safetensors").read_bytes())
    assert run(export, copy)[:2] == (0, f"{tmp_path / 'a.onnx'}\n")


def test_export_takes_weights_made_elsewhere(tmp_path):
    network = build("vdsr", scale=3)
    torch.save({"params": network.state_dict()}, tmp_path / "a.pth")
    options = ("--architecture", "vdsr@3", "-o", tmp_path / "a.safetensors")
    assert run(export, tmp_path / "a.pth", *options)[0] == 0
    assert read_card(tmp_path / "a.safetensors").scale == 3
    assert run(export, tmp_path / "a.pth", "-o", tmp_path / "a.zip")[2] == (
        f"{tmp_path / 'a.zip'} must end in .onnx or .safetensors."
    )
