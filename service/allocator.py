"""How the C library's allocator is set for a process that runs for months with many threads."""

import ctypes
import os

ARENAS = 2
"""Each thread that meets another in the allocator gets an arena of its own, up to eight per core, and what was freed in
one is not given to the others: a service that is asked everything there is grew by 6 % in half an hour so. docs/load.md
has what it grows with two.
"""
_M_ARENA_MAX = -8
"""Of glibc's malloc.h; see mallopt(3)."""


def bound_arenas() -> None:
    """Of this process, before it starts threads, and of those it starts. MALLOC_ARENA_MAX, where it is set, is kept;
    without glibc there are none."""
    if "MALLOC_ARENA_MAX" in os.environ:
        return
    os.environ["MALLOC_ARENA_MAX"] = str(ARENAS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
