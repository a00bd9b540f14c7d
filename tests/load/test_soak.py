"""Half an hour of everything that shoppers and merchandisers do; `make soak` has a machine to itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.serving import built_home

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_half_an_hour_brings_no_fault_and_takes_no_memory(tmp_path: Path) -> None:
    """Beside other tests it may be slow, and send some away; it may not fail, nor grow."""
    environment = {**os.environ, "VITRINE_HOME": str(built_home(tmp_path))}
    command = [sys.executable, "-m", "tests.load", "soak", "--minutes", "30", "--away", "0.2"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr
