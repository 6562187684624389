"""What this machine is and has, found without importing anything heavy that is not there."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from acutance.models.processor import has_native_bf16
from acutance.training.start import is_installed

GIB = 2**30
LITTLE_DISK_GIB = 2.0
PACKAGES = (
    # distribution, what it is for, extra that brings it
    ("numpy", "arrays", ""),
    ("pillow", "picture files", ""),
    ("onnxruntime", "upscaling without torch", ""),
    ("torch", "training", "train"),
    ("lightning-fabric", "training", "train"),
    ("schedulefree", "optim.name = 'schedule_free'", "train"),
    ("onnx", "the torch-free twin of a model", "train"),
    ("tensorboard", "curves in TensorBoard", "tensorboard"),
    ("openvino", "an engine that is often the fastest on Intel and AMD", "openvino"),
    ("nncf", "networks in 8 bits", "int8"),
    ("scikit-image", "the quickstart's photographs", "samples"),
)


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and what to do (empty: nothing)."""

    what: str
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Everything that decides how well acutance runs here."""
    return [*_packages(), *_processor(), *_torch(), *_engines(), *_weights(), *_disk()]


def _packages() -> Iterator[Finding]:
    yield Finding("acutance", version("acutance"))
    yield Finding("python", platform.python_version())
    for name, purpose, extra in PACKAGES:
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "not installed", f"{purpose}: pip install 'acutance[{extra}]'")


def _processor() -> Iterator[Finding]:
    yield Finding("cores", str(os.cpu_count()))
    native = has_native_bf16()
    yield Finding("bf16 in hardware", "yes" if native else "no, so training uses fp32")
    glibc = platform.libc_ver()[0] == "glibc"
    text = "glibc: large blocks are kept, which makes training and upscaling faster"
    yield Finding("malloc", text if glibc else "not glibc: left as it is")
    free = _free_memory()
    if free:
        yield Finding("free memory", f"{free / GIB:.1f} GiB")


def _free_memory() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0


def _torch() -> Iterator[Finding]:
    if not is_installed("torch"):
        return
    import torch

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        yield Finding("GPU", f"{properties.name}, {properties.total_memory / GIB:.0f} GiB")
    else:
        yield Finding("GPU", "none that torch can use: training runs on the processor")
    threads = torch.get_num_threads()
    cores = os.cpu_count() or 1
    advice = "" if threads <= cores else f"set OMP_NUM_THREADS={cores}"
    yield Finding("torch threads", str(threads), advice)


def _engines() -> Iterator[Finding]:
    from acutance.upscaling import ENGINES

    for name in ENGINES.names():
        facts = ENGINES.module(name).ENGINE
        ready = is_installed(facts.package)
        advice = "" if ready else f"pip install 'acutance[{facts.extra}]'"
        yield Finding(f"engine {name}", "ready" if ready else f"{facts.package} is missing", advice)


def _weights() -> Iterator[Finding]:
    folder = os.environ.get("ACUTANCE_DATA")
    if not folder:
        yield Finding("pictures and weights", "ACUTANCE_DATA is not set (only tests need it)")
        return
    found = sorted(p.stem for p in (Path(folder) / "weights").glob("*.safetensors"))
    advice = "" if Path(folder).is_dir() else f"{folder} does not exist: correct ACUTANCE_DATA"
    yield Finding("pictures and weights", f"{folder}: {len(found)} weight files", advice)


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / GIB
    advice = "snapshots may not fit: make room" if free < LITTLE_DISK_GIB else ""
    yield Finding("disk here", f"{free:.1f} GiB free", advice)
    yield Finding("system", f"{platform.system()} {platform.release()}, {sys.platform}")
