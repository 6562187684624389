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
STREAM = (
    PEAK
    + """
import sys
from contextlib import closing
from acutance.imaging.png import open_png, png_sink
from acutance.imaging.tiff import open_tiff, tiff_sink
source, target = map(Path, sys.argv[1:])
opener, sink_of = (open_png, png_sink) if source.suffix == ".png" else (open_tiff, tiff_sink)
before = peak()
with closing(opener(source)) as rows_of:
    with closing(sink_of(target, rows_of.facts, compression=None)) as sink:
        print(rows_of.held + sink.held)
        while (rows := rows_of.read(64)).height:
            sink.write(rows)
print(peak() - before)
"""
)
"""From one file into another by 64 rows: prints what both say they hold, and what was taken."""
TOLD = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of memory")
