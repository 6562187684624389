"""Keep large blocks of memory in the process instead of giving them back after every use."""

import ctypes
from functools import cache

_M_TRIM_THRESHOLD = -1  # glibc's malloc.h
_M_MMAP_THRESHOLD = -3
_GIB = 1 << 30


@cache
def keep_large_blocks() -> bool:
    """Tell glibc's allocator to keep what is freed; say whether it took the setting.

    Blocks beyond 32 MiB are otherwise returned to the kernel at once and come back as zeroed
    pages, one fault for each 4 KiB: half the time of a network over a large picture. Only blocks
    above 1 GiB are still returned. The price: resident memory stays at its peak. Other C
    libraries are left alone.
    """
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  # only glibc has it
    except (AttributeError, OSError, TypeError):  # TypeError: Windows opens no library by None
        return False
    mmap_taken = library.mallopt(_M_MMAP_THRESHOLD, _GIB)
    trim_taken = library.mallopt(_M_TRIM_THRESHOLD, 2 * _GIB - 1)
    return bool(mmap_taken and trim_taken)
