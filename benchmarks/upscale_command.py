"""The whole upscale command: its first small picture, the share of each stage, its memory."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def rows(rounds: int) -> list[dict[str, object]]:
    """Of benchmarks/upscale.py."""
    return [*first_picture(rounds), *stages(min(rounds, 3)), large_file()]


def write_network(folder: Path) -> None:
    from upscale import NETWORKS, write_models

    write_models(folder, *NETWORKS[0])


def first_picture(rounds: int) -> list[dict[str, object]]:
    """A 256x256 picture through the command line by torch, against importing torch alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_network(folder)
        write_small_picture(folder / "a.png")
        common = ["upscale", str(folder / "a.png"), "-o", str(folder / "b.png"), "--overwrite"]
        command = [sys.executable, "-m", "acutance", *common, "-m", name, "--engine"]
        sides = {
            "import torch": [sys.executable, "-c", "import torch"],
            "pytorch": [*command, "pytorch"],
            "onnx_runtime": [*command, "onnx_runtime"],
        }
        taken: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(rounds + 1):
            for side, arguments in sides.items():
                start = time.perf_counter()
                subprocess.run(arguments, check=True, capture_output=True)
                if turn:  # the first round reads files into memory
                    taken[side].append(time.perf_counter() - start)
    medians = {side: statistics.median(times) for side, times in taken.items()}
    print("first picture: " + ", ".join(f"{s} {t:.2f} s" for s, t in medians.items()))
    return [
        {
            "work": f"first small picture by {engine}, whole process",
            "baseline": "import torch alone",
            "ratio": round(medians[engine] / medians["import torch"], 2),
            "must": must,
            "stretch": stretch,
            "smaller_is_better": True,
        }
        for engine, must, stretch in (("pytorch", 1.45, 1.2), ("onnx_runtime", None, None))
    ]


def stages(rounds: int) -> list[dict[str, object]]:
    """What decoding, network and encoding take of a file's time by the clock; they overlap."""
    shares: dict[str, list[float]] = {"decode": [], "network": [], "encode": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_network(folder)
        write_picture_of(folder / "a.png", (1500, 2000))
        for turn in range(rounds):
            report = folder / f"{turn}.jsonl"
            command = [
                sys.executable,
                "-m",
                "acutance",
                "upscale",
                str(folder / "a.png"),
                "-m",
                name,
            ]
            command += ["-o", str(folder / f"{turn}.png"), "--engine", "onnx_runtime"]
            subprocess.run([*command, "--report", str(report)], check=True, capture_output=True)
            seconds = json.loads(report.read_text(encoding="utf-8"))["seconds"]
            for stage, found in shares.items():
                found.append(seconds[stage] / seconds["total"])
    return [
        {
            "work": f"upscale 32 x 16, 2000x1500 PNG into 4000x3000 PNG: {stage}",
            "baseline": "the whole by the clock",
            "ratio": round(statistics.median(found), 2),
            "must": None,
            "stretch": None,
            "smaller_is_better": True,
        }
        for stage, found in shares.items()
    ]


WATCHED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""  # of a process that is itself small: a child's peak begins with its parent's


def large_file() -> dict[str, object]:
    """Peak memory in MiB of the command that makes 96 megapixels, as the base install does it."""
    from acutance.models import build
    from acutance.models.building import describe
    from acutance.models.checkpoint import save_model
    from acutance.upscaling.export import export_onnx

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network, card = build("compact:small", scale=2), describe("compact:small", scale=2)
        save_model(network, card, folder / "model.safetensors")
        export_onnx(network, card, folder / "model.onnx")
        write_picture_of(folder / "a.png", (4000, 6000))
        command = [sys.executable, "-m", "acutance", "upscale", str(folder / "a.png"), "-m", name]
        command += ["-o", str(folder / "b.png"), "--engine", "onnx_runtime"]
        watched = [sys.executable, "-c", WATCHED, *command]
        done = subprocess.run(watched, check=True, capture_output=True, text=True)
    return {
        "work": "upscale compact:small x2, 6000x4000 PNG into 12000x8000 PNG: peak memory",
        "baseline": "MiB",
        "ratio": round(float(done.stdout)),
        "must": 512,
        "stretch": 350,
        "smaller_is_better": True,
    }


def write_picture_of(path: Path, size: tuple[int, int]) -> None:
    """A smooth picture with light grain, as photographs are."""
    from acutance.imaging.files import write_picture
    from acutance.imaging.picture import Picture
    from acutance.imaging.resample import resize

    generator = np.random.default_rng(0)
    smooth = resize(generator.random((size[0] // 50, size[1] // 50, 3)) * 200, size=size)
    grain = generator.integers(0, 12, (*size, 3))
    write_picture(path, Picture((smooth + grain).clip(0, 255).astype(np.uint8)))


def write_small_picture(path: Path) -> None:
    from acutance.imaging.files import write_picture
    from acutance.imaging.picture import Picture

    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    write_picture(path, Picture(pixels))
