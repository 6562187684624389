"""`acutance upscale` and `export`: paths on stdout, the rest on stderr, exit codes as promised."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from acutance.cli import upscale_options
from acutance.cli.export import export
from acutance.cli.upscale import upscale
from acutance.errors import InputError
from acutance.imaging.colour import rgb_to_ycbcr
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import resize
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import read_card
from acutance.models.checkpoint import save_model
from acutance.models.levels import cut
from acutance.study.score import evaluate
from acutance.upscaling.export import export_onnx
from acutance.upscaling.openvino_export import export_openvino
from acutance.upscaling.picture import upscale as upscale_array
from acutance.upscaling.settings import Enlargement, Output, Size

TWICE = ("a.png", "-o", "b.png", "-m", "bicubic")


def put(path: Path, size: tuple[int, int] = (6, 8)) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    write_picture(path, Picture(pixels))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run")
    network, card = build("compact:nano", scale=2), describe("compact:nano", scale=2)
    save_model(network, card, folder / "model.safetensors")
    return folder


def run(command, *arguments, stdin: str = "") -> tuple[int, str, str]:
    words = [str(a) for a in arguments]
    done = CliRunner().invoke(command, words, catch_exceptions=True, input=stdin)
    if isinstance(done.exception, InputError):
        return 2, done.stdout, str(done.exception)  # what cli.main makes of it
    return done.exit_code, done.stdout, done.stderr


def test_one_picture(model, tmp_path):
    source, target = put(tmp_path / "a.png"), tmp_path / "big.png"
    code, out, err = run(upscale, source, "-o", target, "--model", model)
    assert (code, out) == (0, f"{target}\n")
    chosen, done = err.splitlines()
    assert chosen.startswith("engine ")
    assert done.startswith(f"[1/1] {source}: 16x12 in ")
    assert read_picture(target).pixels.shape == (12, 16, 3)


def test_what_mends_at_x1_keeps_size_and_colours(tmp_path):
    """Y is what the network makes of it, here 20 levels more; the sides are odd, its multiple 2."""
    card = describe("compact:x1-tiny", scale=1)
    network = build("compact:x1-tiny", scale=1)
    torch.nn.init.zeros_(network.body[-1].weight)
    torch.nn.init.constant_(network.body[-1].bias, 20 / 255)
    save_model(network, card, tmp_path / "deblock" / "model.safetensors")
    pixels = np.random.default_rng(0).integers(90, 140, (7, 9, 3), dtype=np.uint8)
    write_picture(tmp_path / "photo.png", Picture(pixels))
    code, out, _ = run(
        upscale, tmp_path / "photo.png", "-o", tmp_path / "out", "--model", tmp_path / "deblock"
    )
    assert (code, out) == (0, f"{tmp_path / 'out' / 'photo_x1.png'}\n")
    made = read_picture(tmp_path / "out" / "photo_x1.png").pixels
    before, after = rgb_to_ycbcr(pixels), rgb_to_ycbcr(made)
    assert np.abs(after[..., 0] - before[..., 0] - 20).max() < 0.6
    assert np.abs(after[..., 1:] - before[..., 1:]).max() < 0.6


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
    exact = resize(read_picture(source).pixels.astype(np.float64), scale=3)
    expected = np.floor(exact.clip(0, 255) + 0.5).astype(np.uint8)
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
    assert found["written"][0].pop("seconds")["total"] >= 0
    assert "b.png" in found["failed"][0].pop("error")
    assert found["written"][0].pop("cast") < 1
    assert found == {
        "model": "bicubic",
        "written": [
            {
                "source": str(tmp_path / "in" / "a.png"),
                "output": str(tmp_path / "out" / "a_x2.png"),
                "width": 16,
                "height": 12,
                "engine": "bicubic",
                "notes": [],
                "frames": 1,
            }
        ],
        "skipped": [],
        "failed": [
            {
                "source": str(tmp_path / "in" / "b.png"),
                "output": str(tmp_path / "out" / "b_x2.png"),
            }
        ],
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
        (("a.png", "a.png", "-m", "bicubic", "--scale", "2"), "Name a folder: -o FOLDER"),
        ((".", "-m", "bicubic", "--scale", "2"), "Name a folder: -o FOLDER"),
        (("-o", "b.png", "-m", "bicubic", "--scale", "2"), "Missing argument 'INPUTS...'."),
        ((), "Missing argument 'INPUTS...'."),
        ((*TWICE, "--scale", "2", "--fit", "9x9"), "--scale and --fit both say how large"),
        ((*TWICE, "--overwrite", "--skip-existing"), "--overwrite and --skip-existing contradict"),
        ((*TWICE, "--faithful", "a"), "--faithful is what --strength starts from"),
        ((*TWICE, "--scale", "x"), "'x' is no scale. Write 2, 1.5 or 3/2."),
        ((*TWICE, "--scale", "1/0"), "'1/0' is no scale."),
        ((*TWICE, "--scale", "0.5"), "0.5 is not between 1 and 64. To make pictures smaller"),
        ((*TWICE, "--fit", "1920"), "'1920' is no box. Write WIDTHxHEIGHT"),
        ((*TWICE, "--fit", "0x9"), "'0x9' is no box."),
        ((*TWICE, "--megapixels", "nan"), "nan is not a number above 0."),
        ((*TWICE, "--width", "0"), "0 is not in the range x>=1."),
        ((*TWICE, "--strength", "1.1"), "1.1 is not between 0 and 1."),
        ((*TWICE, "--strength", "nan"), "nan is not between 0 and 1."),
        ((*TWICE, "--tile", "7"), "'7' is no side of a tile."),
        ((*TWICE, "--memory", "lots"), "'lots' is no amount of memory. Write 1GiB"),
        ((*TWICE, "--memory", "9"), "9 is less than 1 MiB."),
        ((*TWICE, "--shard", "3/2"), "'3/2' is no part of a batch."),
        ((*TWICE, "--shard", "0/2"), "'0/2' is no part of a batch."),
        ((*TWICE, "--format", "psd"), "'psd' is no format that can be written. Known: png,"),
        (
            ("a.png", "-o", "b.png", "-m", "bicubic", "--scale", "2", "--format", "jpg"),
            "b.png and --format jpg say two things. Leave --format out, or name the file b.jpg",
        ),
        ((*TWICE, "--tta", "4"), "'4' is not one of '1', '8'."),
        ((*TWICE, "--quality", "0"), "0 is not in the range 1<=x<=100."),
        ((*TWICE, "--jobs", "0"), "0 is not in the range 1<=x<=256."),
    ],
)
def test_wrong_use_is_exit_code_2(tmp_path, monkeypatch, arguments, message):
    put(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    code, out, err = run(upscale, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_without_a_place_the_result_lies_beside_the_picture(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    put(tmp_path / "in" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    arguments = ("in/a.jpg", "-m", "bicubic", "--scale", "2")
    assert run(upscale, *arguments)[:2] == (0, "in/a_x2.png\n")
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["a.jpg", "a_x2.png"]
    code, _, err = run(upscale, *arguments)
    assert (code, "in/a_x2.png exists already" in err) == (2, True)


def test_a_format_may_be_said_twice(tmp_path, monkeypatch):
    put(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    arguments = ("a.png", "-o", "b.jpeg", "-m", "bicubic", "--scale", "2", "--format", "jpg")
    assert run(upscale, *arguments)[0] == 0
    assert (tmp_path / "b.jpeg").read_bytes().startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("as_scale", "3/2", Fraction(3, 2)),
        ("as_scale", "x2", Fraction(2)),
        ("as_scale", "1.1", Fraction(11, 10)),
        ("as_box", "1920x1080", (1920, 1080)),
        ("as_tile", "none", 0),
        ("as_tile", "256", 256),
        ("as_bytes", "1GiB", 2**30),
        ("as_bytes", "512 mib", 2**29),
        ("as_bytes", "1.5GB", 1_500_000_000),
        ("as_bytes", "2000000", 2_000_000),
        ("as_shard", "2/5", (2, 5)),
        ("as_format", ".PNG", "png"),
        ("as_format", None, None),
    ],
)
def test_what_a_person_writes_becomes_a_value(option, text, value):
    assert getattr(upscale_options, option)(None, None, text) == value


def test_options_become_what_is_asked():
    words = (
        "a.png -o b --width 1920 --tile none --strength .5 --faithful runs/f --tta 8 --edge wrap "
        "--back-project 2 --fix-colour --memory 1GiB --format webp --quality 80 --compression 3 "
        "--metadata no-gps --no-tag --overwrite"
    )
    context = upscale.make_context("upscale", words.split(" "))
    assert upscale_options.as_enlargement(context.params) == Enlargement(
        size=Size(width=1920),
        tile=0,
        strength=0.5,
        tta=8,
        back_project=2,
        edge="wrap",
        fix_colour=True,
        memory=2**30,
    )
    assert upscale_options.as_output(context.params) == Output(
        format="webp", metadata="no-gps", quality=80, compression=3, tag=False, overwrite=True
    )
    plain = upscale.make_context("upscale", ["a.png", "-o", "b"])
    assert upscale_options.as_enlargement(plain.params) == Enlargement()
    assert upscale_options.as_output(plain.params) == Output()


def test_every_option_stands_in_a_group_of_the_help():
    text = CliRunner().invoke(upscale, ["--help"]).stdout
    for option in upscale.params:
        for word in option.opts if option.name != "inputs" else ():
            assert word in text, word
    groups = re.findall(r"^([A-Z][a-z ]+):$", text, re.MULTILINE)
    assert groups == ["Files", "Size", "Picture", "Model and machine", "Batches", "Output"]


def test_a_list_from_stdin(tmp_path, monkeypatch):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "ü b.png")
    monkeypatch.chdir(tmp_path)
    options = ("-o", "out", "-m", "bicubic", "--scale", 2)
    code, out, _ = run(upscale, "--list", "-", *options, stdin="in/a.png\nin/ü b.png\n")
    assert (code, out.splitlines()) == (0, ["out/in/a_x2.png", "out/in/ü b_x2.png"])


def test_the_same_command_again_and_what_is_left_alone(tmp_path):
    put(tmp_path / "in" / "a.png")
    put(tmp_path / "in" / "b.png")
    put(tmp_path / "out" / "b_x2.png")
    command = (upscale, tmp_path / "in", "-o", tmp_path / "out", "-m", "bicubic", "--scale", 2)
    code, _, err = run(*command)
    assert code == 1
    assert f"failed: {tmp_path / 'out' / 'b_x2.png'} exists already. Use --overwrite" in err
    code, out, err = run(*command, "--skip-existing")
    assert (code, out) == (0, f"{tmp_path / 'out' / 'a_x2.png'}\n")
    assert "a.png: finished before" in err
    assert f"b.png: left alone: {tmp_path / 'out' / 'b_x2.png'} exists already" in err
    code, out, err = run(*command, "--skip-existing", "--quiet", "--json")
    assert (code, err) == (0, "")
    assert [len(json.loads(out)[part]) for part in ("written", "skipped", "failed")] == [1, 1, 0]


def test_on_a_terminal_a_bar_and_on_stdout_only_paths(tmp_path):
    """stdout is a pipe while stderr is a terminal: rich would take one for the other."""
    pty = pytest.importorskip("pty")
    source = put(tmp_path / "a.png")
    command = [sys.executable, "-m", "acutance", "upscale", source, "-o", tmp_path / "out"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "-m", "bicubic", "--scale", "2"], stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while piece := _read(ours):
        seen += piece
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert out.decode() == f"{tmp_path / 'out' / 'a_x2.png'}\n"
    assert b"upscaling" in seen
    assert b"16x12 in" in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # its other end is closed
        return b""


def test_ctrl_c_is_exit_code_130(tmp_path):
    for number in range(20):
        put(tmp_path / "in" / f"{number}.png")
    put(tmp_path / "in" / "last.png", (1000, 1000))  # seconds, however late the signal comes
    command = [sys.executable, "-m", "acutance", "upscale", "in", "-o", "out", "-m", "bicubic"]
    process = subprocess.Popen(
        [*command, "--scale", "8"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()  # the first file is written
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert err.decode().splitlines()[-1] == "acutance: interrupted."
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".last")]


def test_a_model_is_picked_and_said(tmp_path):
    put(tmp_path / "in" / "a.png")
    command = (upscale, tmp_path / "in", "-o", tmp_path / "out", "--overwrite")
    code, out, err = run(*command)
    assert (code, out) == (0, f"{tmp_path / 'out' / 'a_x2.png'}\n")
    picks = [line for line in err.splitlines() if line.startswith("model ")]
    assert len(picks) == 1
    assert picks[0].endswith("as --model was not given")
    assert run(*command, "--quiet")[2] == ""
    found = json.loads(run(*command, "--json")[1])
    [pick] = found["picked"]
    assert found["model"] is None
    assert picks[0] == f"model {pick['model']}: {pick['why']}"
    assert (pick["files"], found["written"][0]["model"]) == (1, pick["model"])


def test_a_family_is_a_model(shelf, tmp_path):
    shelf("nano-x2", "nano-x4")
    put(tmp_path / "in" / "a.png")
    command = (upscale, tmp_path / "in", "-o", tmp_path / "out", "--model", "nano", "--json")
    code, out, err = run(*command)
    found = json.loads(out)
    assert (code, found["model"], found["written"][0]["model"]) == (0, "nano", "nano-x2")
    assert "model nano" not in err, "it is what was asked for"
    assert json.loads(run(*command, "--width", 30)[1])["written"][0]["model"] == "nano-x4"
    _, out, err = run(*command, "--scale", 3)
    said = "nano is there for x2 and x4, so x3 takes one run and a reduction"
    assert json.loads(out)["picked"] == [{"model": "nano-x4", "files": 1, "why": said}]
    assert f"model nano-x4: {said}" in err.splitlines()


def test_work_that_needs_one_scale_refuses_another(shelf, tmp_path, monkeypatch):
    shelf("nano-x2")
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "set" / "a.png", (24, 24))
    with pytest.raises(InputError, match="'nano' is there for x2 only, not for x3"):
        evaluate("nano", tmp_path / "set", scale=3)
    assert "'nano' is there for x2 only" in run(export, "nano", "--scale", 3)[2]
    assert run(export, "nano", "--scale", 2)[1] == "nano-x2.onnx\n"
    assert (tmp_path / "nano-x2.onnx").is_file(), "here, and not in the package"


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


def test_a_shell_sees_that_pictures_failed(tmp_path):
    """Not only click's own runner: the group swallows the Exit of a command."""
    put(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    command = [sys.executable, "-m", "acutance", "upscale", "a.png", "b.png", "-o", "out"]
    done = subprocess.run(
        [*command, "-m", "bicubic", "--scale", "2"], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.decode().endswith("acutance: 1 of 2 pictures failed.\n")


def test_a_mixture_is_run_by_no_engine_but_pytorch(model, tmp_path):
    mixture = f"{model}:0.5,{put(tmp_path / 'a.png')}:0.5"
    options = ("-o", tmp_path / "b.png", "-m", mixture, "--engine", "onnx_runtime")
    code, _, message = run(upscale, tmp_path / "a.png", *options)
    assert code == 2
    assert message == "A mixture is run by pytorch, not by 'onnx_runtime'. Leave --engine out."


@pytest.fixture(params=["pth", "safetensors", "onnx", "xml"])
def nameless(request, tmp_path) -> Path:
    """A model file that carries no card, as other programs write them."""
    network = build("compact:nano", scale=4, channels=3, arguments={"activation": "prelu"})
    card = describe("compact:nano", scale=4, channels=3, arguments={"activation": "prelu"})
    path = tmp_path / f"other.{request.param}"
    if path.suffix == ".pth":
        torch.save({"params_ema": network.state_dict()}, path)
    elif path.suffix == ".safetensors":
        save_file(network.state_dict(), path)
    elif path.suffix == ".onnx":
        export_onnx(network, card, path)
        bare = onnx.load(path)
        del bare.metadata_props[:]
        onnx.save(bare, path)
    else:
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
        export_openvino(network, card, path)
    return path


def test_a_model_made_elsewhere_is_a_model(nameless, tmp_path):
    source = put(tmp_path / "a.png")
    code, out, message = run(upscale, source, "-o", tmp_path / "out", "-m", nameless)
    assert (code, out) == (0, f"{tmp_path / 'out' / 'a_x4.png'}\n"), message
    assert read_picture(tmp_path / "out" / "a_x4.png").width == 32


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


def test_export_says_which_forms_there_are(model, tmp_path):
    done = run(export, model, "--to", "comunity")
    assert (done[0], done[2]) == (2, "Unknown form 'comunity'. Did you mean 'community'?")
    done = run(export, model, "--to", "community", "--overwrite")
    assert (done[0], done[1]) == (2, "")
    assert "it works on luma" in done[2]


def test_export_takes_weights_made_elsewhere(tmp_path):
    network = build("vdsr", scale=3)
    torch.save({"params": network.state_dict()}, tmp_path / "a.pth")
    options = ("--architecture", "vdsr@3", "-o", tmp_path / "a.safetensors")
    assert run(export, tmp_path / "a.pth", *options)[0] == 0
    assert read_card(tmp_path / "a.safetensors").scale == 3
    assert run(export, tmp_path / "a.pth", "-o", tmp_path / "a.zip")[2] == (
        f"{tmp_path / 'a.zip'} must end in one of .onnx, .safetensors, .xml."
    )


@pytest.fixture
def growing(tmp_path) -> Path:
    """A run's folder of scale 4, with its level x2 beside it, as a run leaves them."""
    torch.manual_seed(0)
    arguments = {"features": 8, "convolutions": 1}
    network = build("progressive:tiny", scale=4, arguments=arguments)
    card = describe("progressive:tiny", scale=4, arguments=arguments)
    card = replace(card, levels=(2,), name="grown_x4")
    save_model(network, card, tmp_path / "grown" / "model.safetensors")
    lower, own = cut(network, card, 2)
    with torch.no_grad():
        lower.levels[0].exit.bias += 0.1  # to tell it from the larger network made smaller
    save_model(lower, own, tmp_path / "grown" / "model-x2.safetensors")
    return tmp_path / "grown"


def test_a_lower_level_makes_the_picture_that_scale_asks_for(growing, tmp_path):
    source = put(tmp_path / "a.png")
    made = {}
    for name, model in (("run", growing), ("level", growing / "model-x2.safetensors")):
        code, _, err = run(
            upscale, source, "-o", tmp_path / f"{name}.png", "-m", model, "--scale", 2
        )
        assert code == 0, err
        made[name] = read_picture(tmp_path / f"{name}.png").pixels
    assert made["run"].shape == (12, 16, 3)
    assert np.array_equal(made["run"], made["level"])
    array = read_picture(source).pixels
    assert np.array_equal(upscale_array(array, model=growing, scale=2), made["level"])


def test_scores_of_a_lower_level_are_its_own(growing, photo_folder):
    scores = evaluate(growing, photo_folder, scale=2)
    assert (scores.model, scores.scale) == ("grown_x2", 2)
    with pytest.raises(InputError, match="enlarges 4 times, not 3"):
        evaluate(growing, photo_folder, scale=3)


def test_export_cuts_a_model_to_a_lower_level(growing, tmp_path):
    code, out, err = run(export, growing, "--scale", 2, "-o", tmp_path / "cut.safetensors")
    assert (code, out) == (0, f"{tmp_path / 'cut.safetensors'}\n"), err
    card = read_card(tmp_path / "cut.safetensors")
    assert (card.scale, card.name, card.levels) == (2, "grown_x2", ())
    code, out, _ = run(export, growing, "--scale", 2)
    assert (code, out) == (0, f"{growing / 'model-x2.onnx'}\n")
    code, _, err = run(export, growing, "--scale", 8, "-o", tmp_path / "no.onnx")
    assert code == 2
    assert "was not trained for scale 8" in err
    assert not (tmp_path / "no.onnx").exists()


def test_a_model_of_one_scale_cannot_be_cut(model, tmp_path):
    code, _, err = run(export, model, "--scale", 4, "-o", tmp_path / "no.onnx")
    assert code == 2
    assert err == (
        "The network 'compact' has one scale, 2, and no lower levels. Those that can be cut: "
        "lapsrn, progressive."
    )
