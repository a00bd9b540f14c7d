"""How many arenas the allocator makes for many threads, asked of the C library itself."""

import os
import platform
import subprocess
import sys

import pytest

from service.allocator import ARENAS

COUNTED = """
import ctypes, os, tempfile, threading
from service.allocator import bound_arenas

def used(meeting):
    meeting.wait()
    kept = [bytes(100 * size) for size in range(1, 400)]
    meeting.wait()

def arenas():
    meeting = threading.Barrier(9)
    threads = [threading.Thread(target=used, args=(meeting,)) for _ in range(8)]
    for one in threads:
        one.start()
    meeting.wait()
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile() as file:
        stream = ctypes.c_void_p(library.fopen(file.name.encode(), b"w"))
        library.malloc_info(0, stream)
        library.fclose(stream)
        found = open(file.name).read().count("<heap nr=")
    meeting.wait()
    return found

if __name__ == "__main__":
    {first}
    print(arenas(), os.environ.get("MALLOC_ARENA_MAX"))
"""


def counted(first: str, **environment: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    asked = [sys.executable, "-c", COUNTED.format(first=first)]
    ended = subprocess.run(asked, capture_output=True, text=True, env={**kept, **environment}, check=True)
    return ended.stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_few_arenas_here_and_in_processes_started_from_here() -> None:
    many, _ = counted("pass")
    few, told = counted("bound_arenas()")
    assert int(few) <= ARENAS < int(many)
    assert told == str(ARENAS)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_what_the_operator_set_is_kept() -> None:
    assert counted("bound_arenas()", MALLOC_ARENA_MAX="4")[1] == "4"
