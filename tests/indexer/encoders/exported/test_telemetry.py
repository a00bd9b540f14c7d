"""ONNX Runtime reports its use to its makers unless it is told not to before it is imported."""

import subprocess
import sys
from pathlib import Path

OPENED = """
import indexer.encoders.exported.runtime, onnxruntime
onnxruntime.SessionOptions()
"""


def test_nothing_is_reported_and_no_identity_is_kept(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OPENED], env={"HOME": str(tmp_path)}, capture_output=True, check=False, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
