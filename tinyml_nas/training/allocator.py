"""glibc's allocator, told to keep what is freed: activations of a step are those of the next."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
LARGEST_INT = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Serve large blocks from the heap and never return it; False where there is no ``mallopt``.

    By default each large tensor is mapped and zeroed by the kernel anew, in every step.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_INT) and mallopt(M_TRIM_THRESHOLD, LARGEST_INT))
