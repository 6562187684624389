"""Our engines against torch, ONNX Runtime, ncnn and OpenCV as they come; the first small picture.

    python benchmarks/upscale.py [--json FILE] [--rounds 5]

Networks of 32 and of 64 features with 16 convolutions, RGB, x2, on a 512x512 picture, the former
with LeakyReLU (our own models) and with PReLU (the community's). Each side runs in fresh processes,
which take turns, because the setting of the allocator belongs to a process: one warm-up, then the
median of 5 pictures; the figure is the median over the rounds. All outputs are compared first. Two
threads.

"stock" is a side as its own documentation runs it: torch eager, contiguous, in inference mode;
onnxruntime.InferenceSession(path); ncnn and OpenCV's dnn with their defaults, where they are
installed.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import upscale_command

SIDE, SCALE, PICTURES = 512, 2, 5
TOLERANCE = 2e-5
SIDES = ("pytorch", "onnx_runtime", "eager stock", "onnxruntime stock", "ncnn", "opencv")
NETWORKS = ((32, "leaky_relu"), (32, "prelu"), (64, "leaky_relu"))
# features -> ours, theirs, must, stretch (times as fast)
PAIRS: dict[int, list[tuple[str, str, float | None, float | None]]] = {
    32: [
        ("pytorch", "eager stock", 2.5, 3.5),
        ("pytorch", "onnxruntime stock", 1.0, 1.3),
        ("pytorch", "ncnn", 1.0, 1.3),
        ("pytorch", "opencv", None, None),
        ("onnx_runtime", "eager stock", None, None),
        ("onnx_runtime", "onnxruntime stock", None, None),
    ],
    64: [
        ("pytorch", "eager stock", 1.85, 2.6),
        ("pytorch", "onnxruntime stock", 1.0, 1.4),
        ("pytorch", "ncnn", 0.7, 1.0),
        ("pytorch", "opencv", None, None),
        ("onnx_runtime", "eager stock", None, None),
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side[0], Path(options.side[1]))
        return
    rows = []
    for features, activation in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            write_models(Path(folder), features, activation)
            rows += compare(Path(folder), (features, activation), options.rounds)
            if (features, activation) == NETWORKS[0]:
                rows.append(peak_memory(Path(folder)))
    rows += upscale_command.rows(options.rounds)
    for row in rows:
        print(f"{row['work']}, against {row['baseline']}: {row['ratio']} "
              f"(must {row['must']}, stretch {row['stretch']})")  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def write_models(folder: Path, features: int, activation: str) -> None:
    """The same network for every side; its last layer made large enough to be seen."""
    import torch

    from acutance.models import build
    from acutance.models.building import describe
    from acutance.models.checkpoint import save_model
    from acutance.upscaling.export import export_onnx

    torch.manual_seed(0)
    arguments = {
        "features": features,
        "convolutions": 16,
        "activation": activation,
        "skip": "nearest",
    }
    network = build("compact", scale=SCALE, channels=3, arguments=arguments)
    with torch.no_grad():
        network.body[-1].weight.mul_(100)
    card = describe("compact", scale=SCALE, channels=3, arguments=arguments)
    save_model(network, card, folder / "model.safetensors")
    export_onnx(network, card, folder / "model.onnx")


def compare(folder: Path, network: tuple[int, str], rounds: int) -> list[dict[str, object]]:
    features, activation = network
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for side in SIDES:
            done = subprocess.run(
                [sys.executable, __file__, "--side", side, str(folder)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            if done.stdout.strip() != "absent":
                taken.setdefault(side, []).append(float(done.stdout))
    check_equal(folder, list(taken))
    medians = {side: statistics.median(times) for side, times in taken.items()}
    print(
        f"{features} {activation}: "
        + ", ".join(f"{s} {1000 * t:.0f} ms" for s, t in medians.items())
    )
    work = f"upscale {features} x 16 {activation}, {SIDE}x{SIDE}"
    rows = []
    for ours, theirs, must, stretch in PAIRS[features]:
        absent = theirs not in medians
        ratio = "absent" if absent else round(medians[theirs] / medians[ours], 2)
        rows.append(
            {
                "work": f"{work}, engine {ours}",
                "baseline": theirs,
                "ratio": ratio,
                "must": must,
                "stretch": stretch,
            }
        )
    return rows


def check_equal(folder: Path, sides: list[str]) -> None:
    expected = np.load(folder / "eager stock.npy")
    for side in sides:
        off = float(np.abs(np.load(folder / f"{side}.npy") - expected).max())
        if off > TOLERANCE:
            sys.exit(f"{side} gives another picture than eager stock: off by {off:.1e}")


def run_side(name: str, folder: Path) -> None:
    """In a process of its own: time one side, keep its picture, print the median in seconds."""
    if name == "memory":
        print(large_picture(folder))
        return
    lr = np.random.default_rng(0).random((1, 3, SIDE, SIDE), dtype=np.float32)
    try:
        work = WORKS[name](folder)
    except ModuleNotFoundError:
        print("absent")
        return
    np.save(folder / f"{name}.npy", work(lr))
    times = []
    for _ in range(PICTURES):
        start = time.perf_counter()
        work(lr)
        times.append(time.perf_counter() - start)
    print(statistics.median(times))


def ours(engine: str) -> Callable[[Path], Callable[[np.ndarray], np.ndarray]]:
    def prepare(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
        from acutance.upscaling.choice import open_engine

        return open_engine(folder, engine=engine)

    return prepare


def eager_stock(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    from acutance.models.checkpoint import load_model

    network = load_model(folder)

    def work(lr: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(lr)).numpy()

    return work


def onnxruntime_stock(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx")
    return lambda lr: session.run(None, {"lr": lr})[0]


def ncnn_stock(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import ncnn

    write_for_ncnn(folder)
    network = ncnn.Net()
    network.opt.num_threads = 2
    network.load_param(str(folder / "model.param"))
    network.load_model(str(folder / "model.bin"))

    def work(lr: np.ndarray) -> np.ndarray:
        extractor = network.create_extractor()
        extractor.input("lr", ncnn.Mat(lr[0]).clone())
        sr = extractor.extract("sr")[1].clone()  # its own memory: the extractor's is used again
        return np.array(sr)[None]

    return work


def opencv_stock(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """By a file of one picture size, and of the plainest layers: it does not read every one."""
    import cv2
    import torch

    from acutance.models.checkpoint import load_model

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = load_model(folder).body

        def forward(self, lr: torch.Tensor) -> torch.Tensor:
            enlarged = torch.nn.functional.interpolate(lr, scale_factor=SCALE, mode="nearest")
            return torch.nn.functional.pixel_shuffle(self.body(lr), SCALE) + enlarged

    fixed = folder / "fixed.onnx"
    given = (torch.zeros(1, 3, SIDE, SIDE),)
    torch.onnx.export(Plain(), given, fixed, input_names=["lr"], opset_version=17, dynamo=False)
    network = cv2.dnn.readNetFromONNX(str(fixed))

    def work(lr: np.ndarray) -> np.ndarray:
        network.setInput(lr)
        return network.forward()

    return work


WORKS = {
    "pytorch": ours("pytorch"),
    "onnx_runtime": ours("onnx_runtime"),
    "eager stock": eager_stock,
    "onnxruntime stock": onnxruntime_stock,
    "ncnn": ncnn_stock,
    "opencv": opencv_stock,
}


def write_for_ncnn(folder: Path) -> None:
    """The same chain in ncnn's own text and binary form, activations inside its convolutions."""
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    last = max(int(name.split(".")[1]) for name in tensors)
    has_slopes = "body.1.weight" in tensors
    lines, weights, blob = ["Input lr 0 1 lr", "Split split 1 2 lr x0 base"], b"", "x0"
    for n in range(0, last + 1, 2):
        kernel, bias = tensors[f"body.{n}.weight"], tensors[f"body.{n}.bias"]
        inside = " 9=2 -23310=1,0.1" if n < last and not has_slopes else ""
        size = f"0={len(bias)} 1=3 4=1 5=1 6={kernel.size}"
        lines.append(f"Convolution conv{n} 1 1 {blob} y{n} {size}{inside}")
        weights += bytes(4) + kernel.tobytes() + bias.tobytes()
        blob = f"y{n}"
        if n < last and has_slopes:
            lines.append(f"PReLU act{n} 1 1 y{n} z{n} 0={len(bias)}")
            weights += tensors[f"body.{n + 1}.weight"].tobytes()
            blob = f"z{n}"
    lines.append(f"PixelShuffle shuffle 1 1 {blob} own 0={SCALE}")
    lines.append(f"Interp enlarge 1 1 base plain 0=1 1={SCALE}.0 2={SCALE}.0")
    lines.append("BinaryOp add 2 1 own plain sr 0=0")
    head = f"7767517\n{len(lines)} {len(lines) + 1}\n"  # its mark; layers and blobs
    (folder / "model.param").write_text(head + "\n".join(lines) + "\n")
    (folder / "model.bin").write_bytes(weights)


def large_picture(folder: Path) -> float:
    """Peak memory in MiB of a process that upscales 1920x1080, in bands, from arrays to arrays."""
    from acutance.upscaling.picture import upscale

    image = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    upscale(image, model=folder, engine="pytorch")
    status = Path("/proc/self/status").read_text(encoding="ascii")  # of this process alone
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def peak_memory(folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, __file__, "--side", "memory", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {
        "work": "upscale 32 x 16, 1920x1080, engine pytorch: peak memory",
        "baseline": "MiB",
        "ratio": round(float(done.stdout)),
        "must": 1000,
        "stretch": 600,
        "smaller_is_better": True,
    }


if __name__ == "__main__":
    main()
