"""Programs of others that are run beside ours."""

import os
import sys
import time
from pathlib import Path

import pytest

from eval.benchmarks.peers_figures import run_patiently
from indexer.errors import UnavailableError

STARTS_ANOTHER = "sleep 600 & echo $! > child; wait"


def test_a_program_is_run_in_its_folder(tmp_path: Path) -> None:
    run_patiently([sys.executable, "-c", "open('here', 'w')"], tmp_path, 60.0)

    assert (tmp_path / "here").is_file()


def test_one_that_fails_says_with_what(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="it ended with 3"):
        run_patiently([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, 60.0)


def test_one_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="it was not done after 3 seconds"):
        run_patiently(["/bin/sh", "-c", STARTS_ANOTHER], tmp_path, 3.0)

    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 60
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    """One that has ended and that nobody has waited for does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
