"""Which processors sum products of bytes exactly."""

from pathlib import Path

import pytest

from indexer.encoders.exported.processor import sums_bytes_exactly


@pytest.mark.parametrize(
    ("machine", "flags", "exactly"),
    [
        ("x86_64", "fpu avx2 avx512f avx512_vnni", True),
        ("AMD64", "fpu avx2 avx_vnni", True),
        ("x86_64", "fpu avx2 avx512f", False),
        ("aarch64", "fp asimd", True),
    ],
)
def test_of_x86_those_with_vnni(
    machine: str, flags: str, exactly: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(f"model name\t: one\nflags\t\t: {flags}\n")

    assert sums_bytes_exactly(tmp_path / "cpuinfo") is exactly


def test_an_x86_that_does_not_say_is_taken_for_one_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")

    assert not sums_bytes_exactly(tmp_path / "cpuinfo")
