"""Large blocks are kept: measured as page faults of a process of its own."""

import subprocess
import sys

import pytest

from acutance.models.memory import keep_large_blocks

# A block of 256 MiB is freed and taken again: kept, its pages cause no second faults.
FAULTS = """
import resource, sys
from acutance.models.memory import keep_large_blocks
kept = keep_large_blocks() if sys.argv[1] == "keep" else False
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytes(bytearray(256 << 20)[:1])
before = faults()
bytearray(256 << 20)
print(int(kept), faults() - before)
"""


def second_faults(mode: str) -> tuple[bool, int]:
    command = [sys.executable, "-c", FAULTS, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    kept, faults = done.stdout.split()
    return kept == "1", int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_a_freed_block_is_used_again():
    kept, faults = second_faults("keep")
    if not kept:
        pytest.skip("this C library does not take the setting")
    assert faults < second_faults("leave")[1] / 10


def test_asking_twice_is_the_same_answer():
    assert keep_large_blocks() is keep_large_blocks()


def test_another_c_library_is_left_alone(monkeypatch):
    class Other:
        """A library without gnu_get_libc_version, as musl's."""

    monkeypatch.setattr("acutance.models.memory.ctypes.CDLL", lambda _: Other())
    assert keep_large_blocks.__wrapped__() is False
