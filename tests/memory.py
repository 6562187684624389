"""The peak of memory of a program that a test starts."""

import sys

import pytest

# Lines for its beginning. getrusage would give the peak of the process that started it, too.
PEAK = """
import re
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""
TOLD = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of memory")
