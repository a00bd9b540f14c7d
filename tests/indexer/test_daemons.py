"""Calls that may hang, and whom they hold up."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from indexer.daemons import Daemons

HANGING = """
import threading
from indexer.daemons import Daemons
try:
    Daemons(1, "hung").within(0.05, threading.Event().wait)
except TimeoutError:
    print("late", flush=True)
"""


def test_what_a_call_returns_or_raises_comes_back() -> None:
    daemons = Daemons(2, "tried")
    assert daemons.within(5, lambda: 7) == 7
    with pytest.raises(FileNotFoundError):
        daemons.within(5, Path("/nowhere/at/all").read_bytes)
    assert [one.result(5) for one in [daemons.submit(lambda: 1), daemons.submit(lambda: 2)]] == [1, 2]


def test_calls_that_hang_keep_their_places_and_no_more_are_begun() -> None:
    daemons, may, begun = Daemons(2, "tried"), threading.Event(), []
    hanging = [daemons.submit(may.wait) for _ in range(2)]
    before = time.monotonic()
    with pytest.raises(TimeoutError):
        daemons.within(0.05, lambda: begun.append(1))
    assert time.monotonic() - before < 10
    may.set()
    assert all(one.result(5) for one in hanging)
    daemons.within(5, lambda: begun.append(2))
    assert begun == [2]


def test_the_end_of_a_process_does_not_wait_for_what_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "late\n"
