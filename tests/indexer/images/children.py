"""The children of this process that decode, and their ends."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

AT_WORK = 0.2
"""Seconds of a processor, which a photo made to hang takes and a small one does not."""


def children() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_at_work(child: int, since: float) -> None:
    """`since`: the processor's seconds that it had before."""
    end = time.monotonic() + 60
    while processor_seconds(child) < since + AT_WORK:
        assert time.monotonic() < end
        time.sleep(0.01)


def kill_at_work(child: int, blow: signal.Signals) -> None:
    """Returns at once; what it works on from now on is its last."""
    since = processor_seconds(child)

    def kill() -> None:
        wait_until_at_work(child, since)
        os.kill(child, blow)

    threading.Thread(target=kill).start()
