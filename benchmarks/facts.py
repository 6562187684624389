"""When and on what a benchmark was run."""

import os
import platform
from datetime import date
from pathlib import Path


def stamp() -> dict[str, str]:
    """Date and machine, for the result files."""
    return {"date": date.today().isoformat(), "machine": machine()}


def vectors() -> str:
    """The widest vectors that torch uses here: half of what decides a ratio."""
    import torch

    return torch.backends.cpu.get_cpu_capability()


def machine() -> str:
    """Processor, cores and the versions that decide the speed."""
    import torch

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0].partition(":")[2].strip() if names else name
    return f"{os.cpu_count()} cores of {name} with {vectors()}, torch {torch.__version__}"
