"""What this processor is and can do, as far as it decides how a network is run."""

import os
import platform
from pathlib import Path

_FLAGS = Path("/proc/cpuinfo")  # Linux; elsewhere less is known, and nothing is assumed


def has_native_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware.

    Without it bf16 is four times slower than fp32 and can stall for minutes, so that even a
    trial is out of the question.
    """
    told = _told()
    return "avx512_bf16" in told or "amx_bf16" in told


def processor_name() -> str:
    """The name its maker gave it, or else its kind."""
    names = [line for line in _told().splitlines() if line.startswith("model name")]
    if names:
        return names[0].partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores this process may use; fewer than the machine has where it was given a part."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _told() -> str:
    try:
        return _FLAGS.read_text(encoding="ascii", errors="ignore")
    except OSError:
        return ""
