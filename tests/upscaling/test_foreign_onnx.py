"""ONNX files from elsewhere: what they are is measured, what they must not do is refused."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from acutance.errors import InputError
from acutance.models import build
from acutance.models.card import read_card
from acutance.models.onnx_header import read_onnx_header
from acutance.upscaling.choice import choose_engine
from acutance.upscaling.onnx_runtime import load

pytestmark = [
    pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript"),
    pytest.mark.filterwarnings("ignore:The feature will be removed"),
    pytest.mark.filterwarnings("ignore:Constant folding"),
]

FREE = ["n", 3, "h", "w"]


def exported(network, path, channels=3, side=16):
    """As other programs export: no card, free sizes."""
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, channels, side, side),),
        path,
        input_names=["input"],
        dynamic_axes={"input": {0: "n", 2: "h", 3: "w"}},
        opset_version=17,
        dynamo=False,
    )
    return path


def graph_of(path, nodes, *, shape=FREE, kind=TensorProto.FLOAT, weights=(), inputs=1):
    """A file of hand-made nodes from "x" to "y"."""
    given = [helper.make_tensor_value_info(name, kind, shape) for name in ["x", "z"][:inputs]]
    made = helper.make_tensor_value_info("y", kind, None)
    graph = helper.make_graph(nodes, "g", given, [made], list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def doubled():
    sizes = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "sizes")
    return helper.make_node("Resize", ["x", "", "sizes"], ["y"], mode="nearest"), sizes


@pytest.mark.parametrize(
    ("name", "scale", "channels"),
    [
        ("compact:nano", 2, 1),
        ("compact:nano", 3, 3),
        ("espcn", 4, 3),
        ("fsrcnn", 2, 1),
        ("srcnn:955", 2, 1),
    ],
)
def test_scale_colour_and_reach_are_measured(name, scale, channels, tmp_path):
    torch.manual_seed(0)
    network = build(name, scale=scale, channels=channels)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.05 * torch.randn_like(p))
    engine = load(exported(network, tmp_path / "a.onnx", channels))
    card = engine.card
    assert (card.scale, card.color) == (scale, {1: "luma", 3: "rgb"}[channels])
    # what networks state is an upper bound where weights of a kernel are zero
    assert card.reach is not None
    assert network.reach - 1 <= card.reach <= network.reach
    assert len(card.weights) == 64
    lr = torch.rand(1, channels, 11, 14)
    with torch.inference_mode():
        np.testing.assert_allclose(engine(lr.numpy()), network(lr).numpy(), atol=1e-5)


class Pooled(nn.Module):
    def forward(self, x):
        return nn.functional.pixel_shuffle(
            x.repeat(1, 4, 1, 1) + x.mean((2, 3), keepdim=True).mean(), 2
        )


def test_what_looks_at_the_whole_picture_has_no_reach(tmp_path):
    assert load(exported(Pooled(), tmp_path / "a.onnx")).card.reach is None


class Windowed(nn.Module):
    """Each window of 2x2 becomes its mean, whatever the size: padded inside, as SwinIR does."""

    def forward(self, x):
        padded = nn.functional.pad(x, (0, 5, 0, 5), mode="replicate")
        means = nn.functional.interpolate(nn.functional.avg_pool2d(padded, 2), scale_factor=2.0)
        return means[:, :, : x.shape[2], : x.shape[3]]


def test_what_works_in_windows_has_no_reach(tmp_path):
    """One pixel changes its window only, but a picture cut elsewhere has other windows."""
    assert load(exported(Windowed(), tmp_path / "a.onnx")).card.reach is None


def test_half_precision_is_run_and_named(tmp_path):
    node, sizes = doubled()
    path = graph_of(tmp_path / "a.onnx", [node], kind=TensorProto.FLOAT16, weights=[sizes])
    engine = load(path)
    assert engine.precision == "f16"
    assert engine(np.full((1, 3, 2, 2), 0.5, np.float32)).dtype == np.float32


def test_openvino_learns_the_same(tmp_path):
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from acutance.upscaling import openvino_runtime

    path = exported(build("espcn", scale=2, channels=3), tmp_path / "a.onnx")
    assert openvino_runtime.load(path).card == load(path).card


def test_is_chosen_like_any_model(tmp_path, monkeypatch):
    path = exported(build("espcn", scale=2, channels=3), tmp_path / "a.onnx")
    assert choose_engine(path, pixels=100).engine == "onnx_runtime"
    assert choose_engine(path).engine == "onnx_runtime"
    with pytest.raises(InputError, match="does not say which network it holds"):
        read_card(path)


UNFIT = {
    "one size": ({"shape": [1, 3, 64, 64]}, "one size only, 1x3x64x64. Export it again"),
    "last": ({"shape": ["n", "h", "w", 3]}, "its input is nxhxwx3: channels come last"),
    "four": ({"shape": ["n", 4, "h", "w"]}, "it has 4 channels, not 1 or 3 on the second axis"),
    "bytes": ({"kind": TensorProto.UINT8}, r"its input is tensor\(uint8\), not float"),
    "two": ({"inputs": 2}, "it has 2 inputs, not one picture"),
    "flat": ({"shape": ["n", "k"]}, "its input has 2 axes, not picture, channel, row, column"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_takes_no_picture_is_refused(case, tmp_path):
    options, words = UNFIT[case]
    path = graph_of(tmp_path / "a.onnx", [helper.make_node("Identity", ["x"], ["y"])], **options)
    with pytest.raises(InputError, match=f"cannot be used for pictures: .*{words}"):
        load(path)


@pytest.mark.parametrize(
    ("operation", "words"),
    [("Transpose", "it makes 19x17x3x1 out of 1x3x17x19"), ("Log", "are not finite")],
)
def test_what_makes_no_picture_is_refused(operation, words, tmp_path):
    nodes = [helper.make_node("Sub", ["x", "x"], ["o"]), helper.make_node(operation, ["o"], ["y"])]
    with pytest.raises(InputError, match=words):
        load(graph_of(tmp_path / "a.onnx", nodes))


@pytest.mark.parametrize("multiple", [2, 4])
def test_sides_that_must_be_multiples_are_found(multiple, tmp_path):
    """As of networks that halve their picture first; each place within a multiple reaches apart."""
    network = nn.Sequential(
        nn.PixelUnshuffle(multiple),
        nn.Conv2d(3 * multiple**2, 3 * (2 * multiple) ** 2, 3, padding=1),
        nn.PixelShuffle(2 * multiple),
    )
    card = load(exported(network, tmp_path / "a.onnx")).card
    assert (card.scale, card.multiple, card.reach) == (2, multiple, 2 * multiple - 1)


def test_a_size_that_does_not_fit_is_said(tmp_path):
    network = nn.Sequential(nn.PixelUnshuffle(5), nn.PixelShuffle(5))
    with pytest.raises(InputError, match=r"does not run on a picture of 19x17 pixels"):
        load(exported(network, tmp_path / "a.onnx", side=20))


def test_data_outside_the_file_is_not_opened(tmp_path):
    """Such a file names any other, /etc/passwd too."""
    node, sizes = doubled()
    secret = tmp_path / "secret"
    secret.write_bytes(np.array([1, 1, 2, 2], np.float32).tobytes())
    sizes.ClearField("raw_data")
    sizes.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "secret", "length": "16"}.items():
        entry = sizes.external_data.add()
        entry.key, entry.value = key, value
    path = graph_of(tmp_path / "a.onnx", [node], weights=[sizes])
    with pytest.raises(InputError, match="keeps weights in other files, which are not opened"):
        load(path)


def test_data_outside_is_seen_inside_a_node(tmp_path):
    tensor = numpy_helper.from_array(np.zeros(4, np.float32))
    tensor.data_location = TensorProto.EXTERNAL
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    with pytest.raises(InputError, match="keeps weights in other files"):
        load(graph_of(tmp_path / "a.onnx", [node]))


def test_a_loop_is_not_run(tmp_path):
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), condition],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, [])],
    )
    node = helper.make_node("Loop", ["", ""], [], body=body)
    path = graph_of(tmp_path / "a.onnx", [node, helper.make_node("Identity", ["x"], ["y"])])
    with pytest.raises(InputError, match=r"holds a loop \(Loop\), which may never end"):
        load(path)


def test_the_header_tells_what_the_library_tells(luma_model):
    path = luma_model / "model.onnx"
    model = onnx.load(path)
    header = read_onnx_header(path)
    assert header.metadata == {p.key: p.value for p in model.metadata_props}
    assert header.operations == {node.op_type for node in model.graph.node}
    assert not header.has_outside_data


NO_FILES = [
    b"",
    b"\x00",
    b"\x3a\xff\xff\xff\xff\x0f",  # longer than the file
    b"\x08" + b"\xff" * 99,  # a number without an end
    b"\x3a\x00",  # an empty graph
    b"\x0b" * 50,
    b"\x3a\x02\x0a\x05",
]


@pytest.mark.parametrize("content", NO_FILES)
def test_what_is_no_onnx_file_is_said_to_be_none(content, tmp_path):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read as a model: .* It is damaged"):
        load(tmp_path / "a.onnx")
    with pytest.raises(InputError):
        read_card(tmp_path / "a.onnx")


def test_many_parts_and_deep_ones_are_refused_in_time(tmp_path):
    flat = b"\x3a\x00" * 400_000
    deep = b""
    for _ in range(40):  # a graph in a node in a graph
        inner = b"\x0a" + varint(len(deep)) + deep
        attribute = b"\x32" + varint(len(inner)) + inner
        deep = b"\x2a" + varint(len(attribute)) + attribute
    graph = b"\x0a" + varint(len(deep)) + deep
    nested = b"\x3a" + varint(len(graph)) + graph
    for content, words in [(flat, "too many parts"), (nested, "nested too deeply")]:
        (tmp_path / "a.onnx").write_bytes(content)
        with pytest.raises(ValueError, match=words):
            read_onnx_header(tmp_path / "a.onnx")


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


FUZZ = """
import random, sys
from pathlib import Path
import numpy as np
from acutance.errors import InputError
from acutance.upscaling.engine import RunError
from acutance.upscaling.onnx_runtime import load
source, spoilt, count = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), int(sys.argv[3])
chance = random.Random(0)
opened = 0
for _ in range(count):
    content = bytearray(source)
    if chance.random() < 0.2:
        content = content[: chance.randrange(len(content))]
    for _ in range(chance.randint(1, 6)):
        if content:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    spoilt.write_bytes(content)
    try:
        load(spoilt)(np.zeros((1, 1, 8, 8), np.float32))
        opened += 1
    except (InputError, RunError, MemoryError):
        pass
print(opened)
"""


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_spoilt_files_are_refused_or_run_and_nothing_else(luma_model, tmp_path, count):
    """In a process of its own, for a crash would take this one along."""
    words = [luma_model / "model.onnx", tmp_path / "a.onnx", count]
    command = [sys.executable, "-c", FUZZ, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]
