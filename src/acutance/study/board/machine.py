"""How busy the machine is: processor and memory by psutil, disk, and the GPU by its tool."""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

GPU_EVERY_S, GPU_PATIENCE_S = 5.0, 3.0
_GPU = "utilization.gpu,memory.used,memory.total,name"


class Machine:
    """What the page says of the machine that serves it; None for what cannot be known here."""

    def __init__(self) -> None:
        self._psutil = import_module("psutil") if find_spec("psutil") else None
        self._busy()
        self._tool = shutil.which("nvidia-smi")
        self._gpus: list[dict[str, Any]] = []
        self._next_gpu = 0.0

    def load(self, folders: Sequence[Path]) -> dict[str, Any]:
        """Shares are 0 to 1, memory and disks in bytes, the load that of a minute."""
        memory = self._psutil.virtual_memory() if self._psutil else None
        return {
            "cores": os.cpu_count(),
            "processor": self._busy(),
            "load": _load(),
            "memory": {"total": memory.total, "free": memory.available} if memory else None,
            "disks": _disks(folders),
            "gpus": self._gpu(),
        }

    def _busy(self) -> float | None:
        """Share of the processor's time that was used since the last call."""
        return self._psutil.cpu_percent() / 100 if self._psutil else None

    def _gpu(self) -> list[dict[str, Any]]:
        """By nvidia-smi, every few seconds; a tool that hangs or fails is not asked again."""
        if self._tool is None or time.monotonic() < self._next_gpu:
            return self._gpus
        self._next_gpu = time.monotonic() + GPU_EVERY_S
        command = [self._tool, f"--query-gpu={_GPU}", "--format=csv,noheader,nounits"]
        try:
            told = subprocess.run(
                command,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=GPU_PATIENCE_S,
                check=True,
            ).stdout
            self._gpus = gpus_of(told)
        except (OSError, ValueError, subprocess.SubprocessError):
            self._tool, self._gpus = None, []
        return self._gpus


def gpus_of(text: str) -> list[dict[str, Any]]:
    """Lines of nvidia-smi: busy 0 to 1, memory in bytes. Raises ValueError for others."""
    found = []
    for line in text.splitlines():
        busy, used, total, name = (part.strip() for part in line.split(",", 3))
        found.append(
            {
                "name": name,
                "busy": float(busy) / 100,
                "used": float(used) * 2**20,
                "total": float(total) * 2**20,
            }
        )
    return found


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):  # Windows has none
        return None


def _disks(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The disks that the folders are on, each once."""
    found: dict[int, dict[str, Any]] = {}
    for folder in folders:
        with suppress(OSError):
            usage = shutil.disk_usage(folder)
            disk = {"of": folder.name or str(folder), "total": usage.total, "free": usage.free}
            found.setdefault(folder.stat().st_dev, disk)
    return list(found.values())
